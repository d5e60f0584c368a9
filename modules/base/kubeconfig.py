"""What stands in a kubeconfig, another address in it, a private file for it, and whether the API behind it answers."""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from modules.base.errors import StacklabError
from modules.base.probe import Answer, wait_for


@dataclass(frozen=True)
class Access:
    """The API's address and its certificate authority. `generation` is another one for each cluster ever made."""

    endpoint: str
    authority: str
    generation: str


def read(text: str) -> Access:
    """Raises StacklabError for a file that is not whole."""
    try:
        cluster: dict[str, Any] = yaml.safe_load(text)["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"], validate=True)
        # kubeadm draws a new certificate authority for each cluster.
        return Access(cluster["server"], authority.decode(), hashlib.sha256(authority).hexdigest()[:12])
    except (yaml.YAMLError, TypeError, KeyError, IndexError, ValueError) as error:
        # The text holds a private key: nothing of it goes into the error, nor does the cause.
        raise StacklabError(f"the kubeconfig is not whole ({type(error).__name__})", hint="pulumi up") from None


@dataclass(frozen=True)
class Client:
    """What the API knows its user by: a certificate with its key, or a token. Never printed."""

    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def client(text: str) -> Client:
    """The user of the kubeconfig."""
    read(text)
    try:
        user: dict[str, Any] = yaml.safe_load(text)["users"][0]["user"]
        if token := user.get("token"):
            return Client(token=str(token))
        names = ("client-certificate-data", "client-key-data")
        certificate, key = (base64.b64decode(user[name], validate=True).decode() for name in names)
    except (TypeError, KeyError, IndexError, ValueError, AttributeError) as error:
        what = f"the kubeconfig's user has neither a certificate nor a token ({type(error).__name__})"
        raise StacklabError(what, hint="pulumi up") from None
    return Client(certificate, key)


def for_token(name: str, user: str, cluster: Access, token: str, namespace: str = "") -> str:
    """A kubeconfig of somebody whom the API knows by a token; `namespace` is where its commands look."""
    authority = base64.b64encode(cluster.authority.encode()).decode()
    context = {"cluster": name, "user": user} | ({"namespace": namespace} if namespace else {})
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": cluster.endpoint, "certificate-authority-data": authority}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": context}],
        "current-context": name,
    }
    return yaml.safe_dump(document, sort_keys=False)


def with_server(text: str, server: str) -> str:
    """The same kubeconfig with another address of the API."""
    read(text)
    data: dict[str, Any] = yaml.safe_load(text)
    data["clusters"][0]["cluster"]["server"] = server
    return yaml.safe_dump(data, sort_keys=False)


def write(path: Path, text: str) -> None:
    """Whole or not at all, and for the owner's eyes only from the first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    draft.replace(path)


def wait_for_api(access: Access, *, timeout: float, where: str, hint: str) -> None:
    """Until the API says that it is ready."""
    context = ssl.create_default_context(cadata=access.authority)
    handler = urllib.request.HTTPSHandler(context=context)
    # The lab's address is this host's own: a proxy from the environment must not come in between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)

    def look() -> Answer[bool]:
        try:
            with opener.open(f"{access.endpoint}/readyz", timeout=5) as answer:
                return Answer(True if answer.status == 200 else None, f"HTTP {answer.status}")
        except (OSError, urllib.error.URLError) as error:
            return Answer(None, str(error))

    wait_for(f"{access.endpoint} answers", look, timeout=timeout, where=where, hint=hint)
