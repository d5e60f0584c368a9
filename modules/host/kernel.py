"""Which networking features this kernel has, from what it says about itself: nothing is loaded, nothing is created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

# Our name -> (kernel configuration option, module).
FEATURES: Mapping[str, tuple[str, str]] = {
    "bridge": ("BRIDGE", "bridge"),
    "veth": ("VETH", "veth"),
    "vxlan": ("VXLAN", "vxlan"),
    "ipip": ("NET_IPIP", "ipip"),
    "ip_vs": ("IP_VS", "ip_vs"),
    "ip_set": ("IP_SET", "ip_set"),
    "nf_tables": ("NF_TABLES", "nf_tables"),
    "br_netfilter": ("BRIDGE_NETFILTER", "br_netfilter"),
    "wireguard": ("WIREGUARD", "wireguard"),
    "dummy": ("DUMMY", "dummy"),
    "ipvlan": ("IPVLAN", "ipvlan"),
    "overlay": ("OVERLAY_FS", "overlay"),
}


def features(*, config: str, builtin: str, loadable: str, loaded: str) -> frozenset[str]:
    """Features that are built in, loaded, or can be loaded from a module file.

    config is the kernel's configuration, builtin and loadable are modules.builtin and modules.dep, loaded is
    /proc/modules. A kernel that gives none of them away gets the benefit of the doubt.
    """
    options = dict(line[7:].split("=", 1) for line in config.splitlines() if line.startswith("CONFIG_") and "=" in line)
    modules = _file_names(builtin.splitlines())
    modules |= _file_names(line.split(":")[0] for line in loadable.splitlines())
    modules |= {line.split()[0] for line in loaded.splitlines() if line.strip()}
    if not options and not modules:
        return frozenset(FEATURES)
    return frozenset(
        name
        for name, (option, module) in FEATURES.items()
        if module in modules or options.get(option) == "y" or (options.get(option) == "m" and not loadable)
    )


def _file_names(lines: Iterable[str]) -> set[str]:
    return {PurePosixPath(line).name.split(".ko")[0].replace("-", "_") for line in lines if line}
