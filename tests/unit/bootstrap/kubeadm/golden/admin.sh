set -e
umask 077
mkdir -p /root/.kube
cat /etc/kubernetes/admin.conf >/root/.kube/config.stacklab
mv -f /root/.kube/config.stacklab /root/.kube/config
umask 022
mkdir -p /etc/bash_completion.d
kubectl completion bash >/etc/bash_completion.d/kubectl.stacklab && mv -f /etc/bash_completion.d/kubectl.stacklab /etc/bash_completion.d/kubectl
if ! grep -qs '^# stacklab kubectl begin$' /root/.bashrc; then
    cat >>/root/.bashrc <<'END'
# stacklab kubectl begin
[ ! -r /usr/share/bash-completion/bash_completion ] || . /usr/share/bash-completion/bash_completion
[ ! -r /etc/bash_completion.d/kubectl ] || . /etc/bash_completion.d/kubectl
# stacklab kubectl end
END
fi
