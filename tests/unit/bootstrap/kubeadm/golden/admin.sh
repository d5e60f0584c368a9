(
set -e
mkdir -p /var/lib/stacklab/kept; chmod 700 /var/lib/stacklab; touch /var/lib/stacklab/written /var/lib/stacklab/folders
note_folder() {
    [ -e "$1" ] || grep -qxF -- "$1" /var/lib/stacklab/folders || { note_folder "${1%/*}"; echo "$1" >>/var/lib/stacklab/folders; }
}
keep() {
    grep -qxF -- "$1" /var/lib/stacklab/written && return 0
    note_folder "${1%/*}"
    if [ -e "$1" ] || [ -L "$1" ]; then
        mkdir -p "/var/lib/stacklab/kept${1%/*}"
        cp -a "$1" "/var/lib/stacklab/kept$1.part"; mv -fT "/var/lib/stacklab/kept$1.part" "/var/lib/stacklab/kept$1"
    fi
    echo "$1" >>/var/lib/stacklab/written
}
keep /root/.kube/config
keep /etc/bash_completion.d/kubectl
)
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
