"""A PostgreSQL server of a test's own: Debian's programs, a folder that goes away, a socket in it, no port.

The machine's own cluster is never touched. PostgreSQL does not run as root: then it is the user that the package made.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER, DATABASE = "teacher", "classes"
PACKAGE_USER = "postgres"


@dataclass(frozen=True)
class Postgres:
    """A running server; `url` has no password in it, `env` names the file that has."""

    folder: Path
    password: str

    @property
    def url(self) -> str:
        return f"postgres://{USER}@/{DATABASE}?host={self.folder}"

    @property
    def env(self) -> Mapping[str, str]:
        return {"PGPASSFILE": str(self.folder / "pgpass")}

    def rows(self, query: str) -> list[str]:
        words = [program("psql"), "--no-psqlrc", "--tuples-only", "--no-align", "--command", query, self.url]
        shown = subprocess.run(words, env={**os.environ, **self.env}, capture_output=True, text=True, check=False)
        assert shown.returncode == 0, shown.stderr
        return shown.stdout.splitlines()

    def everything(self) -> str:
        """All that is kept, as whoever reads the disk finds it, and what is packed for the way decoded."""
        kept = self.rows("select key || ' ' || data::text from pulumi_state")
        inside = self.rows("select encode(decode(data->>'data', 'base64'), 'escape') from pulumi_state")
        return "\n".join([*kept, *inside])


@contextmanager
def running() -> Iterator[Postgres]:
    """With an empty database; ended and removed with the block."""
    folder = Path(tempfile.mkdtemp(prefix="stacklab-pg-"))
    server = Postgres(folder, secrets.token_urlsafe(24))
    data = folder / "data"
    try:
        written = folder / "pgpass"
        written.touch(0o600)
        written.write_text(f"*:*:*:{USER}:{server.password}\n")
        first = folder / "password"
        first.touch(0o600)
        first.write_text(server.password)
        if os.geteuid() == 0:
            for path in (folder, first):
                shutil.chown(path, PACKAGE_USER, PACKAGE_USER)
        words = ["--username", USER, "--auth", "scram-sha-256", "--pwfile", str(first), "--no-sync"]
        _run(folder, "initdb", "--pgdata", str(data), "--encoding", "UTF8", "--locale", "C", *words)
        settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        _run(folder, "pg_ctl", "--pgdata", str(data), "--wait", "--log", str(folder / "log"), "-o", settings, "start")
        create = [program("createdb"), "--host", str(folder), "--username", USER, DATABASE]
        subprocess.run(create, env={**os.environ, **server.env}, check=True)
        yield server
    finally:
        if (data / "postmaster.pid").exists():
            _run(folder, "pg_ctl", "--pgdata", str(data), "--wait", "--mode", "immediate", "stop")
        shutil.rmtree(folder)


def program(name: str) -> str:
    """Debian keeps them off PATH, in a folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [Path(shutil.which(name) or name)]
    return str(found[-1])


def _run(folder: Path, name: str, *words: str) -> None:
    other: dict[str, Any] = {"user": PACKAGE_USER, "group": PACKAGE_USER, "extra_groups": []}
    who = other if os.geteuid() == 0 else {}
    log = folder / f"{name}.log"
    with log.open("w") as out:  # a pipe would be held by the server
        done = subprocess.run(
            [program(name), *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **who
        )
    assert done.returncode == 0, log.read_text()
