"""A lab as `pulumi stack export` and kubectl tell of it, small: one machine, an app, a Secret, a definition."""

from __future__ import annotations

import copy
import json
from typing import Any

SIGNATURE = "4dabf18193072939515e22adb298388d"
OURS = {"pulumi.com/patchFieldManager": "stacklab"}
BORN = "2026-11-21T09:25:05Z"
LATER = "2026-11-21T10:00:00Z"


def obj(version: str, kind: str, name: str, namespace: str = "", **parts: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "annotations": dict(OURS)}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def container(**parts: Any) -> dict[str, Any]:
    return {
        "name": "kubia",
        "image": "docker.io/stacklab/echo:1",
        "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": "PORT", "value": "8080"}],
        "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
        **parts,
    }


KUBIA = obj(
    "apps/v1",
    "Deployment",
    "kubia",
    "default",
    spec={
        "replicas": 2,
        "selector": {"matchLabels": {"app": "kubia"}},
        "template": {
            "metadata": {"labels": {"app": "kubia"}},
            "spec": {"containers": [container()], "tolerations": [], "hostNetwork": False},
        },
    },
)
SERVICE = obj(
    "v1",
    "Service",
    "kubia",
    "default",
    spec={"selector": {"app": "kubia"}, "ports": [{"port": 80, "targetPort": "http", "nodePort": 30080}]},
)
SETTINGS = obj("v1", "ConfigMap", "settings", "default", data={"mode": "calm"})
PASSWORD = obj("v1", "Secret", "password", "default", data={"word": "aHVudGVyMg=="}, stringData={"more": "written"})
SEALED = obj(
    "v1", "Secret", "sealed", "default", data={SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
)
WEBHOOK = obj(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "hook",
    webhooks=[{"name": "a.example.com", "clientConfig": {"caBundle": "Cg=="}, "timeoutSeconds": 2}],
)
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "pools.example.com", "creationTimestamp": None},
    "spec": {"group": "example.com", "scope": "Namespaced", "preserveUnknownFields": False},
    "status": {"storedVersions": ["v1"]},
}
OBJECTS = (KUBIA, SERVICE, SETTINGS, PASSWORD, SEALED, WEBHOOK)


def _resource(one: dict[str, Any]) -> dict[str, Any]:
    version, metadata = one["apiVersion"], one["metadata"]
    token = version if "/" in version else f"core/{version}"
    where = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return {
        "urn": f"urn:pulumi:pair-s01::stacklab::kubernetes:{token}:{one['kind']}::app/{where}{metadata['name']}",
        "custom": True,
        "id": f"{where}{metadata['name']}",
        "type": f"kubernetes:{token}:{one['kind']}",
        "inputs": one,
        "outputs": {**one, "metadata": {**metadata, "creationTimestamp": BORN}},
    }


def export() -> dict[str, Any]:
    """What Pulumi tells of the stack."""
    definitions = {
        "urn": "urn:pulumi:pair-s01::stacklab::pulumi-python:dynamic/stacklab:Definitions::pools",
        "type": "pulumi-python:dynamic/stacklab:Definitions",
        "id": "lab/pools",
        "inputs": {"name": "pools", "definitions": {"pools.example.com": json.dumps(DEFINITION)}},
    }
    stack = {
        "urn": "urn:pulumi:pair-s01::stacklab::pulumi:pulumi:Stack::stacklab-pair-s01",
        "type": "pulumi:pulumi:Stack",
        "outputs": {
            "kubeconfig": {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:y"},
            "machines": [{"name": "stacklab-pair-s01", "role": "master", "address": "10.208.1.11"}],
        },
    }
    provider = {"urn": "p", "type": "pulumi:providers:kubernetes", "id": "1", "inputs": {"kubeconfig": "x"}}
    going = {**_resource(obj("v1", "ConfigMap", "old", "default")), "delete": True}
    resources = [stack, provider, definitions, going, *(_resource(one) for one in OBJECTS)]
    return copy.deepcopy({"version": 3, "deployment": {"resources": resources}})


def written(one: dict[str, Any], *managers: str, at: str = LATER) -> dict[str, Any]:
    """As kubectl shows it: with who wrote it, and when."""
    found = copy.deepcopy(one)
    found["metadata"].pop("creationTimestamp", None)
    entries = [{"manager": name, "operation": "Update", "fieldsV1": {}} for name in managers]
    status = {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status"}
    found["metadata"] |= {"creationTimestamp": at, "uid": "7", "managedFields": [*entries, status]}
    return found


def live() -> dict[str, dict[str, Any]]:
    """What kubectl shows of the untouched lab: as declared, with all that Kubernetes adds. By kind/name."""
    found = {f"{one['kind']}/{one['metadata']['name']}": written(one, "stacklab", at=BORN) for one in OBJECTS}
    found["CustomResourceDefinition/pools"] = written(DEFINITION, "stacklab", at=BORN)
    kubia = found["Deployment/kubia"]
    kubia["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1"
    kubia["spec"] |= {"progressDeadlineSeconds": 600, "strategy": {"type": "RollingUpdate"}}
    pod = kubia["spec"]["template"]["spec"]
    del pod["tolerations"], pod["hostNetwork"]
    pod |= {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always"}
    pod["containers"][0] |= {
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
        "terminationMessagePath": "/dev/termination-log",
    }
    kubia["status"] = {"replicas": 2, "readyReplicas": 2}
    service = found["Service/kubia"]["spec"]
    service |= {"clusterIP": "10.96.10.1", "type": "NodePort", "sessionAffinity": "None"}
    service["ports"][0] |= {"protocol": "TCP"}
    found["CustomResourceDefinition/pools"]["status"] = {"storedVersions": ["v1", "v2"]}
    del found["Secret/password"]["stringData"]  # write-only: kubectl never shows it
    found["Secret/sealed"]["data"] = {"token": "c2VjcmV0"}
    found["ValidatingWebhookConfiguration/hook"]["webhooks"][0]["clientConfig"]["caBundle"] = "LS0tLS1CRUdJTg=="
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "stacklab-pair-s01"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    found["Node/m"] = written(node, "kubelet", at=BORN)
    return found


def mine(kind: str = "ConfigMap", name: str = "mine", version: str = "v1", **parts: Any) -> dict[str, Any]:
    """An object that a student made by kubectl."""
    one = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "default"}, **parts}
    return written(one, "kubectl-create")
