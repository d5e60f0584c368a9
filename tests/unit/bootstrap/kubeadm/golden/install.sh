set -e
systemctl mask --quiet haproxy.service keepalived.service
if command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends haproxy keepalived curl >/dev/null 2>&1 || {
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends haproxy keepalived curl
    }
elif command -v dnf >/dev/null; then
    dnf install -y -q haproxy keepalived curl
else
    echo "install haproxy keepalived curl here: neither apt-get nor dnf is there" >&2
    exit 1
fi
mkdir -p /var/lib/stacklab
printf '%s\n' haproxy keepalived curl >>/var/lib/stacklab/endpoint-packages
systemctl unmask --quiet haproxy.service keepalived.service; systemctl disable --quiet haproxy.service keepalived.service || true
