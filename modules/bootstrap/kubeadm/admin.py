"""kubectl for root on the masters: a kubeconfig of its own (0600), and completion. Pure text."""

from __future__ import annotations

from modules.bootstrap.steps import journal

KUBECONFIG = "/root/.kube/config"
COMPLETION = "/etc/bash_completion.d/kubectl"
BASHRC_BEGIN = "# stacklab kubectl begin"
BASHRC_END = "# stacklab kubectl end"


def script() -> str:
    """Idempotent. The completion is read by root's own shell too, where no bash-completion package is."""
    return f"""\
(
{journal.keep([KUBECONFIG, COMPLETION])})
set -e
umask 077
mkdir -p /root/.kube
cat /etc/kubernetes/admin.conf >{KUBECONFIG}.stacklab
mv -f {KUBECONFIG}.stacklab {KUBECONFIG}
umask 022
mkdir -p /etc/bash_completion.d
kubectl completion bash >{COMPLETION}.stacklab && mv -f {COMPLETION}.stacklab {COMPLETION}
if ! grep -qs '^{BASHRC_BEGIN}$' /root/.bashrc; then
    cat >>/root/.bashrc <<'END'
{BASHRC_BEGIN}
[ ! -r /usr/share/bash-completion/bash_completion ] || . /usr/share/bash-completion/bash_completion
[ ! -r {COMPLETION} ] || . {COMPLETION}
{BASHRC_END}
END
fi
"""
