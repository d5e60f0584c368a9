if [ -s /var/lib/stacklab/endpoint-packages ]; then
    if command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive xargs apt-get purge -y -qq --autoremove </var/lib/stacklab/endpoint-packages >/dev/null
    else
        xargs dnf remove -y -q </var/lib/stacklab/endpoint-packages >/dev/null
    fi
    rm -f /var/lib/stacklab/endpoint-packages
fi
