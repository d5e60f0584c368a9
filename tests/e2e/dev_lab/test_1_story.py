"""The life of one lab, in the order of a user's day: each test goes on from where the one before left the lab."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import httpx
import pytest

from modules.base.probe import Answer, wait_for
from modules.host.engine import choose
from tests.support.http import fetch, load
from tests.support.labs import Lab


def test_up_reaches_a_lab_whose_outputs_are_all_there(lab: Lab) -> None:
    outputs = lab.outputs()
    assert {m["role"] for m in outputs["machines"]} == {"master", "worker"}
    assert len(outputs["machines"]) == 3
    assert outputs["kubeconfig"] == "[secret]"
    assert outputs["endpoint"].startswith("https://")
    assert {e["kind"] for e in outputs["exposures"]} == {"clusterip", "nodeport", "loadbalancer", "ingress"}
    assert outputs["versions"]["kubernetes"] == lab.get("nodes")["items"][0]["status"]["nodeInfo"]["kubeletVersion"][1:]


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    lab.unchanged().ok()


def test_verify_reaches_everything(lab: Lab) -> None:
    lab.verify().ok()


def test_machines_have_the_addresses_that_the_plan_gave_them(lab: Lab) -> None:
    planned = {m["name"]: m["address"] for m in lab.outputs()["machines"]}
    seen = {
        node["metadata"]["name"]: next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
        for node in lab.get("nodes")["items"]
    }
    assert seen == planned


def test_nodeport_answers_on_every_machine(lab: Lab) -> None:
    port = lab.exposure("kubia", "nodeport")["port"]
    for machine in lab.outputs()["machines"]:
        assert fetch(f"http://{machine['address']}:{port}/")["pod"].startswith("kubia-")


def test_loadbalancer_answers_at_its_own_address(lab: Lab) -> None:
    record = lab.exposure("kubia", "loadbalancer")
    assert fetch(record["url"])["pod"].startswith("kubia-")
    assert record["address"] not in {m["address"] for m in lab.outputs()["machines"]}


def test_ingress_answers_to_its_host_name_only(lab: Lab) -> None:
    record = lab.exposure("kubia", "ingress")
    assert fetch(f"http://{record['address']}/", host=record["host"])["host"] == record["host"]
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        fetch(f"http://{record['address']}/", host="nobody.example.com")


def test_clusterip_answers_inside(lab: Lab) -> None:
    pod = lab.get("pods", "-l", "app.kubernetes.io/name=kubia")["items"][0]["metadata"]["name"]
    inside = lab.kubectl("exec", pod, "--", "/echo", "get", "http://kubia").ok().output
    assert json.loads(inside.strip().splitlines()[-1])["status"] == 200


def test_the_state_holds_no_secret_in_clear(lab: Lab) -> None:
    kubeconfig = (lab.project.folder / ".stacklab" / "labs" / lab.stack / "kubeconfig").read_text()
    key = re.search(r"client-key-data: (\S+)", kubeconfig)
    assert key is not None
    state = lab.project.folder / ".stacklab" / "state"
    holders = [p for p in state.rglob("*") if p.is_file() and key[1].encode() in p.read_bytes()]
    assert holders == []
    assert key[1] not in lab.project.pulumi("stack", "export", stack=lab.stack).ok().output


def test_a_rolling_update_drops_no_request(lab: Lab) -> None:
    url = lab.exposure("kubia", "loadbalancer")["url"]
    app = lab.spec["apps"][0]
    app["env"] = {**app.get("env", {}), "VERSION": "two"}
    with load(url, every=0.02) as answers:
        lab.up().ok()
    assert answers.failures == []
    assert answers.count > 50

    def look() -> Answer[bool]:
        versions = {fetch(url)["version"] for _ in range(10)}
        return Answer(versions == {"two"} or None, str(versions))

    wait_for("the new version answers alone", look, timeout=30)


def test_scaling_the_app_is_an_edit_of_the_file(lab: Lab) -> None:
    lab.spec["apps"][0]["replicas"] = 4
    lab.up().ok()
    assert lab.get("deployment", "kubia")["status"]["readyReplicas"] == 4


def test_apps_of_every_workload_are_added_and_removed(lab: Lab) -> None:
    before = list(lab.spec["apps"])
    lab.spec["apps"] = [
        *before,
        {"name": "rs", "workload": "replicaset", "replicas": 2, "affinity": "ClientIP", "expose": [{"nodeport": {}}]},
        {"name": "db", "workload": "statefulset", "volume": "64MiB at /data", "expose": [{"clusterip": {}}]},
        {"name": "agent", "workload": "daemonset"},
        {"name": "once", "workload": "job", "args": ["version"]},
        {"name": "often", "workload": "cronjob", "schedule": "*/5 * * * *", "args": ["version"]},
    ]
    lab.up().ok()
    lab.verify().ok()
    lab.unchanged().ok()
    assert lab.get("job", "once")["status"]["succeeded"] == 1
    assert lab.get("pvc")["items"][0]["status"]["phase"] == "Bound"
    lab.spec["apps"] = before
    lab.up().ok()
    assert [d["metadata"]["name"] for d in lab.get("statefulset,daemonset,job,cronjob,replicaset")["items"]] == [
        name["metadata"]["name"] for name in lab.get("replicaset", "-l", "app.kubernetes.io/name=kubia")["items"]
    ]


def test_a_bad_file_fails_before_anything_is_touched_and_names_every_place(lab: Lab) -> None:
    good = lab.spec
    lab.spec = {**good, "workers": "two", "kubernetez": "1.36.3", "network": {"proxy": "iptable"}}
    try:
        lab.save()
        shown = lab.project.pulumi("preview", stack=lab.stack)
    finally:
        lab.spec = good
        lab.save()
    assert shown.code != 0
    for place in ("workers", "kubernetez", "network.proxy"):
        assert place in shown.output
    assert "Traceback" not in shown.output


@pytest.mark.long
def test_stopped_and_started_machines_come_back_as_the_same_lab(lab: Lab) -> None:
    engine = choose()
    names = [m["name"] for m in lab.outputs()["machines"]]
    before = lab.outputs()["machines"]
    engine.run("stop", "--time", "1", *names, timeout=60)
    engine.run("start", *names, timeout=60)
    lab.verify().ok()
    assert lab.outputs()["machines"] == before
    lab.unchanged().ok()


def test_refresh_sees_a_machine_that_was_removed_and_up_makes_the_lab_whole(lab: Lab) -> None:
    worker = next(m["name"] for m in lab.outputs()["machines"] if m["role"] == "worker")
    choose().run("rm", "-f", "-v", worker, timeout=60)
    seen = lab.project.pulumi("refresh", "--yes", "--skip-preview", stack=lab.stack).ok()
    assert "updated" in seen.output
    lab.up().ok()
    lab.verify().ok()


def test_nothing_of_it_is_in_the_users_own_folders(lab: Lab) -> None:
    endpoint = lab.outputs()["endpoint"]
    scratch = lab.project.folder / ".stacklab" / "scratch"
    assert list(scratch.glob("kubeconfig*")), "the provider writes them somewhere"
    assert [f for f in Path(tempfile.gettempdir()).glob("kubeconfig*") if endpoint in f.read_text()] == []
    known = endpoint.removeprefix("https://").replace(":", "_")
    assert not (Path.home() / ".kube" / "cache" / "discovery" / known).exists()


def test_destroy_leaves_nothing(lab: Lab) -> None:
    lab.destroy().ok()
    lab.receipt().ok()
    assert not (lab.project.folder / ".stacklab" / "labs" / lab.stack / "kubeconfig").exists()
