[ ! -e /etc/systemd/system/stacklab-etcd.service ] || systemctl disable --now --quiet stacklab-etcd.service 2>/dev/null
rm -rf /etc/systemd/system/stacklab-etcd.service /etc/stacklab/etcd.yaml /etc/stacklab/etcd-certs.yaml /etc/stacklab/pki /var/lib/stacklab/etcd /etc/stacklab/etcd.json
systemctl daemon-reload
rmdir /etc/stacklab 2>/dev/null
true
