"""The network resource inside the process that Pulumi starts for dynamic providers, spoken to as Pulumi speaks.

Programs are started from a process that serves gRPC from threads: it has to work, and to say nothing of its own.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]  # has no types
import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from modules.base.probe import Answer, wait_for
from modules.resources.container_network import ContainerNetworkProvider
from tests.resources.conftest import FAKES, install
from tests.resources.props import NETWORK

# Pulumi starts a shell script, the script starts Python: `; :` keeps sh from becoming it.
PULUMI = f"import subprocess; subprocess.run(['sh', '-c', '{sys.executable} -u -m pulumi.dynamic; :'])"


@dataclass
class Provider:
    """Pulumi's side of the wire."""

    stub: provider_pb2_grpc.ResourceProviderStub
    process: subprocess.Popen[str]

    def create(self, **changed: Any) -> dict[str, Any]:
        props = {**NETWORK, **changed, "__provider": serialize_provider(ContainerNetworkProvider())}
        packed = asyncio.run(rpc.serialize_properties(props, {}))
        answer = self.stub.Create(provider_pb2.CreateRequest(properties=packed))
        found: dict[str, Any] = rpc.deserialize_properties(answer.properties)
        return found

    def end(self) -> str:
        """What the process said on its standard error."""
        self.process.terminate()
        return self.process.communicate(timeout=20)[1]


@contextmanager
def serving(env: dict[str, str], *command: str) -> Iterator[Provider]:
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Provider(provider_pb2_grpc.ResourceProviderStub(channel), process)
    finally:
        process.kill()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    programs = tmp_path / "bin"
    programs.mkdir()
    install(programs, "docker", FAKES / "engine.py")
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "FAKE_ENGINE_STATE": str(tmp_path),
        "GRPC_ENABLE_FORK_SUPPORT": "false",  # as `stacklab env` says it; docs/decisions/programs-from-forks.md
        "STACKLAB_ENGINE": "docker",
        "STACKLAB_CACHE": str(tmp_path / "cache"),
        "STACKLAB_PROJECT": str(tmp_path / "checkout"),
    }


def test_resources_are_made_at_once_and_in_silence(env: dict[str, str]) -> None:
    with serving(env, sys.executable, "-u", "-m", "pulumi.dynamic") as provider:
        names = [f"stacklab-{n}" for n in range(8)]
        with ThreadPoolExecutor(max_workers=8) as pool:
            made = list(pool.map(lambda name: provider.create(name=name), names))
        assert [outs["name"] for outs in made] == names
        assert len({outs["owner"] for outs in made}) == 1
        assert provider.end() == ""


def test_an_error_is_told_once_and_without_a_stack_trace(env: dict[str, str]) -> None:
    subprocess.run(["docker", "network", "create", "stacklab-dev"], env=env, check=True, capture_output=True)
    with serving(env, sys.executable, "-u", "-m", "pulumi.dynamic") as provider:
        with pytest.raises(grpc.RpcError, match=r"stacklab-dev .*outside stacklab") as caught:
            provider.create()
        assert "Traceback" not in str(caught.value)
        assert provider.end() == ""


def test_the_process_ends_with_the_pulumi_that_started_it(env: dict[str, str]) -> None:
    """Nobody else ends it after a SIGKILL of Pulumi."""
    with serving(env, sys.executable, "-c", PULUMI) as provider:
        provider.create()
        script = child_of(provider.process.pid)
        python = Path("/proc") / child_of(script)
        assert b"pulumi.dynamic" in (python / "cmdline").read_bytes()
        provider.process.kill()
        provider.process.wait(timeout=5)
        wait_for("the provider's process is gone", lambda: Answer(None if python.exists() else True), timeout=10)


def child_of(pid: int | str) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
