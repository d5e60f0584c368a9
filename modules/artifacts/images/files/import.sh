# Functions, put before the script that uses them: containerd in a container, to take image archives into a store.
#
# own/*.tar of the folder given: images made here, unpacked now. foreign/*.tar: images made elsewhere.
import_images() { # STORE FOLDER [OPTION FOR FOREIGN]
  mkdir -p "$1"
  containerd --root "$1" --state /run/containerd --log-level warn >/run/containerd.log 2>&1 &
  daemon=$!
  tries=0
  until ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$daemon" 2>/dev/null; then
      cat /run/containerd.log >&2
      exit 1
    fi
    sleep 0.1
  done
  for archive in "$2"/own/*.tar; do
    if [ -e "$archive" ]; then add_archive --discard-unpacked-layers "$archive"; fi
  done
  for archive in "$2"/foreign/*.tar; do
    if [ -e "$archive" ]; then add_archive ${3:-} "$archive"; fi
  done
  # Removing a lease and waiting for it runs the garbage collector: packed layers that are unpacked go.
  ctr --namespace k8s.io leases create --id stacklab >/dev/null
  ctr --namespace k8s.io leases delete --sync stacklab >/dev/null
  kill "$daemon"
  wait "$daemon" || true
  rm -rf /run/containerd
}

add_archive() {
  ctr --namespace k8s.io images import --local --label io.cri-containerd.pinned=pinned "$@"
}
