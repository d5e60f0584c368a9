"""Swap is off, now and after a boot: the kubelet does not start with it. Our mark in fstab says what to put back."""

from __future__ import annotations

from collections.abc import Sequence

from modules.bootstrap.step import Action, Run, Step
from modules.bootstrap.steps.journal import FOLDER
from modules.bootstrap.steps.probing import CONTAINER

MARK = "#stacklab# "
_ON = f"{FOLDER}/swap"

PROBE = (
    f"{CONTAINER}"
    "awk 'NR>1 {print \"on \" $1}' /proc/swaps\n"
    'awk \'$1 !~ /^#/ && $3 == "swap" {print "fstab " $1}\' /etc/fstab 2>/dev/null || true\n'
)

OFF = f"""\
mkdir -p {FOLDER}
awk 'NR>1 {{print $1}}' /proc/swaps >>{_ON}
sort -u -o {_ON} {_ON}
swapoff -a
"""

# In place of the line itself: the file keeps its owner, its mode, and everything else in it.
FSTAB = f"sed -i -E 's/^([^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap[[:space:]])/{MARK}\\1/' /etc/fstab\n"

UNDO = f"""\
if grep -qs '^{MARK}' /etc/fstab; then sed -i 's/^{MARK}//' /etc/fstab; fi
if [ -f {_ON} ]; then
    while IFS= read -r one; do swapon "$one" 2>/dev/null || true; done <{_ON}
    rm -f {_ON}
fi
"""


def difference(printed: str) -> Sequence[Action]:
    lines = printed.splitlines()
    if "container" in lines:
        return ()
    on = [line[3:] for line in lines if line.startswith("on ")]
    written = [line[6:] for line in lines if line.startswith("fstab ")]
    found: list[Action] = []
    if on:
        found.append(Run(f"swap is on: {', '.join(on)}", OFF))
    if written:
        found.append(Run(f"swap would be on after a boot: {', '.join(written)} in /etc/fstab", FSTAB))
    return found


STEP = Step("swap off", PROBE, difference, UNDO)
