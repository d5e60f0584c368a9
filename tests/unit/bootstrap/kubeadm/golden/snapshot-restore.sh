set -e
umask 077
rm -rf /var/lib/stacklab/etcd-restored
/opt/e snapshot restore /run/stacklab/restore.db --name=m1 --initial-cluster=m1=https://10.0.0.1:2380 --initial-cluster-token=t --initial-advertise-peer-urls=https://10.0.0.1:2380 --data-dir=/var/lib/stacklab/etcd-restored --bump-revision=1000000000 --mark-compacted
rm -rf /var/lib/stacklab/etcd-before-restore
[ ! -d /var/lib/etcd/member ] || mv /var/lib/etcd /var/lib/stacklab/etcd-before-restore
rm -rf /var/lib/etcd
mv /var/lib/stacklab/etcd-restored /var/lib/etcd
rm -f /run/stacklab/restore.db
