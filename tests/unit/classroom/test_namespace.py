"""What a student has in a shared lab, as Kubernetes would be told it (UPDATE_GOLDEN=1 rewrites the golden file)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.base.kubeconfig import Access
from modules.classroom.model import Shared
from modules.classroom.namespace import Tenant, kubeconfig, objects, own_apps
from modules.manifests import identity
from modules.manifests.objects import WORKLOADS
from modules.topology.parse import parse
from tests.unit.classroom.conftest import TEMPLATE, Make
from tests.unit.topology.small import KNOWN

GOLDEN = Path(__file__).parent / "golden"


def tenant(make: Make, student: str = "s07", **keys: Any) -> Tenant:
    made = make(roster=[{"id": student}], tenancy="namespace", **keys)
    apps = own_apps(made.usual.spec.apps, student)
    return Tenant(made.name, student, f"cka-{student}", made.spec.shared, apps)


def test_everything_a_student_has(make: Make) -> None:
    text = yaml.safe_dump_all(objects(tenant(make)), sort_keys=False, width=110)
    text = re.sub(r"(?<=/echo:)[0-9a-f]{12}", "<hash of its source>", text)
    file = GOLDEN / "namespace.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def test_nothing_lies_outside_but_what_is_named_after_the_namespace(make: Make) -> None:
    for obj in objects(tenant(make)):
        this = identity(obj)
        assert this.namespace == "cka-s07" or this.name.startswith("cka-s07"), this
        assert obj["metadata"]["labels"]["stacklab.io/student"] == "s07"


def test_two_students_share_no_object_and_no_host_name(make: Make) -> None:
    one, other = objects(tenant(make, "s07")), objects(tenant(make, "s08"))
    assert not {identity(obj) for obj in one} & {identity(obj) for obj in other}
    hosts = [
        {rule["host"] for obj in found if obj["kind"] == "Ingress" for rule in obj["spec"]["rules"]}
        for found in (one, other)
    ]
    assert hosts == [{"s07.kubia.example.com"}, {"s08.kubia.example.com"}]


def test_ports_and_addresses_of_the_machines_stay_everybodys(make: Make) -> None:
    services = [obj for obj in objects(tenant(make)) if obj["kind"] == "Service"]
    assert services
    assert {obj["spec"]["type"] for obj in services} == {"ClusterIP"}


def test_the_role_cannot_raise_itself(make: Make) -> None:
    (role,) = [obj for obj in objects(tenant(make)) if obj["kind"] == "Role"]
    writable = {
        resource
        for rule in role["rules"]
        for resource in rule["resources"]
        if {"create", "update", "patch", "delete", "*"} & set(rule["verbs"])
    }
    never = {"roles", "rolebindings", "serviceaccounts", "serviceaccounts/token", "networkpolicies", "resourcequotas"}
    never |= {"limitranges", "endpoints", "endpointslices", "*", "pods/ephemeralcontainers"}
    assert not writable & never
    assert all("*" not in rule["verbs"] and "*" not in rule["apiGroups"] for rule in role["rules"])
    assert not {"impersonate", "bind", "escalate"} & {verb for rule in role["rules"] for verb in rule["verbs"]}


@pytest.mark.parametrize("workload", ["deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob"])
def test_pods_of_every_workload_are_let_in_by_restricted(make: Make, workload: str) -> None:
    app = {"name": "a", "workload": workload}
    found = objects(tenant(make, template_data={**TEMPLATE, "apps": [app]}))
    (obj,) = [obj for obj in found if obj["kind"] in WORKLOADS]
    spec = obj["spec"]["jobTemplate"]["spec"] if workload == "cronjob" else obj["spec"]
    pod = spec["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not pod["automountServiceAccountToken"]


def test_without_an_ingress_nobody_comes_in_from_outside(make: Make) -> None:
    app = {"name": "a", "expose": [{"clusterip": {}}]}
    found = objects(tenant(make, template_data={**TEMPLATE, "apps": [app]}))
    assert "from-ingress" not in {obj["metadata"]["name"] for obj in found}
    (hosts,) = [
        o for o in found if o["kind"] == "ValidatingAdmissionPolicy" and o["metadata"]["name"].endswith("hosts")
    ]
    assert "(false)" in hosts["spec"]["validations"][0]["expression"]


def test_the_share_is_that_of_the_class_file(make: Make) -> None:
    found = objects(tenant(make, shared={"cpu": 0.5, "memory": "512MiB", "pods": 4}))
    (share,) = [obj for obj in found if obj["metadata"]["name"] == "share"]
    hard = share["spec"]["hard"]
    assert (hard["requests.cpu"], hard["limits.memory"], hard["pods"]) == ("500m", "512Mi", "4")
    (limits,) = [obj for obj in found if obj["kind"] == "LimitRange"]
    assert limits["spec"]["limits"][0]["default"]["memory"] == "64Mi"


def test_the_kubeconfig_is_the_students_own(make: Make) -> None:
    text = kubeconfig(tenant(make), Access("https://127.0.0.1:6443", "CA", "g"), "secret")
    document = yaml.safe_load(text)
    assert document["contexts"][0]["context"] == {"cluster": "cka-s07", "user": "s07", "namespace": "cka-s07"}
    assert document["users"] == [{"name": "s07", "user": {"token": "secret"}}]


def test_the_default_share_is_a_lab_for_small_apps() -> None:
    lab = parse(TEMPLATE, KNOWN)
    assert Shared().memory >= 8 * 32 * 1024**2
    assert Shared().pods >= sum(app.replicas for app in lab.apps)
