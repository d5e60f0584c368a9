"""podman's own configuration for a lab, from facts: a file of ours named by an environment variable, never /etc."""

from __future__ import annotations

from modules.host.facts import HostFacts

OVERRIDE_SINCE = (4, 4)  # CONTAINERS_CONF_OVERRIDE is read on top of the user's files; before, ours stands alone


def variable(podman_version: tuple[int, ...]) -> str:
    """The environment variable by which this podman takes an extra configuration file."""
    return "CONTAINERS_CONF_OVERRIDE" if podman_version >= OVERRIDE_SINCE else "CONTAINERS_CONF"


def render(facts: HostFacts, *, runc: bool) -> str:
    """The file's text. runc: it is installed.

    Nodes are machines: podman's 2048 processes a container are too few for them. A root without CAP_SYS_RESOURCE can
    give no more than it has, and podman's defaults ask for more; podman also lowers its own nproc to the kernel's
    pid_max before it hands limits on. crun refuses hybrid cgroups; without systemd nobody
    answers podman's calls for a scope.
    """
    lines = ["[containers]", "pids_limit = 0"]
    if facts.restricted:
        nproc = facts.pid_max if facts.nproc < 0 else min(facts.nproc, facts.pid_max)
        limits = [("nofile", facts.nofile), ("nproc", nproc)]
        words = ", ".join(f'"{name}={value}:{value}"' for name, value in limits if value >= 0)
        lines += [f"default_ulimits = [{words}]"]
    engine = []
    if runc and facts.cgroup == "v1":
        engine += ['runtime = "runc"']
    if not facts.systemd or facts.cgroup == "v1":
        engine += ['cgroup_manager = "cgroupfs"']
    if not facts.systemd:
        engine += ['events_logger = "file"']
    if engine:
        lines += ["", "[engine]", *engine]
    return "\n".join(lines) + "\n"
