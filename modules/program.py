"""The steps of one lab, as `__main__.py` calls them: stack file -> plan -> cluster -> addons -> apps -> outputs.

Runs inside Pulumi's Python host, once for a preview and once for an update.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi

import addons
from addons import Installed
from modules import apps, artifacts, backends, cluster
from modules.artifacts import needs
from modules.base import paths
from modules.base.errors import ArtifactError, StacklabError
from modules.host import engine, fit, receipt
from modules.known import known
from modules.topology import promises
from modules.topology.parse import parse
from modules.topology.plan import LabPlan, plan


@contextlib.contextmanager
def errors_without_stack_trace() -> Iterator[None]:
    """Pulumi prints a RunError as it is; anything else it shows with a stack trace."""
    try:
        yield
    except StacklabError as error:
        raise pulumi.RunError(str(error)) from error


def read_stack() -> LabPlan:
    """The plan of the stack that is being run; raises InvalidStackError with every problem of its file."""
    stack = pulumi.get_stack()
    if os.environ.get("GRPC_ENABLE_FORK_SUPPORT") != "false":
        raise StacklabError("this shell lacks the lab's environment", hint='eval "$(.venv/bin/stacklab env)"')
    file = paths.checkout() / "stacks" / f"Pulumi.{stack}.yaml"
    spec = parse(
        pulumi.Config("stacklab").require_object("lab"),
        known(),
        source=f"stacks/{file.name}",
        text=file.read_text(encoding="utf-8") if file.exists() else None,
    )
    lab = plan(spec, stack)
    for warning in lab.warnings:
        pulumi.log.warn(warning)
    return lab


def require_artifacts(lab: LabPlan) -> None:
    """Fail before anything is touched when the lab's artifacts are not in the cache."""
    missing = artifacts.missing(needs.of(lab), pulumi=False)
    if missing:
        names = ", ".join(a.id for a in missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise ArtifactError(
            f"{len(missing)} artifacts of the lab are not in the cache: {names}",
            where=f"stack {lab.stack}",
            hint=f"stacklab fetch {lab.stack}",
        )


def look_at_host(lab: LabPlan) -> None:
    """Fail before anything is touched when this host cannot hold the lab; note what it has, for the receipt."""
    if lab.backend in ("kind", "minikube"):
        fit.require(lab, engine.choose())
    if lab.backend == "libvirt":
        from modules.machines.libvirt import fit as machines  # needs libvirt's library

        machines.require(lab)
    if not pulumi.runtime.is_dry_run():
        receipt.save(lab.stack)


def create_cluster(lab: LabPlan) -> cluster.Cluster:
    """Machines with Kubernetes on them, by the backend that the stack file names."""
    return backends.create(lab)


def install_addons(lab: LabPlan, target: cluster.Cluster) -> Mapping[str, Installed]:
    """Everything in `addons:`; what does not depend on each other starts at once."""
    return addons.install(lab, target)


def deploy_apps(
    lab: LabPlan, target: cluster.Cluster, installed: Mapping[str, Installed]
) -> Sequence[pulumi.Output[dict[str, Any]]]:
    """The apps of the stack file, and one record for each way to reach them."""
    return apps.deploy(lab, target, installed)


def export_outputs(lab: LabPlan, target: cluster.Cluster, exposures: Sequence[pulumi.Output[dict[str, Any]]]) -> None:
    """What `pulumi stack output` shows; the names are part of the contract with users."""
    release = artifacts.release(lab.kubernetes)
    # In minikube's official image kubeadm takes those of its own choice.
    own = lab.backend != "minikube" or lab.minikube.image == "own"
    made_here = {"etcd": release.etcd, "coredns": release.coredns} if own else {}
    pulumi.export("kubeconfig", target.kubeconfig)
    pulumi.export("kubeconfigFile", target.kubeconfig_file)
    pulumi.export("endpoint", target.endpoint)
    pulumi.export("machines", target.machines)
    pulumi.export("exposures", exposures)
    pulumi.export("versions", {"kubernetes": lab.kubernetes, **made_here})
    pulumi.export("notes", [*lab.warnings, *promises.notes(lab.backend)])
