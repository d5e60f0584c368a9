# Runs once, in a container of the node image to be (kind's or minikube's): puts the images into containerd's store.
#
# /stacklab/own/*.tar      images made here: unpacked now, so that no node has to do it. Their files go to /kind/snapshots
#                          in the image's own layers, which all nodes share; a node's /var, a volume that the engine
#                          fills by copying, only gets links to them.
# /stacklab/foreign/*.tar  images made elsewhere: kept packed, as their layers may hold whiteouts, which an overlay
#                          file system refuses to take in as files.
# /stacklab/build          a volume: containerd's overlays cannot lie on the container's own.
# /stacklab/entrypoint     what runs before kind's entrypoint, when the image does not have it yet.
set -eu
build=/stacklab/build/containerd
store=/var/lib/containerd
snapshots=io.containerd.snapshotter.v1.overlayfs/snapshots
log=/stacklab/build/log

if [ -e /stacklab/entrypoint ]; then
  install -m 0755 /stacklab/entrypoint /usr/local/bin/stacklab-entrypoint
fi

mkdir -p "$build" "$store" /kind/snapshots
cp -a "$store/." "$build/"

if [ -d /kind/bin ] && [ ! -e /etc/containerd/cri-base.json ]; then
  ctr oci spec |
    jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' \
      >/etc/containerd/cri-base.json
fi

containerd --root "$build" --state /run/containerd --log-level warn >"$log" 2>&1 &
daemon=$!
tries=0
until ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ] || ! kill -0 "$daemon" 2>/dev/null; then
    cat "$log" >&2
    exit 1
  fi
  sleep 0.1
done

add() {
  ctr --namespace k8s.io images import --local --label io.cri-containerd.pinned=pinned "$@"
}
for archive in /stacklab/own/*.tar; do
  if [ -e "$archive" ]; then add --discard-unpacked-layers "$archive"; fi
done
for archive in /stacklab/foreign/*.tar; do
  if [ -e "$archive" ]; then add --no-unpack "$archive"; fi
done
# Removing a lease and waiting for it runs the garbage collector: packed layers that are unpacked go.
ctr --namespace k8s.io leases create --id stacklab >/dev/null
ctr --namespace k8s.io leases delete --sync stacklab >/dev/null

kill "$daemon"
wait "$daemon" || true

for files in "$build/$snapshots"/*/fs; do
  [ -d "$files" ] && [ ! -L "$files" ] || continue
  snapshot=$(basename "$(dirname "$files")")
  cp -a "$files" "/kind/snapshots/$snapshot"
  rm -rf "$files"
  ln -s "/kind/snapshots/$snapshot" "$files"
done
rm -rf "$store" /run/containerd
cp -a "$build" "$store"
