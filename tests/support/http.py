"""HTTP as a user's browser would do it, and a light steady load."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx


def fetch(url: str, *, host: str = "", timeout: float = 5) -> dict[str, Any]:
    """The JSON that stacklab/echo answers; each call is a connection of its own."""
    answer = httpx.get(url, headers={"Host": host} if host else {}, timeout=timeout, trust_env=False)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


@dataclass
class Answers:
    count: int = 0
    failures: list[str] = field(default_factory=list)


@contextlib.contextmanager
def load(url: str, *, every: float, most: int = 20_000) -> Iterator[Answers]:
    """One request after the other while the block runs, at most `most`; what failed is kept."""
    answers = Answers()
    over = threading.Event()

    def go() -> None:
        while not over.is_set() and answers.count < most:
            answers.count += 1
            try:
                fetch(url)
            except (httpx.HTTPError, ValueError) as error:
                answers.failures.append(f"request {answers.count}: {error!r}")
            over.wait(every)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()
