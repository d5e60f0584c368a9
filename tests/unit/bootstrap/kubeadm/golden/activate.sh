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
keep /usr/local/bin/kubeadm
keep /usr/local/bin/kubectl
keep /usr/local/bin/kubelet

test -x /opt/stacklab/kubernetes/1.36.3/kubeadm
ln -sfn /opt/stacklab/kubernetes/1.36.3/kubeadm /usr/local/bin/kubeadm.stacklab && mv -fT /usr/local/bin/kubeadm.stacklab /usr/local/bin/kubeadm
test -x /opt/stacklab/kubernetes/1.36.3/kubectl
ln -sfn /opt/stacklab/kubernetes/1.36.3/kubectl /usr/local/bin/kubectl.stacklab && mv -fT /usr/local/bin/kubectl.stacklab /usr/local/bin/kubectl
test -x /opt/stacklab/kubernetes/1.36.3/kubelet
ln -sfn /opt/stacklab/kubernetes/1.36.3/kubelet /usr/local/bin/kubelet.stacklab && mv -fT /usr/local/bin/kubelet.stacklab /usr/local/bin/kubelet
