"""The Kubernetes API over one kept connection: what one look asks, and whether there is anybody to ask."""

from __future__ import annotations

import json
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from modules.base import kubeconfig
from modules.base.errors import StacklabError
from modules.dashboard.read import Answers, Object

PATIENCE = httpx.Timeout(5, connect=3)
METRICS = "/apis/metrics.k8s.io/v1beta1"


class ApiAwayError(StacklabError):
    """Nobody answers, or not with what was asked."""


class Api:
    """One cluster's API. Use as a context manager, from one thread."""

    def __init__(self, file: Path) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise ApiAwayError(f"the lab's kubeconfig cannot be read: {error.strerror}", where=str(file)) from None
        access, client = kubeconfig.read(text), kubeconfig.client(text)
        self.endpoint = access.endpoint
        context = ssl.create_default_context(cadata=access.authority)
        if client.certificate:
            # Python reads them from a file only; this one is its owner's, and gone when they are read.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:
                pem.write(f"{client.certificate}\n{client.key}\n")
                pem.flush()
                context.load_cert_chain(pem.name)
        self._http = httpx.Client(
            base_url=access.endpoint,
            verify=context,
            timeout=PATIENCE,
            trust_env=False,  # the lab's address is this host's own: no proxy comes in between
            headers={"Authorization": f"Bearer {client.token}"} if client.token else {},
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def look(self) -> Answers:
        """Everything the picture needs; figures may be missing, the rest may not."""
        nodes, pods = self._items("/api/v1/nodes"), self._items("/api/v1/pods")
        events = self._items("/api/v1/events")
        node_metrics, why = self._measured("nodes")
        pod_metrics, _ = ([], "") if why else self._measured("pods")
        return Answers(nodes, pods, events, node_metrics, pod_metrics, why)

    def _items(self, path: str) -> Sequence[Object]:
        answer = self._get(path)
        if answer.status_code != 200:
            raise ApiAwayError(f"{path}: HTTP {answer.status_code}", where=self.endpoint, output=_message(answer))
        return _list(answer)

    def _measured(self, what: str) -> tuple[Sequence[Object], str]:
        """What metrics-server says, or why it says nothing: it may not be in this lab, or not be ready yet."""
        answer = self._get(f"{METRICS}/{what}")
        if answer.status_code == 200:
            found = _list(answer)
            return found, "" if found else "metrics-server has measured nothing yet"
        if answer.status_code == 404:
            return [], "no figures: this lab has no metrics-server among its addons"
        return [], f"no figures yet: metrics-server is not ready (HTTP {answer.status_code})"

    def _get(self, path: str) -> httpx.Response:
        try:
            # Version 0: from the API server's memory, so that looking costs etcd nothing.
            return self._http.get(path, params={"resourceVersion": "0"} if path.startswith("/api/") else {})
        except httpx.HTTPError as error:
            raise ApiAwayError(f"{self.endpoint} does not answer: {error or type(error).__name__}") from None


def _list(answer: httpx.Response) -> Sequence[Object]:
    try:
        found: Mapping[str, Any] = answer.json()
        items = found["items"] or []
        if all(item["metadata"] is not None for item in items):
            return list(items)
    except (ValueError, KeyError, TypeError):
        pass
    raise ApiAwayError(f"{answer.url.path}: this is not a list of Kubernetes")


def _message(answer: httpx.Response) -> str:
    try:
        return str(json.loads(answer.text).get("message", ""))
    except (ValueError, AttributeError):
        return ""
