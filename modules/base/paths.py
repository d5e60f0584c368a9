"""Where things are kept: the artifact cache of the user, and this checkout's own ignored folder.

$XDG_CACHE_HOME/stacklab      artifacts, shared by all checkouts of one user
<checkout>/.stacklab          Pulumi's state and home, lab folders, logs; never committed
<checkout>/.stacklab/scratch  what the Kubernetes provider leaves behind, removed by the next command
<checkout>/.stacklab/labs/X   all files of lab X: kubeconfig, kind configuration, host fingerprint
"""

from __future__ import annotations

import os
from pathlib import Path

SCRATCH = "STACKLAB_SCRATCH"  # names `scratch()` to Pulumi, which hands it to the Kubernetes provider as TMPDIR


def checkout() -> Path:
    """The folder that holds Pulumi.yaml; STACKLAB_PROJECT overrides it."""
    named = os.environ.get("STACKLAB_PROJECT")
    return Path(named).resolve() if named else Path(__file__).resolve().parents[2]


def cache() -> Path:
    """The artifact cache; STACKLAB_CACHE overrides $XDG_CACHE_HOME/stacklab."""
    named = os.environ.get("STACKLAB_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stacklab"


def work() -> Path:
    """This checkout's own folder for everything that is made at run time."""
    return checkout() / ".stacklab"


def lab(stack: str) -> Path:
    """The folder of one lab."""
    return work() / "labs" / stack


def scratch() -> Path:
    """The temporary files of the Kubernetes provider, kubeconfigs among them."""
    return work() / "scratch"


def kubectl_memory() -> Path:
    """Where kubectl keeps what each cluster serves (KUBECACHEDIR)."""
    return work() / "kubectl"
