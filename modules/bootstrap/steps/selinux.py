"""SELinux permissive (Red Hat): pods' volumes and CNI plugins are not labelled for it."""

from __future__ import annotations

from collections.abc import Sequence

from modules.bootstrap.step import Action, Run, Step
from modules.bootstrap.steps.journal import FOLDER

CONFIG = "/etc/selinux/config"
_WAS = f"{FOLDER}/selinux"

PROBE = f"echo now $(getenforce 2>/dev/null); grep -s '^SELINUX=' {CONFIG} || true"

PERMISSIVE = f"""\
mkdir -p {FOLDER}
[ -e {_WAS} ] || getenforce >{_WAS}
setenforce 0
"""
AFTER_BOOT = f"sed -i 's/^SELINUX=enforcing/SELINUX=permissive #stacklab/' {CONFIG}\n"

UNDO = f"""\
if grep -qs '^SELINUX=permissive #stacklab' {CONFIG}; then
    sed -i 's/^SELINUX=permissive #stacklab/SELINUX=enforcing/' {CONFIG}
fi
if [ "$(cat {_WAS} 2>/dev/null)" = Enforcing ]; then setenforce 1; fi
rm -f {_WAS}
"""


def difference(printed: str) -> Sequence[Action]:
    found: list[Action] = []
    lines = printed.splitlines()
    if "now Enforcing" in lines:
        found.append(Run("SELinux is enforcing", PERMISSIVE))
    if "SELINUX=enforcing" in [line.strip() for line in lines]:
        found.append(Run("SELinux would be enforcing after a boot", AFTER_BOOT))
    return found


STEP = Step("selinux", PROBE, difference, UNDO)
