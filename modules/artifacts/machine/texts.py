"""The files that make a machine fit for kubeadm, as text: the machine image and the steps over SSH take them here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CONTAINERD_CONFIG = "/etc/containerd/config.toml"
REGISTRIES = "/etc/containerd/certs.d"
CRICTL_CONFIG = "/etc/crictl.yaml"
MODULES_FILE = "/etc/modules-load.d/stacklab.conf"
SYSCTLS_FILE = "/etc/sysctl.d/90-stacklab.conf"
CONTAINERD_UNIT = "/etc/systemd/system/containerd.service"
KUBELET_UNIT = "/etc/systemd/system/kubelet.service"
KUBELET_DROP_IN = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
SOCKET = "/run/containerd/containerd.sock"

KERNEL_MODULES = ("overlay", "br_netfilter")

# What pods and Services need: forwarding, and bridged packets seen by iptables.
SYSCTLS: Mapping[str, int] = {
    "net.bridge.bridge-nf-call-ip6tables": 1,
    "net.bridge.bridge-nf-call-iptables": 1,
    "net.ipv4.ip_forward": 1,
}

# Every kubelet, containerd and pod that watches files takes of these; more than that is as good. They belong to the
# kernel, not to a network namespace: a container that sets them sets its host's.
SYSCTLS_AT_LEAST: Mapping[str, int] = {
    "fs.inotify.max_user_instances": 1024,
    "fs.inotify.max_user_watches": 524288,
}


@dataclass(frozen=True)
class Limits:
    """What a machine that is itself a container may lack, or one whose processor is a program.

    cgroup_v1:     the kubelet refuses to start on it unless it is told not to (its configuration, not these files).
    no_oom_adjust: a process may not lower its oom_score_adj.
    emulated:      everything takes ten times as long.
    """

    cgroup_v1: bool = False
    no_oom_adjust: bool = False
    emulated: bool = False


def containerd_config(pause: str, limits: Limits | None = None) -> str:
    """config.toml of containerd 2; pause is the sandbox image, a full reference."""
    restricted = str((limits or Limits()).no_oom_adjust).lower()
    return f"""\
# Written by stacklab.
version = 3

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  discard_unpacked_layers = true

  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{pause}"

  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "{REGISTRIES}"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = {restricted}

  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"

    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        SystemdCgroup = true
"""


def units() -> Mapping[str, str]:
    """Path -> text of the systemd units; both services are to be enabled."""
    return {CONTAINERD_UNIT: _CONTAINERD, KUBELET_UNIT: _KUBELET, KUBELET_DROP_IN: _KUBEADM}


def sysctls() -> str:
    """The sysctl.d file."""
    both = {**SYSCTLS, **SYSCTLS_AT_LEAST}
    return "# Written by stacklab.\n" + "".join(f"{key} = {value}\n" for key, value in sorted(both.items()))


def modules() -> str:
    """The modules-load.d file."""
    return "# Written by stacklab.\n" + "".join(f"{name}\n" for name in KERNEL_MODULES)


def crictl() -> str:
    """crictl.yaml: where containerd listens."""
    return f"""\
# Written by stacklab.
runtime-endpoint: unix://{SOCKET}
image-endpoint: unix://{SOCKET}
timeout: 10
"""


# Pods outlive a restart of containerd: only its own process is stopped, and the groups below it are its own business.
_CONTAINERD = """\
# Written by stacklab.
[Unit]
Description=Containers of the lab (containerd)
After=network.target local-fs.target systemd-modules-load.service
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/local/bin/containerd
Delegate=yes
KillMode=process
OOMScoreAdjust=-999
LimitNOFILE=1048576
TasksMax=infinity
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""

# Before kubeadm has written its configuration there is nothing to start.
_KUBELET = """\
# Written by stacklab.
[Unit]
Description=Kubernetes node agent (kubelet)
Wants=network-online.target
After=network-online.target containerd.service
ConditionPathExists=/var/lib/kubelet/config.yaml
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/local/bin/kubelet
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""

# The names of the variables and files are those that kubeadm writes.
_KUBEADM = """\
# Written by stacklab.
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""
