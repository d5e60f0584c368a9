"""Kernel modules that are loaded, and settings of the kernel: now, and after a boot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modules.artifacts.machine import texts
from modules.bootstrap.step import Action, Run, Step, Write
from modules.bootstrap.steps import journal, probing
from modules.bootstrap.steps.wish import Wish

IPVS = ("ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack")
_LOADED = f"{journal.FOLDER}/modules"
_VALUES = f"{journal.FOLDER}/sysctls"
# What the kubelet, kube-proxy and Calico set by themselves: noted before they do.
WATCHED = (
    "net.ipv4.conf.all.forwarding", "net.ipv4.conf.all.route_localnet", "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.default.forwarding",
)  # fmt: skip
WATCHED_OF_HOST = (
    "kernel.panic", "kernel.panic_on_oops", "kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes",
    "vm.overcommit_memory", "vm.panic_on_oom",
)  # fmt: skip
IPVS_FILE = "/etc/modules-load.d/stacklab-ipvs.conf"


UNDO = f"""\
if [ -f {_LOADED} ]; then
    sort -ru {_LOADED} | while read -r name; do modprobe -r "$name" 2>/dev/null || true; done
    rm -f {_LOADED}
fi
"""


def modules(wish: Wish) -> Step:
    """Modules for containers and for bridged packets; those of IPVS when kube-proxy is to use it."""
    wanted = (*texts.KERNEL_MODULES, *(IPVS if wish.proxy == "ipvs" else ()))
    files = {texts.MODULES_FILE: texts.modules()}
    if wish.proxy == "ipvs":
        files[IPVS_FILE] = "# Written by stacklab.\n" + "".join(f"{name}\n" for name in IPVS)
    probe = (
        f"{probing.CONTAINER}{probing.digests(files)}"
        f"for name in {' '.join(wanted)}; do [ -d /sys/module/$name ] || echo absent $name; done\n"
        "[ ! -d /proc/sys/net/bridge ] || echo bridged\n"
        "grep -q overlay /proc/filesystems && echo overlayed || true\n"
    )

    def difference(printed: str) -> Sequence[Action]:
        lines, found = printed.splitlines(), list(_write(files, printed, "modules to load at boot"))
        absent = [line.split()[1] for line in lines if line.startswith("absent ")]
        # What is built in has no folder of its own below /sys/module on every kernel.
        builtin = {"br_netfilter": "bridged" in lines, "overlay": "overlayed" in lines}
        absent = [name for name in absent if not builtin.get(name)]
        if absent:
            note = f"mkdir -p {journal.FOLDER}\n"
            load = "".join(f"echo {name} >>{_LOADED}; modprobe {name}\n" for name in absent)
            found.append(Run(f"not loaded: {', '.join(absent)}", note + load))
        return found

    return Step("kernel modules", probe, difference, journal.give_back(files) + UNDO)


def sysctls() -> Step:
    """Settings of the network; the kernel's own limits are only raised, and never a host's from a container."""
    file = {texts.SYSCTLS_FILE: texts.sysctls()}
    exact, least = dict(texts.SYSCTLS), dict(texts.SYSCTLS_AT_LEAST)
    names = [*exact, *least]
    reads = "".join(f"echo value {name} $(cat {_path(name)} 2>/dev/null)\n" for name in names)

    def difference(printed: str) -> Sequence[Action]:
        lines, found = printed.splitlines(), list(_write(file, printed, "settings of the kernel"))
        now = {
            words[1]: words[2] if len(words) > 2 else "" for words in map(str.split, lines) if words[:1] == ["value"]
        }
        wrong = {name: value for name, value in exact.items() if now.get(name) != str(value)}
        if "container" not in lines:
            wrong |= {name: value for name, value in least.items() if int(now.get(name) or 0) < value}
        if wrong:
            script = f"mkdir -p {journal.FOLDER}\n" + "".join(
                f"grep -qs '^{name} ' {_VALUES} || echo {name} $(cat {_path(name)}) >>{_VALUES}\n"
                f"echo {value} >{_path(name)}\n"
                for name, value in wrong.items()
            )
            said = ", ".join(f"{name} is {now.get(name) or 'not there'}" for name in wrong)
            found.append(Run(said, script))
        return found

    undo = journal.give_back(file) + (
        f"if [ -f {_VALUES} ]; then\n    while read -r name value; do\n"
        '        echo "$value" >"/proc/sys/$(echo "$name" | tr . /)" 2>/dev/null || true\n'
        f"    done <{_VALUES}\n    rm -f {_VALUES}\nfi\n"
    )
    return Step("sysctls", f"{probing.CONTAINER}{probing.digests(file)}{reads}", difference, undo)


def note_values() -> str:
    """A script that notes what others will set; a container leaves its host's alone."""

    def note(names: Sequence[str]) -> str:
        return "".join(
            f"[ ! -e {_path(name)} ] || grep -qs '^{name} ' {_VALUES} ||\n"
            f"    echo {name} $(cat {_path(name)}) >>{_VALUES}\n"
            for name in names
        )

    return f'{note(WATCHED)}if [ -z "$({probing.CONTAINER})" ]; then\n{note(WATCHED_OF_HOST)}fi\n'


def _path(name: str) -> str:
    return f"/proc/sys/{name.replace('.', '/')}"


def _write(files: Mapping[str, str], printed: str, why: str) -> Sequence[Action]:
    seen = probing.files(printed)
    wrong = [path for path, text in files.items() if probing.differs(text, seen.get(path))]
    if not wrong:
        return ()
    return (Run("", journal.keep(wrong)), *(Write(why, path, files[path]) for path in wrong))
