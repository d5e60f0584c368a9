"""Is it in reach? One address of each host, all asked at once, an answer within three seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait

import httpx

from modules.artifacts.sources.download import describe
from modules.base.errors import ArtifactError

LIMIT = 2.5
# A server that does not let us ask this way is there all the same; a registry greets with 401.
GREETINGS = frozenset({401, 404, 405})


def host(address: str) -> str:
    """The host and port of an address, with or without a scheme."""
    return address.partition("://")[2].partition("/")[0] or address.partition("/")[0]


def one_for_each_host(addresses: Iterable[str]) -> dict[str, str]:
    """Host -> the first of its addresses."""
    found: dict[str, str] = {}
    for address in addresses:
        found.setdefault(host(address), address)
    return found


def ask(client: httpx.Client, addresses: Mapping[str, str], limit: float = LIMIT) -> dict[str, str]:
    """Host -> why it cannot be used, for those that do not answer well within `limit` seconds."""
    if not addresses:
        return {}
    # Not a `with`: that would wait for a name server that takes longer than we do.
    pool = ThreadPoolExecutor(max_workers=len(addresses), thread_name_prefix="reach")
    asked = {name: pool.submit(_silent, client, address, limit) for name, address in addresses.items()}
    wait(asked.values(), timeout=limit)
    pool.shutdown(wait=False, cancel_futures=True)
    reasons = {
        name: (future.result() if future.done() else f"no answer within {limit:g} s") for name, future in asked.items()
    }
    return {name: reason for name, reason in reasons.items() if reason}


def words(silent: Mapping[str, str]) -> str:
    """Host -> reason in one line, hosts of the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in silent.items():
        by_reason.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())


def _silent(client: httpx.Client, address: str, limit: float) -> str:
    try:
        answer = client.head(address, timeout=limit, follow_redirects=False)
    except httpx.TimeoutException:
        return f"no answer within {limit:g} s"
    except httpx.RequestError as error:
        return describe(error)
    except ArtifactError as error:
        return error.what
    if answer.status_code < 400 or answer.status_code in GREETINGS:
        return ""
    return f"answered {answer.status_code}"
