"""Asking the Kubernetes API: as the lab's own client, over TLS, and what is said when it does not answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modules.base import kubeconfig
from modules.base.errors import StacklabError
from modules.dashboard.api import Api, ApiAwayError
from tests.support.servers.kubernetes import Kubernetes
from tests.unit.dashboard.conftest import FakeLab


def test_one_look_brings_everything(lab: FakeLab) -> None:
    with Api(lab.api.kubeconfig) as api:
        found = api.look()
    assert [n["metadata"]["name"] for n in found.nodes] == ["dev-control-plane", "dev-worker", "dev-worker2"]
    assert (len(found.pods), len(found.events), found.unmeasured) == (8, 2, "")
    assert (len(found.node_metrics), len(found.pod_metrics)) == (3, 8)


def test_no_proxy_comes_in_between(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with Api(lab.api.kubeconfig) as api:
        assert api.look().nodes


@pytest.mark.parametrize(("status", "word"), [(404, "has no metrics-server"), (503, "not ready (HTTP 503)")])
def test_figures_may_be_missing(lab: FakeLab, status: int, word: str) -> None:
    lab.api.metrics = status
    with Api(lab.api.kubeconfig) as api:
        found = api.look()
    assert word in found.unmeasured
    assert found.pods


def test_metrics_server_may_have_measured_nothing_yet(lab: FakeLab) -> None:
    lab.api.objects["/apis/metrics.k8s.io/v1beta1/nodes"].clear()
    with Api(lab.api.kubeconfig) as api:
        assert "nothing yet" in api.look().unmeasured


def test_an_api_that_refuses_says_why(lab: FakeLab) -> None:
    lab.api.away = True
    with Api(lab.api.kubeconfig) as api, pytest.raises(ApiAwayError) as told:
        api.look()
    assert "HTTP 503" in told.value.in_one_line()
    assert "currently unable" in told.value.in_one_line()


def test_an_answer_of_somebody_else_is_no_list(lab: FakeLab) -> None:
    lab.api.objects["/api/v1/nodes"] = "nonsense"  # type: ignore[assignment]
    with Api(lab.api.kubeconfig) as api, pytest.raises(ApiAwayError, match="not a list of Kubernetes"):
        api.look()
    lab.api.objects["/api/v1/nodes"] = []
    del lab.api.objects["/api/v1/pods"]
    with Api(lab.api.kubeconfig) as api, pytest.raises(ApiAwayError, match="/api/v1/pods: HTTP 404"):
        api.look()


def test_nobody_at_home(tmp_path: Path) -> None:
    with Kubernetes(tmp_path) as gone:
        file = gone.kubeconfig
    with Api(file) as api, pytest.raises(ApiAwayError, match="does not answer"):
        api.look()


def test_a_strangers_server_is_not_believed(lab: FakeLab, tmp_path: Path) -> None:
    with Kubernetes(tmp_path / "stranger") as stranger:
        file = tmp_path / "kubeconfig"
        file.write_text(kubeconfig.with_server(lab.api.kubeconfig.read_text(), stranger.url))
        with Api(file) as api, pytest.raises(ApiAwayError, match="certificate"):
            api.look()


def test_without_a_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(ApiAwayError, match="No such file"):
        Api(tmp_path / "kubeconfig")


def test_a_kubeconfig_without_a_user_holds_no_secret_in_its_error(lab: FakeLab) -> None:
    file = lab.api.kubeconfig
    text = file.read_text().replace("client-key-data: ", "client-key-data: !")
    file.write_text(text)
    with pytest.raises(StacklabError) as told:
        Api(file)
    assert "kubeconfig's user" in str(told.value) or "not whole" in str(told.value)
    assert "!" not in str(told.value)


def test_a_token_is_as_good_as_a_certificate() -> None:
    cluster = "clusters: [{cluster: {server: 'https://x', certificate-authority-data: QQ==}}]"
    made = kubeconfig.client(f"{cluster}\nusers: [{{user: {{token: one-word}}}}]\n")
    assert (made.token, made.key) == ("one-word", "")
    assert "one-word" not in repr(made)


def test_no_key_is_left_behind(lab: FakeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with Api(lab.api.kubeconfig) as api:
        assert list(folder.iterdir()) == []
        shutil.rmtree(folder)
        assert api.look().nodes
