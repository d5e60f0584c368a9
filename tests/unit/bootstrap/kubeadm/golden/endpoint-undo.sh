[ ! -e /etc/systemd/system/stacklab-keepalived.service ] || systemctl disable --now --quiet stacklab-keepalived.service 2>/dev/null
[ ! -e /etc/systemd/system/stacklab-haproxy.service ] || systemctl disable --now --quiet stacklab-haproxy.service 2>/dev/null
rm -f /etc/stacklab/haproxy.cfg /etc/systemd/system/stacklab-haproxy.service /etc/stacklab/keepalived.conf /etc/stacklab/check-api /etc/systemd/system/stacklab-keepalived.service
systemctl daemon-reload