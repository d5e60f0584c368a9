"""Clusters on machines reached over SSH: three masters behind one address, changes after creation.

The machines are system containers: the same code over SSH as for any machine. The tests of one lab follow each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.base.probe import Answer, wait_for
from tests.support.labs import Lab
from tests.support.machines import Machines, machines
from tests.support.project import Project
from tests.support.ssh_labs import (
    AFTER,
    BEFORE,
    addresses,
    all_ready,
    all_run,
    lab_of,
    network,
    nodes,
    ready,
    refused_in_a_preview,
    spec,
)

pytestmark = pytest.mark.large
SUBNET = "10.231.95"
VIP = f"{SUBNET}.10"
ETCD = "--cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/server.crt"
ETCD += " --key=/etc/kubernetes/pki/etcd/server.key --endpoints=https://127.0.0.1:2379"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines(
        addresses(SUBNET, 3, 2), tmp_path_factory.mktemp("ssh"), network="stacklab-ssh", kubernetes=AFTER
    ) as found:
        yield found


@pytest.fixture(scope="module")
def ha(project: Project, made: Machines) -> Iterator[Lab]:
    with lab_of(project, "ha5", spec(made, 3, 1, network={**network(SUBNET), "endpoint": f"vip:{VIP}"})) as lab:
        yield lab


def etcd_members(made: Machines, master: str) -> list[str]:
    script = f"crictl exec -s $(crictl ps -q --name '^etcd$' | head -n 1) etcdctl {ETCD} member list -w json"
    return sorted(member["name"] for member in json.loads(made.ssh(master, script).stdout)["members"])


def holder(made: Machines, *masters: str) -> list[str]:
    """Who has the virtual address."""
    return [name for name in masters if VIP in made.ssh(name, "ip -4 -o addr show", check=False).stdout]


def runs_a_pod(lab: Lab, name: str) -> None:
    image = artifacts_echo()
    lab.kubectl("run", name, f"--image={image}", "--restart=Never", "--image-pull-policy=Never").ok()
    lab.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=90s", timeout=120).ok()
    lab.kubectl("delete", "pod", name, "--now").ok()


def artifacts_echo() -> str:
    from modules.manifests.images import baked

    return baked("docker.io/stacklab/echo")


# -- three masters behind one address ------------------------------------------------------------------------------


def test_three_masters_and_a_worker_are_up(ha: Lab) -> None:
    ha.up().ok()
    ha.verify().ok()
    all_ready(ha, "m1", "m2", "m3", "w1")


def test_a_second_up_changes_nothing(ha: Lab) -> None:
    ha.unchanged().ok()


def test_nothing_secret_is_left_over_from_joining(ha: Lab, made: Machines) -> None:
    secrets = {one["metadata"]["name"] for one in ha.get("secrets", "-n", "kube-system")["items"]}
    assert not [name for name in secrets if name.startswith("bootstrap-token") or name == "kubeadm-certs"]
    for name in ("m2", "m3", "w1"):
        left = made.ssh(name, "ls /run/stacklab").stdout.split()
        assert set(left) <= {"kubeadm.lock", "kubeadm.pid"}, name
    state = ha.project.pulumi("stack", "export", stack=ha.stack).ok().output
    assert "PRIVATE KEY" not in state
    assert "client-key-data" not in state


def test_masters_have_a_kubectl_that_works(ha: Lab, made: Machines) -> None:
    said = made.ssh("m2", "stat -c %a /root/.kube/config; kubectl get nodes -o name; bash -ic 'type __start_kubectl'")
    assert said.stdout.splitlines()[0] == "600"
    assert "node/w1" in said.stdout
    assert "__start_kubectl is a function" in said.stdout


def test_with_the_first_master_gone_the_api_answers_and_a_pod_starts(ha: Lab, made: Machines) -> None:
    assert holder(made, "m1", "m2", "m3") == ["m1"]
    made.cut("m1")

    def look() -> Answer[bool]:
        asked = ha.kubectl("get", "--raw=/readyz", "--request-timeout=3s")
        return Answer(asked.code == 0 or None, asked.output[-300:])

    wait_for("the API answers", look, timeout=30, every=0.5)
    runs_a_pod(ha, "without-m1")
    now = holder(made, "m2", "m3")
    assert len(now) == 1
    made.start("m1")
    all_ready(ha, "m1", "m2", "m3", "w1", timeout=180)
    assert etcd_members(made, "m2") == ["m1", "m2", "m3"]
    assert holder(made, "m1", "m2", "m3") == now, "who comes back does not take the address"


def test_a_worker_more_and_labels_are_an_edit(ha: Lab, made: Machines) -> None:
    ha.spec["workers"] = spec(made, 3, 2)["workers"]
    ha.spec["workers"][0] |= {"labels": {"tier": "front"}, "taints": ["dedicated=db:PreferNoSchedule"]}
    ha.kubectl("label", "node", "w1", "somebody=else").ok()
    said = ha.up().ok().output
    assert "labels of w1 none -> tier=front" in said
    assert ready(ha) == dict.fromkeys(("m1", "m2", "m3", "w1", "w2"), True)
    w1 = nodes(ha)["w1"]
    assert w1["metadata"]["labels"]["tier"] == "front"
    assert [t["key"] for t in w1["spec"]["taints"]] == ["dedicated"]
    ha.spec["workers"][0] = {key: ha.spec["workers"][0][key] for key in ("name", "address")}
    ha.up().ok()
    w1 = nodes(ha)["w1"]
    assert "tier" not in w1["metadata"]["labels"]
    assert w1["metadata"]["labels"]["somebody"] == "else"
    assert "taints" not in w1["spec"]


def test_machines_that_are_taken_out_leave_in_good_order(ha: Lab, made: Machines) -> None:
    ha.spec["masters"], ha.spec["workers"] = ha.spec["masters"][:2], ha.spec["workers"][:1]
    said = ha.up().ok().output
    for word in ("w2: cordon and drain", "m3: its member of etcd is removed", "m3: its node is deleted"):
        assert word in said
    assert sorted(nodes(ha)) == ["m1", "m2", "w1"]
    assert etcd_members(made, "m1") == ["m1", "m2"]
    for name in ("m3", "w2"):
        assert made.ssh(name, "ls -d /etc/kubernetes /var/lib/etcd /etc/stacklab", check=False).stdout == ""
    assert "m3" not in made.ssh("m1", "cat /etc/stacklab/haproxy.cfg").stdout
    ha.unchanged().ok()


def test_certificates_are_made_new_while_the_api_stays(ha: Lab, made: Machines) -> None:
    read = "openssl x509 -noout -serial -in /etc/kubernetes/pki/apiserver.crt 2>/dev/null || "
    read += "sha256sum /etc/kubernetes/pki/apiserver.crt"
    before = [made.ssh(name, read).stdout for name in ("m1", "m2")]
    ha.project.run("stacklab", "certs", ha.stack, "--renew", timeout=300).ok()
    assert all(old != made.ssh(name, read).stdout for name, old in zip(("m1", "m2"), before, strict=True))
    data = json.loads(ha.project.run("stacklab", "certs", ha.stack, "--json").ok().output)
    assert sorted(data) == ["m1", "m2"]
    assert {"apiserver", "etcd-server", "ca"} <= {one["name"] for one in data["m1"]}
    ha.kubectl("get", "nodes").ok()


def test_what_came_after_a_backup_is_gone_after_its_restore(ha: Lab, tmp_path: Path) -> None:
    file = tmp_path / "etcd.db"
    ha.kubectl("create", "configmap", "before").ok()
    ha.project.run("stacklab", "etcd", "backup", ha.stack, "-o", str(file)).ok()
    assert file.stat().st_mode & 0o777 == 0o600
    ha.kubectl("create", "configmap", "after").ok()
    ha.project.run("stacklab", "etcd", "restore", ha.stack, str(file), "--yes", timeout=400).ok()
    names = {one["metadata"]["name"] for one in ha.get("configmaps")["items"]}
    assert "before" in names
    assert "after" not in names
    all_ready(ha, "m1", "m2", "w1")
    runs_a_pod(ha, "restored")


def test_another_master_joins(ha: Lab, made: Machines) -> None:
    ha.spec["masters"] = spec(made, 3, 1)["masters"]
    ha.up().ok()
    all_ready(ha, "m1", "m2", "m3", "w1")
    assert etcd_members(made, "m1") == ["m1", "m2", "m3"]
    for name in ("m1", "m2", "m3"):
        assert made.addresses["m3"] in made.ssh(name, "cat /etc/stacklab/haproxy.cfg").stdout, name
    ha.kubectl("get", "--raw=/readyz", f"--server=https://{made.addresses['m3']}:6443").ok()


def test_the_pods_range_cannot_be_changed_in_place(ha: Lab) -> None:
    wanted = {**network(SUBNET), "endpoint": f"vip:{VIP}", "pods": "10.32.0.0/16"}
    said = "the pods' range cannot be changed in place (10.244.0.0/16 -> 10.32.0.0/16)"
    refused_in_a_preview(ha, {"network": wanted}, said)


def test_after_destroy_the_machines_are_empty_again(ha: Lab, made: Machines) -> None:
    ha.destroy().ok()
    for name in ("m1", "m2", "m3", "w1"):
        left = made.ssh(name, "ls -d /etc/kubernetes /etc/stacklab /var/lib/stacklab /root/.kube", check=False)
        assert left.stdout == "", name
        assert "# stacklab" not in made.ssh(name, "cat /etc/hosts").stdout
        assert VIP not in made.ssh(name, "ip -4 -o addr show").stdout
    ha.receipt().ok()


# -- an etcd of its own --------------------------------------------------------------------------------------------


@pytest.mark.long
def test_an_etcd_of_its_own_on_three_machines(project: Project, made: Machines, tmp_path: Path) -> None:
    with lab_of(project, "etcd5", spec(made, 1, 2, etcd=["m1", "w1", "w2"])) as lab:
        lab.up().ok()
        all_ready(lab, "m1", "w1", "w2")
        assert made.ssh("m1", "ls /etc/kubernetes/manifests").stdout.split() == [
            "kube-apiserver.yaml",
            "kube-controller-manager.yaml",
            "kube-scheduler.yaml",
        ]
        made.cut("w2")
        lab.kubectl("create", "configmap", "two-of-three").ok()
        made.start("w2")
        file = tmp_path / "etcd.db"
        lab.project.run("stacklab", "etcd", "backup", lab.stack, "-o", str(file)).ok()
        lab.destroy().ok()
        assert made.ssh("w1", "systemctl is-active stacklab-etcd", check=False).stdout.strip() != "active"


# -- another version of Kubernetes ---------------------------------------------------------------------------------


@pytest.mark.long
def test_an_upgrade_goes_node_by_node(project: Project, made: Machines) -> None:
    with lab_of(project, "upgrade5", spec(made, 2, 1, kubernetes=BEFORE)) as lab:
        lab.up().ok()
        all_ready(lab, "m1", "m2", "w1")
        lab.spec["kubernetes"] = AFTER
        said = lab.up().ok().output
        assert f"m1: kubeadm upgrade apply v{AFTER}" in said
        assert "m2: kubeadm upgrade node" in said
        assert said.index("m2: kubelet") < said.index("w1: kubelet")
        all_run(lab, AFTER, "m1", "m2", "w1")
        lab.unchanged().ok()
