"""What browsers are told, and when those who read may rest."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from modules.pages import live as module
from modules.pages.live import Live


def told(text: bytes) -> tuple[int, Any]:
    lines = dict(line.split(": ", 1) for line in text.decode().strip().splitlines())
    return int(lines["id"]), json.loads(lines["data"])


def test_a_browser_hears_all_parts_once_and_then_only_what_changed() -> None:
    async def listen() -> list[tuple[int, Any]]:
        live = Live()
        live.put({"a": "1", "b": "2"})
        stream = live.stream()
        assert (await anext(stream)).startswith(b"retry:")
        heard = [told(await anext(stream))]
        live.put({"a": "1", "b": "3"})
        heard.append(told(await anext(stream)))
        live.close()
        assert [left async for left in stream] == []
        return heard

    assert asyncio.run(listen()) == [(1, {"a": "1", "b": "2"}), (2, {"b": "3"})]


def test_a_browser_that_comes_back_hears_what_it_missed() -> None:
    live = Live()
    live.put({"a": "1", "b": "1"})
    live.put({"b": "2"})
    assert live.since(1) == (2, {"b": "2"})
    assert live.since(2) == (2, {})


def test_a_browser_that_saw_another_run_hears_everything_from_now_on() -> None:
    async def listen() -> list[tuple[int, Any]]:
        live = Live()
        live.put({"a": "1"})
        stream = live.stream(900)
        await anext(stream)
        heard = [told(await anext(stream))]
        live.put({"a": "2"})
        return [*heard, told(await anext(stream))]

    assert asyncio.run(listen()) == [(1, {"a": "1"}), (2, {"a": "2"})]


def test_another_thread_wakes_a_browser_that_waits() -> None:
    async def listen() -> Any:
        live = Live()
        stream = live.stream()
        await anext(stream)
        threading.Timer(0.05, live.put, [{"a": "1"}]).start()
        return told(await asyncio.wait_for(anext(stream), 10))

    assert asyncio.run(listen()) == (1, {"a": "1"})


def test_a_quiet_page_is_still_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)

    async def listen() -> bytes:
        stream = Live().stream()
        await anext(stream)
        return await anext(stream)

    assert asyncio.run(listen()).startswith(b": ")


def test_who_reads_rests_until_somebody_looks_and_ends_at_the_end() -> None:
    live, reads = Live(), threading.Semaphore(0)

    def read() -> None:
        while live.watched():
            reads.release()
            live.pause(0.01)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert not reads.acquire(timeout=0.1)

    async def look() -> bool:
        stream = live.stream()
        await anext(stream)
        seen = await asyncio.to_thread(reads.acquire, timeout=10)
        await stream.aclose()  # type: ignore[attr-defined]
        return seen

    assert asyncio.run(look())
    live.close()
    reader.join(10)
    assert not reader.is_alive()


def test_a_pause_ends_at_the_end() -> None:
    live = Live()
    threading.Timer(0.05, live.close).start()
    live.pause(100)
