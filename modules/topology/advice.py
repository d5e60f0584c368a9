"""What is allowed and still worth a word: shown by every `up` and `preview`, stops nothing."""

from __future__ import annotations

from modules.topology.address import count, listed
from modules.topology.model import LabSpec
from modules.topology.problem import listing, show_path

SIZES = ("cpus", "memory", "disk")


def warnings(spec: LabSpec) -> tuple[str, ...]:
    return (*_quorum(spec), *_sizes(spec))


def _quorum(spec: LabSpec) -> list[str]:
    members = count(spec.masters) if spec.etcd == "stacked" else len(spec.etcd)
    if members % 2:
        return []
    where, what = ("masters", "masters with etcd on them") if spec.etcd == "stacked" else ("etcd", "members of etcd")
    lost, fewer = (members - 1) // 2, members - 1
    return [
        f"{where}: {members} {what} bear the loss of {lost}, no more than {fewer} do; take {fewer} or {members + 1}"
    ]


def _sizes(spec: LabSpec) -> list[str]:
    """Sizes that were written down and that this backend cannot give."""
    ignored = {"kind": "its machines share this host's", "ssh": "the machines have the size they have"}
    if spec.backend not in ignored:
        return []
    written = [("machine", key) for key in SIZES if key in spec.machine.model_fields_set]
    texts = [show_path(path) for path in written]
    texts += [show_path((*path, key)) for path, machine in listed(spec) for key in SIZES if getattr(machine, key)]
    return [f"{listing(texts, 'and')}: no effect on {spec.backend}, {ignored[spec.backend]}"] if texts else []
