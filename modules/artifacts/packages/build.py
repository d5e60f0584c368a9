"""The programs of a wrapper module, compiled by one command so that they share libraries and both cores."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from modules.artifacts.packages import module
from modules.artifacts.packages.go import Go
from modules.artifacts.source import Report
from modules.artifacts.sources.workplace import workplace
from modules.artifacts.store import remove
from modules.artifacts.types import GoWrapper
from modules.base import paths
from modules.base.errors import ArtifactError

# -s -w and no DWARF at all: a third less to compile and keep; stack traces do not need it.
STATIC = ("-linkmode=external", "-extldflags=-static")
C_COMPILER = "gcc"
FLAGS = ("-trimpath", "-gcflags=all=-dwarf=false")


def program(package: str) -> str:
    """The file name Go gives the program of a main package: its last word that is not a major version."""
    words = [word for word in package.split("/") if not (word[:1] == "v" and word[1:].isdigit())]
    return words[-1]


class Builder:
    """Compiles wrappers from `wrappers`, keeps what is compiled below the Go root until that is dropped."""

    def __init__(self, go: Go, wrappers: Path, programs: Mapping[str, Iterable[str]]) -> None:
        self._go = go
        self._wrappers = wrappers
        self._programs = {name: tuple(dict.fromkeys(packages)) for name, packages in programs.items()}

    def sources(self, wrapper: GoWrapper) -> Path:
        """The folder that holds its go.mod."""
        return paths.checkout() / wrapper.source if wrapper.source else self._wrappers / wrapper.name

    @contextmanager
    def programs(self, wrapper: GoWrapper, report: Report) -> Iterator[Path]:
        """The folder with the compiled programs, for the time of the `with`; one builder at a time for one wrapper."""
        with workplace(self._go.root / "work", wrapper.name) as place:
            done = self._go.root / "out" / f"{wrapper.name}-{self._key(wrapper)}"
            if not done.exists():
                self._compile(wrapper, place.folder, done, report)
            yield done

    def _compile(self, wrapper: GoWrapper, work: Path, done: Path, report: Report) -> None:
        lines = 0

        def compiled(line: str) -> None:
            nonlocal lines
            lines += 1
            text = line.strip()
            report(f"downloading {text.split()[2]}" if text.startswith("go: down") else f"compiling {text}", lines, 0)

        home = work / wrapper.name
        remove(home)
        shutil.copytree(self.sources(wrapper), home)
        self._lay(wrapper, home)
        beside = work / "out"
        remove(beside)
        beside.mkdir()
        command = ["build", "-v", *FLAGS, f"-tags={','.join(wrapper.tags)}"]
        ldflags = ("-s", "-w", *wrapper.ldflags, *(STATIC if wrapper.cgo else ()))
        command += [f"-ldflags={' '.join(ldflags)}", "-o", f"{beside}/"]
        if wrapper.cgo and not shutil.which(C_COMPILER):
            raise ArtifactError(
                f"{wrapper.name} is compiled with {C_COMPILER}, which is not installed",
                where=wrapper.name,
                hint="sudo apt-get install --no-install-recommends gcc libc6-dev",
            )
        self._go.run(*command, *self._programs[wrapper.name], cwd=home, on_line=compiled, cgo=wrapper.cgo)
        done.parent.mkdir(parents=True, exist_ok=True)
        beside.rename(done)
        self._go.drop_zips()

    def _lay(self, wrapper: GoWrapper, home: Path) -> None:
        for name, (from_module, path) in wrapper.lay.items():
            target = home / name
            shutil.copyfile(module.folder(self._go, self.sources(wrapper), from_module) / path, target)
            if name in wrapper.stamp:
                content = json.loads(target.read_text(encoding="utf-8"))
                content["version"] = wrapper.stamp[name]
                target.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")

    def _key(self, wrapper: GoWrapper) -> str:
        """Changes with everything that changes the programs."""
        whole = hashlib.sha256(repr((FLAGS, wrapper, self._programs[wrapper.name])).encode())
        for file in sorted(self.sources(wrapper).glob("*")):
            if file.is_file():
                whole.update(f"{file.name}\0{file.stat().st_size}\n".encode() + file.read_bytes())
        return whole.hexdigest()[:12]
