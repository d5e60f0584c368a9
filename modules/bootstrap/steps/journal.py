"""What was done to a machine is noted there, so that it can be taken back by anyone at any time. Scripts only, pure.

    /var/lib/stacklab/written      paths that we wrote, in order        kept/<path>   what was there before
    /var/lib/stacklab/folders      folders that were not there before
    /var/lib/stacklab/<step>       what else a step has to remember

A path is noted before it is written: whenever a run is killed, what it did is known.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable

FOLDER = "/var/lib/stacklab"
WRITTEN = f"{FOLDER}/written"
FOLDERS = f"{FOLDER}/folders"
KEPT = f"{FOLDER}/kept"

FUNCTIONS = f"""\
mkdir -p {KEPT}; chmod 700 {FOLDER}; touch {WRITTEN} {FOLDERS}
note_folder() {{
    [ -e "$1" ] || grep -qxF -- "$1" {FOLDERS} || {{ note_folder "${{1%/*}}"; echo "$1" >>{FOLDERS}; }}
}}
keep() {{
    grep -qxF -- "$1" {WRITTEN} && return 0
    note_folder "${{1%/*}}"
    if [ -e "$1" ] || [ -L "$1" ]; then
        mkdir -p "{KEPT}${{1%/*}}"
        cp -a "$1" "{KEPT}$1.part"; mv -fT "{KEPT}$1.part" "{KEPT}$1"
    fi
    echo "$1" >>{WRITTEN}
}}
"""


def keep(paths: Iterable[str]) -> str:
    """Note files that are about to be written, with what they hold now."""
    calls = "".join(f"keep {shlex.quote(posixpath.normpath(path))}\n" for path in paths)
    return f"set -e\n{FUNCTIONS}{calls}"


def note_folders(paths: Iterable[str]) -> str:
    """Note those of the folders that are not there yet: they go again, with all that they will hold."""
    calls = "".join(f"note_folder {shlex.quote(path)}\n" for path in paths)
    return f"set -e\n{FUNCTIONS}{calls}"


def give_back(prefixes: Iterable[str] = ("/",)) -> str:
    """Undo the writing of every noted path below one of the prefixes."""
    wanted = "|".join(f"{prefix}*" for prefix in prefixes)
    return f"""\
if [ -f {WRITTEN} ]; then
    while IFS= read -r path; do
        case $path in {wanted}) ;; *) continue ;; esac
        if [ -e "{KEPT}$path" ] || [ -L "{KEPT}$path" ]; then
            mv -fT "{KEPT}$path" "$path" 2>/dev/null || cp -a "{KEPT}$path" "$path"
        else
            rm -f "$path"
        fi
    done <{WRITTEN}
fi
"""


# Of a folder that was not there everything goes, but nothing of one directly below the root.
REMOVE_FOLDERS = f"""\
if [ -f {FOLDERS} ]; then
    sort -r {FOLDERS} | while IFS= read -r path; do
        case $path in
            /*/*) awk -v p="$path/" 'index($2 "/", p) == 1 {{print $2}}' /proc/mounts | sort -r |
                      while IFS= read -r mount; do umount -l "$mount" 2>/dev/null || true; done
                  rm -rf --one-file-system -- "$path" ;;
            *) rmdir -- "$path" 2>/dev/null || true ;;
        esac
    done
fi
"""
