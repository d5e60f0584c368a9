"""What machines are called: the lab's block in the hosts file, and the machine's own host name."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from modules.bootstrap import hosts
from modules.bootstrap.step import Action, Run, Step, Write
from modules.bootstrap.steps.journal import FOLDER
from modules.bootstrap.steps.wish import Wish

HOSTS = "/etc/hosts"
_NAME = f"{FOLDER}/hostname"

UNDO = f"""\
if [ -s {_NAME} ]; then
    head -n 1 {_NAME} | tr -d '\\n' >/proc/sys/kernel/hostname
    tail -n +2 {_NAME} >{_NAME}.file
    if [ -s {_NAME}.file ]; then cat {_NAME}.file >/etc/hostname; else rm -f /etc/hostname; fi
    rm -f {_NAME} {_NAME}.file
fi
"""


def hosts_file(wish: Wish) -> Step:
    """All machines and the API by name, in step with the stack file."""

    def difference(printed: str) -> Sequence[Action]:
        content = printed.removesuffix("\nend")
        wanted = hosts.insert(content, wish.stack, wish.entries)
        if content == wanted:
            return ()
        new = hosts.begin(wish.stack) not in content.splitlines()
        why = "the machines of the lab get their names" if new else "the machines of the lab have changed"
        return (Write(why, HOSTS, wanted),)

    # The word at the end keeps newlines that the file ends with.
    return Step("hosts file", f"cat {HOSTS}; printf '\\nend'", difference, undo=hosts.removal(wish.stack))


def host_name(wish: Wish) -> Step:
    """The name of the stack file; its short form is as good."""
    name = shlex.quote(wish.machine)

    def difference(printed: str) -> Sequence[Action]:
        now, kept = [*printed.splitlines(), "", ""][:2]
        good = (wish.machine, wish.machine.split(".")[0])
        if now in good and kept in good:
            return ()
        script = (
            f"mkdir -p {FOLDER}\n"
            f"[ -e {_NAME} ] || {{ cat /proc/sys/kernel/hostname >{_NAME}.part; "
            f"cat /etc/hostname >>{_NAME}.part 2>/dev/null || true; mv {_NAME}.part {_NAME}; }}\n"
            f"printf '%s\\n' {name} >/etc/hostname\nprintf '%s' {name} >/proc/sys/kernel/hostname\n"
        )
        return (Run(f"is called {now or 'nothing'}", script),)

    probe = "cat /proc/sys/kernel/hostname; cat /etc/hostname 2>/dev/null || true"
    return Step("host name", probe, difference, UNDO)
