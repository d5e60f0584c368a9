"""The Pulumi program of a student's share of a lab that is there already (tenancy namespace).

A stack file with `stacklab:tenant` instead of `stacklab:lab` asks for it; `class up` writes such files. The lab is
reached by a StackReference to its stack, whose kubeconfig stays a secret on the way.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from modules.base.errors import InvalidStackError, StacklabError
from modules.base.kubeconfig import read as read_access
from modules.classroom.model import Shared
from modules.classroom.namespace import TOKEN, Tenant, ingress_address, kubeconfig, objects, own_apps
from modules.cluster import PATIENCE, PATIENCE_GONE, PROVIDER_ENVIRONMENT, KubernetesObject, resource_name
from modules.known import known
from modules.manifests import Object, identity
from modules.topology.model import App, Ingress
from modules.topology.parse import parse

KEY = "tenant"
# What comes before what: limits before pods, an account before its token.
_FIRST = ("Namespace", "ServiceAccount", "ResourceQuota", "LimitRange", "NetworkPolicy", "ValidatingAdmissionPolicy")


class Share(BaseModel):
    """`stacklab:tenant` of a student's stack file, as `class up` writes it."""

    model_config = ConfigDict(extra="forbid")

    class_name: str
    student: str
    shared: dict[str, Any]
    lab: dict[str, Any]


def wanted() -> bool:
    """Whether the stack that is being run is a student's share of a lab, and no lab itself."""
    return pulumi.Config("stacklab").get(KEY) is not None


def deploy() -> None:
    """Everything the student has, and what the stack tells about it."""
    if os.environ.get("GRPC_ENABLE_FORK_SUPPORT") != "false":
        raise StacklabError("this shell lacks the lab's environment", hint='eval "$(.venv/bin/stacklab env)"')
    tenant = read(pulumi.get_stack(), pulumi.Config("stacklab").require_object(KEY))
    lab = pulumi.StackReference(f"organization/{pulumi.get_project()}/{tenant.shared.stack}")
    admin: pulumi.Output[str] = pulumi.Output.secret(lab.require_output("kubeconfig"))
    provider = k8s.Provider(
        tenant.namespace,
        kubeconfig=admin,
        # Another cluster under the same stack is one that nothing of this is in.
        cluster_identifier=pulumi.Output.unsecret(admin.apply(_fingerprint)),
        enable_server_side_apply=True,
        delete_unreachable=True,
        opts=pulumi.ResourceOptions(env_var_mappings=PROVIDER_ENVIRONMENT),
    )
    made = _apply(tenant, provider)
    token = made[("Secret", TOKEN)].data.apply(_token)
    pulumi.export("namespace", tenant.namespace)
    pulumi.export("lab", tenant.shared.stack)
    pulumi.export(
        "kubeconfig", pulumi.Output.secret(pulumi.Output.all(admin, token).apply(lambda both: _own(tenant, *both)))
    )
    pulumi.export(
        "exposures", [_exposure(app, e, lab) for app in tenant.apps for e in app.expose if isinstance(e, Ingress)]
    )


def read(stack: str, data: Mapping[str, Any]) -> Tenant:
    """The tenant that a stack file describes."""
    try:
        share = Share.model_validate(dict(data))
        shared = Shared.model_validate(share.shared)
    except ValidationError as error:
        hint = "these files are written by `stacklab class up`: run it again"
        raise InvalidStackError(f"this is not a student's stack: {error}", where=f"stack {stack}", hint=hint) from None
    apps = parse(share.lab, known(), source=f"stacks/Pulumi.{stack}.yaml").apps
    return Tenant(share.class_name, share.student, stack, shared, own_apps(apps, share.student))


def _apply(tenant: Tenant, provider: k8s.Provider) -> Mapping[tuple[str, str], _Object]:
    """Register them; all but the namespace and what lies beside it die with the namespace."""
    made: dict[tuple[str, str], _Object] = {}
    everything = sorted(objects(tenant), key=lambda obj: obj["kind"] not in _FIRST)
    namespace = next(obj for obj in everything if obj["kind"] == "Namespace")
    space = _Object(resource_name("", identity(namespace)), namespace, _options(provider, namespace))
    limits: list[pulumi.Resource] = [space]
    for obj in everything:
        if obj is namespace:
            continue
        this = identity(obj)
        before: list[pulumi.Resource] = [space] if obj["kind"] in _FIRST else list(limits)
        options = _options(provider, obj, before, space if this.namespace else None)
        made[(this.kind, this.name)] = one = _Object(resource_name("", this), obj, options)
        if obj["kind"] in _FIRST:
            limits.append(one)
    return made


def _options(
    provider: k8s.Provider,
    obj: Object,
    before: list[pulumi.Resource] | None = None,
    space: pulumi.Resource | None = None,
) -> pulumi.ResourceOptions:
    gone = PATIENCE if obj["kind"] == "Namespace" else PATIENCE_GONE
    return pulumi.ResourceOptions(
        provider=provider,
        depends_on=before,
        deleted_with=space,
        custom_timeouts=pulumi.CustomTimeouts(create=PATIENCE, update=PATIENCE, delete=gone),
        additional_secret_outputs=["data"] if obj["kind"] == "Secret" else None,
    )


class _Object(KubernetesObject):
    """With the data of a Secret, which the cluster fills in."""

    data: pulumi.Output[Any]

    def __init__(self, name: str, obj: Object, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, {"data": None, **obj} if obj["kind"] == "Secret" else obj, opts)


def _fingerprint(admin: str) -> str:
    return hashlib.sha256(_cluster(admin)["certificate-authority-data"].encode()).hexdigest()[:16]


def _cluster(admin: str) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load(admin)["clusters"][0]["cluster"]
    return found


def _token(data: Mapping[str, str] | None) -> str:
    return base64.b64decode((data or {}).get("token", "")).decode()


def _own(tenant: Tenant, admin: str, token: str) -> str:
    return kubeconfig(tenant, read_access(admin), token)


def _exposure(app: App, exposure: Ingress, lab: pulumi.StackReference) -> pulumi.Output[dict[str, Any]]:
    """A record as labs have it; the address is that of the lab's ingress controller."""
    address = lab.get_output("exposures").apply(ingress_address)
    return pulumi.Output.all(
        app=app.name,
        kind="ingress",
        url=f"http://{exposure.host}{exposure.path}",
        command="",
        host=str(exposure.host),
        address=address,
        port=80,
    ).apply(dict)
