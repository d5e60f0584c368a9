"""Images in containerd, from archives of this host: nothing is pulled. A list on the machine says what is there.

Where kubeadm is told of another repository, Kubernetes' own images also have the names that it looks for there.

containerd is not asked at each look: what an image holds from the start is in the list too.
"""

from __future__ import annotations

from collections.abc import Sequence

from modules.artifacts.machine import registries
from modules.artifacts.machine.payload import IMAGES_LIST
from modules.bootstrap.step import Action, Run, Step, Upload
from modules.bootstrap.steps import journal
from modules.bootstrap.steps.wish import Wish

IMPORTED = f"{journal.FOLDER}/images"
ARCHIVE = "/opt/stacklab/import.tar"


def step(wish: Wish) -> Step:
    images = [image for image in wish.payload.images if wish.role == "master" or not image.masters]

    def difference(printed: str) -> Sequence[Action]:
        there = set(printed.split())
        missing = [image for image in images if image.reference not in there]
        found: list[Action] = []
        named = [(i.reference, registries.second_name(i.reference, wish.repository)) for i in images]
        unnamed = [(reference, name) for reference, name in named if name and name not in there]
        if missing or unnamed:
            found.append(Run("", journal.keep([IMAGES_LIST, ARCHIVE])))
        for image in missing:
            found.append(Upload(f"{image.reference} is missing", image.archive, ARCHIVE, 0o600))
            found.append(Run("", load(image.reference), timeout=600))
        found += [Run(f"{name} is missing", tag(reference, name)) for reference, name in unnamed]
        return found

    return Step("images", f"cat {IMAGES_LIST} 2>/dev/null || true\n", difference, UNDO)


def load(reference: str) -> str:
    """Import the archive, see that it has brought the image, and note it."""
    ctr = "ctr -n k8s.io images"
    return (
        f"{ctr} ls -q 2>/dev/null | grep -qxF {reference} || echo {reference} >>{IMPORTED}\n"
        # What it says beside the point is of interest only when it fails.
        f'said=$({ctr} import {ARCHIVE} 2>&1) || {{ echo "$said" >&2; exit 1; }}\n'
        f"{ctr} ls -q 2>/dev/null | grep -qxF {reference}\n"
        f"rm -f {ARCHIVE}\necho {reference} >>{IMAGES_LIST}\n"
    )


def tag(reference: str, name: str) -> str:
    """Give an image that is there a second name, and note it."""
    ctr = "ctr -n k8s.io images"
    return (
        f"{ctr} ls -q 2>/dev/null | grep -qxF {name} || echo {name} >>{IMPORTED}\n"
        f"{ctr} tag --force {reference} {name} >/dev/null\necho {name} >>{IMAGES_LIST}\n"
    )


UNDO = f"""\
if [ -f {IMPORTED} ] && command -v ctr >/dev/null; then
    while read -r reference; do ctr -n k8s.io images rm --sync "$reference" >/dev/null 2>&1 || true; done <{IMPORTED}
fi
rm -f {IMPORTED}
{journal.give_back([IMAGES_LIST, ARCHIVE])}"""
