"""One lab that all students share: what each has, and that nobody gets at what is another's.

Every attempt is made with one student's own credentials, or from inside that student's own pod.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.base.probe import Answer, wait_for
from modules.manifests.images import baked
from tests.support import classes
from tests.support.classes import SHARED
from tests.support.labs import Lab
from tests.support.project import Project, Ran

CLASS = "tenants"
OWN, OTHER = f"{CLASS}-s01", f"{CLASS}-s02"
REFUSED = re.compile(r"[Ff]orbidden|exceeded quota|violates PodSecurity|denied request|cannot|not allowed")


@pytest.fixture(scope="module")
def school(project: Project, shared: Lab) -> Iterator[Project]:
    classes.write(project, CLASS, ["s01", "s02", "s03"])
    project.run("stacklab", "class", "up", CLASS, timeout=300).ok()
    yield project
    project.run("stacklab", "class", "down", CLASS, timeout=300).ok()


def test_a_preview_of_a_share_that_is_not_there_knows_the_lab_that_all_share(school: Project) -> None:
    file = school.folder / "classes" / f"{CLASS}.yaml"
    before = file.read_text()
    data = yaml.safe_load(before)
    file.write_text(yaml.safe_dump({**data, "roster": [*data["roster"], {"id": "s04"}]}))
    quiet = ("sh", "-c", 'exec "$@" 2>/dev/null', "sh")
    ran = school.run(*quiet, "stacklab", "class", "preview", CLASS, "--only", "s01,s04", "--json").ok()
    file.write_text(before)
    there, new = json.loads(ran.output)["students"]
    assert (there["new"], sorted(there["changes"])) == (False, ["same"])
    assert (new["new"], sorted(new["changes"])) == (True, ["create"])
    assert "s04" not in school.run("pulumi", "stack", "ls").output
    assert not school.stack_file(f"{CLASS}-s04").exists()


class Student:
    """kubectl with a student's own kubeconfig."""

    def __init__(self, school: Project, stack: str, folder: Path) -> None:
        self.school = school
        self.namespace = stack
        self.file = folder / stack
        text = school.pulumi("stack", "output", "kubeconfig", "--show-secrets", stack=stack).ok().output
        self.file.touch(0o600)
        self.file.write_text(text)

    def kubectl(self, *words: str, stdin: Any = None) -> Ran:
        argv = ["kubectl", "--kubeconfig", str(self.file), *words]
        if stdin is None:
            return self.school.run(*argv)
        manifest = self.file.with_suffix(".json")
        manifest.write_text(json.dumps(stdin))
        return self.school.run(*argv, "--filename", str(manifest))

    def asks(self, url: str) -> Ran:
        """From inside the student's own pod."""
        return self.kubectl("exec", "deploy/kubia", "--", "/echo", "get", url)


@pytest.fixture(scope="module")
def ada(school: Project, tmp_path_factory: pytest.TempPathFactory) -> Student:
    return Student(school, OWN, tmp_path_factory.mktemp("ada"))


@pytest.fixture(scope="module")
def alan(school: Project, tmp_path_factory: pytest.TempPathFactory) -> Student:
    return Student(school, OTHER, tmp_path_factory.mktemp("alan"))


def test_everybody_is_reached_by_their_own_name(school: Project) -> None:
    shown = school.run("sh", "-c", f"exec stacklab class verify {CLASS} --json 2>/dev/null", timeout=200).ok()
    checked = json.loads(shown.output)
    assert [one["ok"] for one in checked["students"]] == [True, True, True]
    assert "s02.kubia.example.com" in shown.output


def test_pulumi_by_hand_finds_nothing_to_do(school: Project) -> None:
    """`class up` ran the stack's program in its own process; the stack does not notice."""
    school.pulumi("preview", "--expect-no-changes", stack=OWN).ok()


def test_a_student_works_at_home(ada: Student) -> None:
    assert ada.kubectl("get", "pods", "-o", "name").ok().output.startswith("pod/kubia-")
    ada.kubectl("create", "configmap", "mine", "--from-literal=a=b").ok()
    ada.kubectl("delete", "configmap", "mine").ok()
    ada.asks("http://kubia").ok()


def pod(**spec: Any) -> dict[str, Any]:
    """A pod that all rules let in, but for what is changed."""
    container = {
        "name": "main",
        "image": baked("docker.io/stacklab/echo"),
        "imagePullPolicy": "Never",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            **spec.pop("container", {}),
        },
        **spec.pop("more", {}),
    }
    user = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "attempt"},
        "spec": {"securityContext": {**user, **spec.pop("user", {})}, "containers": [container], **spec},
    }


def ingress(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "attempt"}, "spec": spec}


def service(**spec: Any) -> dict[str, Any]:
    ports = [{"port": 80}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "attempt"}, "spec": {"ports": ports, **spec}}


BACKEND = {"service": {"name": "kubia", "port": {"number": 80}}}
PATHS = {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND}]}
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "attempt"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Gi"}}},
}
WORDS = {
    "read the other's pods": f"get pods -n {OTHER}",
    "read the other's secrets": f"get secrets -n {OTHER}",
    "read the other's configuration": f"get configmaps -n {OTHER}",
    "read the other's logs": f"logs -n {OTHER} deploy/kubia",
    "list everybody's pods": "get pods -A",
    "list everybody's namespaces": "get namespaces",
    "list the machines": "get nodes",
    "list everybody's volumes": "get pv",
    "read the lab's secrets": "get secrets -n kube-system",
    "read the rules of others": "get validatingadmissionpolicies",
    "delete the other's app": f"delete deployment kubia -n {OTHER}",
    "stop the other's app": f"scale deployment kubia -n {OTHER} --replicas=0",
    "write into the other's namespace": f"create configmap mine -n {OTHER}",
    "enter the other's pod": f"exec -n {OTHER} deploy/kubia -- /echo get http://kubia",
    "delete the other's namespace": f"delete namespace {OTHER}",
    "have a namespace more": "create namespace mine",
    "become administrator": f"create clusterrolebinding me --clusterrole=cluster-admin --serviceaccount={OWN}:student",
    "become administrator at home": f"create rolebinding me --clusterrole=admin --serviceaccount={OWN}:student",
    "write roles": "create role more --verb=* --resource=*",
    "drop the network's rules": "delete networkpolicy deny-all",
    "drop the quota": "delete resourcequota share",
    "drop the defaults": "delete limitrange defaults",
    "drop the rules for host names": f"delete validatingadmissionpolicy {OWN}-hosts",
    "lower the security level": f"label namespace {OWN} pod-security.kubernetes.io/enforce=privileged --overwrite",
    "be an administrator": "get nodes --as=admin --as-group=system:masters",
    "be the other student": f"get pods -n {OTHER} --as=system:serviceaccount:{OTHER}:student",
    "have the other's token": f"create token student -n {OTHER}",
    "have a controller's token": "create token default",
    "approve certificates": "get certificatesigningrequests",
    "stop a machine": f"cordon {SHARED}-master",
}
OBJECTS = {
    "a privileged pod": pod(container={"privileged": True, "allowPrivilegeEscalation": True}),
    "a pod of root": pod(user={"runAsUser": 0, "runAsNonRoot": False}),
    "a pod on the machine's network": pod(hostNetwork=True),
    "a pod among the machine's processes": pod(hostPID=True),
    "a pod with the machine's files": pod(volumes=[{"name": "host", "hostPath": {"path": "/"}}]),
    "a pod that pushes others away": pod(priorityClassName="system-node-critical"),
    "a pod of more memory than the share": pod(more={"resources": {"limits": {"memory": "1Gi"}}}),
    "a volume of more than the share": CLAIM,
    "the other's host name": ingress({"rules": [{"host": "s02.kubia.example.com", "http": PATHS}]}),
    "every host name": ingress({"rules": [{"http": PATHS}]}),
    "what no ingress wants": ingress({"defaultBackend": BACKEND}),
    "a port of all machines": service(type="NodePort"),
    "an address of the lab": service(type="LoadBalancer"),
    "somebody's address": service(externalIPs=["10.0.0.1"]),
    "a name that leads elsewhere": service(type="ExternalName", externalName=f"kubia.{OTHER}.svc"),
}


@pytest.mark.parametrize("attempt", WORDS)
def test_no_student_may(ada: Student, attempt: str) -> None:
    tried = ada.kubectl(*WORDS[attempt].split())
    assert tried.code != 0, tried.output
    assert REFUSED.search(tried.output), tried.output


@pytest.mark.parametrize("attempt", OBJECTS)
def test_no_student_has(ada: Student, attempt: str) -> None:
    tried = ada.kubectl("create", stdin=OBJECTS[attempt])
    assert tried.code != 0, tried.output
    assert REFUSED.search(tried.output), tried.output


def test_what_is_refused_is_the_change_alone(ada: Student) -> None:
    """Else the refusals above would say nothing."""
    for good in (pod(), service(), ingress({"rules": [{"host": "my.s01.kubia.example.com", "http": PATHS}]})):
        ada.kubectl("create", stdin=good).ok()
        ada.kubectl("delete", good["kind"], "attempt", "--now").ok()


def answers(asked: Ran) -> bool:
    """Whether anybody was there, friendly or not."""
    seen: dict[str, Any] = json.loads(asked.output.splitlines()[0])
    return bool(seen["status"])


def test_no_pod_reaches_what_is_not_its_own(ada: Student, alan: Student, shared: Lab) -> None:
    alan.asks("http://kubia").ok()
    address = json.loads(alan.kubectl("get", "pods", "-o", "json").ok().output)["items"][0]["status"]["podIP"]
    service_address = json.loads(alan.kubectl("get", "service", "kubia", "-o", "json").ok().output)["spec"]["clusterIP"]
    machine = shared.outputs()["machines"][0]["address"]
    kubernetes = shared.get("service", "kubernetes")["spec"]["clusterIP"]
    reached = [
        url
        for url in (
            f"http://kubia.{OTHER}",
            f"http://{service_address}",
            f"http://{address}:8080",
            "http://kubia.default",
            f"http://{kubernetes}:443/",
            f"http://{machine}:6443/",
            f"http://{machine}:10250/",
            f"http://{shared.exposure('kubia', 'ingress')['address']}/",
        )
        if answers(ada.asks(url))
    ]
    assert reached == []


def test_the_quota_holds_under_load(ada: Student, alan: Student) -> None:
    ada.kubectl("scale", "deployment", "kubia", "--replicas=40").ok()

    def look() -> Answer[str]:
        status = json.loads(ada.kubectl("get", "deployment", "kubia", "-o", "json").ok().output)["status"]
        said = [c["message"] for c in status["conditions"] if c["type"] == "ReplicaFailure"]
        return Answer(said[0] if said else None, json.dumps(status))

    assert "exceeded quota" in wait_for("the quota says no", look, timeout=60, every=1)
    pods = json.loads(ada.kubectl("get", "pods", "-o", "json").ok().output)["items"]
    assert len(pods) <= 6
    alan.asks("http://kubia").ok()
    ada.kubectl("scale", "deployment", "kubia", "--replicas=1").ok()


def test_down_takes_everybodys_share_and_leaves_the_lab(school: Project, shared: Lab) -> None:
    school.run("stacklab", "class", "down", CLASS, timeout=300).ok()
    left = shared.get("namespaces", "-l", f"stacklab.io/class={CLASS}")["items"]
    assert left == []
    assert shared.get("validatingadmissionpolicies", "-l", f"stacklab.io/class={CLASS}")["items"] == []
    shared.verify().ok()
