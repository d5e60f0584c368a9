# ===== groups of pods
systemctl stop 'cri-containerd-*.scope' 'kubepods*.slice' 2>/dev/null
systemctl reset-failed 'cri-containerd-*.scope' 'kubepods*.slice' 2>/dev/null
true
# ===== images
if [ -f /var/lib/stacklab/images ] && command -v ctr >/dev/null; then
    while read -r reference; do ctr -n k8s.io images rm --sync "$reference" >/dev/null 2>&1 || true; done </var/lib/stacklab/images
fi
rm -f /var/lib/stacklab/images
if [ -f /var/lib/stacklab/written ]; then
    while IFS= read -r path; do
        case $path in /opt/stacklab/images.list*|/opt/stacklab/import.tar*) ;; *) continue ;; esac
        if [ -e "/var/lib/stacklab/kept$path" ] || [ -L "/var/lib/stacklab/kept$path" ]; then
            mv -fT "/var/lib/stacklab/kept$path" "$path" 2>/dev/null || cp -a "/var/lib/stacklab/kept$path" "$path"
        else
            rm -f "$path"
        fi
    done </var/lib/stacklab/written
fi
# ===== containers
if grep -qsxF /usr/local/bin/containerd /var/lib/stacklab/written; then
    systemctl stop containerd 2>/dev/null
    pkill -KILL -f ^/usr/local/bin/containerd-shim 2>/dev/null
    awk '$2 ~ "^/(run|var/lib)/containerd/" {print $2}' /proc/mounts | sort -r |
        while IFS= read -r mount; do umount -l "$mount"; done
    for folder in /var/lib/containerd /run/containerd; do
        [ ! -d $folder ] || find $folder -mindepth 1 -maxdepth 1 -exec rm -rf --one-file-system {} +
    done
fi
true
# ===== services
if [ -f /var/lib/stacklab/units ]; then
    sort -u /var/lib/stacklab/units | while read -r unit; do systemctl disable --now --quiet "$unit" 2>/dev/null || true; done
    rm -f /var/lib/stacklab/units
fi
if [ -f /var/lib/stacklab/written ]; then
    while IFS= read -r path; do
        case $path in /etc/systemd/system/containerd.service*|/etc/systemd/system/kubelet.service*|/etc/systemd/system/kubelet.service.d/10-kubeadm.conf*) ;; *) continue ;; esac
        if [ -e "/var/lib/stacklab/kept$path" ] || [ -L "/var/lib/stacklab/kept$path" ]; then
            mv -fT "/var/lib/stacklab/kept$path" "$path" 2>/dev/null || cp -a "/var/lib/stacklab/kept$path" "$path"
        else
            rm -f "$path"
        fi
    done </var/lib/stacklab/written
fi
systemctl daemon-reload 2>/dev/null || true
systemctl reset-failed containerd kubelet 2>/dev/null || true
# ===== files
if [ -f /var/lib/stacklab/written ]; then
    while IFS= read -r path; do
        case $path in /*) ;; *) continue ;; esac
        if [ -e "/var/lib/stacklab/kept$path" ] || [ -L "/var/lib/stacklab/kept$path" ]; then
            mv -fT "/var/lib/stacklab/kept$path" "$path" 2>/dev/null || cp -a "/var/lib/stacklab/kept$path" "$path"
        else
            rm -f "$path"
        fi
    done </var/lib/stacklab/written
fi
# ===== packages
if [ -f /var/lib/stacklab/packages.before ]; then
    if command -v apt-get >/dev/null; then dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort -u; else rpm -qa --qf '%{NAME}\n' | sort -u; fi >/var/lib/stacklab/packages.before.now
    comm -13 /var/lib/stacklab/packages.before /var/lib/stacklab/packages.before.now >>/var/lib/stacklab/packages
    rm -f /var/lib/stacklab/packages.before /var/lib/stacklab/packages.before.now
fi
if [ -s /var/lib/stacklab/packages ]; then
    if command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive xargs apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 purge </var/lib/stacklab/packages
    else
        xargs dnf -q -y --setopt=clean_requirements_on_remove=0 remove </var/lib/stacklab/packages
    fi
fi
rm -f /var/lib/stacklab/packages
# ===== sysctls
if [ -f /var/lib/stacklab/written ]; then
    while IFS= read -r path; do
        case $path in /etc/sysctl.d/90-stacklab.conf*) ;; *) continue ;; esac
        if [ -e "/var/lib/stacklab/kept$path" ] || [ -L "/var/lib/stacklab/kept$path" ]; then
            mv -fT "/var/lib/stacklab/kept$path" "$path" 2>/dev/null || cp -a "/var/lib/stacklab/kept$path" "$path"
        else
            rm -f "$path"
        fi
    done </var/lib/stacklab/written
fi
if [ -f /var/lib/stacklab/sysctls ]; then
    while read -r name value; do
        echo "$value" >"/proc/sys/$(echo "$name" | tr . /)" 2>/dev/null || true
    done </var/lib/stacklab/sysctls
    rm -f /var/lib/stacklab/sysctls
fi
# ===== kernel modules
if [ -f /var/lib/stacklab/modules ]; then
    sort -ru /var/lib/stacklab/modules | while read -r name; do modprobe -r "$name" 2>/dev/null || true; done
    rm -f /var/lib/stacklab/modules
fi
# ===== firewall
if [ -f /var/lib/stacklab/firewall ]; then
    while IFS= read -r undo; do sh -c "$undo" >/dev/null 2>&1 || true; done </var/lib/stacklab/firewall
    rm -f /var/lib/stacklab/firewall
    if command -v firewall-cmd >/dev/null; then firewall-cmd --reload >/dev/null 2>&1 || true; fi
fi
# ===== SELinux
if grep -qs '^SELINUX=permissive #stacklab' /etc/selinux/config; then
    sed -i 's/^SELINUX=permissive #stacklab/SELINUX=enforcing/' /etc/selinux/config
fi
if [ "$(cat /var/lib/stacklab/selinux 2>/dev/null)" = Enforcing ]; then setenforce 1; fi
rm -f /var/lib/stacklab/selinux
# ===== swap
if grep -qs '^#stacklab# ' /etc/fstab; then sed -i 's/^#stacklab# //' /etc/fstab; fi
if [ -f /var/lib/stacklab/swap ]; then
    while IFS= read -r one; do swapon "$one" 2>/dev/null || true; done </var/lib/stacklab/swap
    rm -f /var/lib/stacklab/swap
fi
# ===== host name
if [ -s /var/lib/stacklab/hostname ]; then
    head -n 1 /var/lib/stacklab/hostname | tr -d '\n' >/proc/sys/kernel/hostname
    tail -n +2 /var/lib/stacklab/hostname >/var/lib/stacklab/hostname.file
    if [ -s /var/lib/stacklab/hostname.file ]; then cat /var/lib/stacklab/hostname.file >/etc/hostname; else rm -f /etc/hostname; fi
    rm -f /var/lib/stacklab/hostname /var/lib/stacklab/hostname.file
fi
# ===== hosts file
if grep -qx '# stacklab cka begin' /etc/hosts && grep -qx '# stacklab cka end' /etc/hosts; then
    rest=$(mktemp)
    sed '/^# stacklab cka begin$/,/^# stacklab cka end$/d' /etc/hosts >"$rest"
    cat "$rest" >/etc/hosts
    rm -f "$rest"
fi
# ===== folders
if [ -f /var/lib/stacklab/folders ]; then
    sort -r /var/lib/stacklab/folders | while IFS= read -r path; do
        case $path in
            /*/*) awk -v p="$path/" 'index($2 "/", p) == 1 {print $2}' /proc/mounts | sort -r |
                      while IFS= read -r mount; do umount -l "$mount" 2>/dev/null || true; done
                  rm -rf --one-file-system -- "$path" ;;
            *) rmdir -- "$path" 2>/dev/null || true ;;
        esac
    done
fi
