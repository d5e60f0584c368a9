#!/bin/sh
# Runs before kind's own entrypoint.
#
# cgroup v1: systemd would mount every controller that /proc/cgroups lists and the kernel has a hierarchy for, but kind
# makes the kubelet's groups only in those that are mounted by now, and the kubelet then refuses to start. So systemd is
# shown the mounted ones only. On cgroup v2 there is nothing to do.
if [ ! -f /sys/fs/cgroup/cgroup.controllers ]; then
  shown=/kind/mounted-cgroups
  if awk '
    FILENAME == "/proc/self/mountinfo" {
      if ($(NF - 2) == "cgroup" && index($5, "/sys/fs/cgroup/") == 1) {
        count = split($NF, options, ",")
        for (i = 1; i <= count; i++) mounted[options[i]] = 1
      }
      next
    }
    /^#/ || $1 in mounted { print }
  ' /proc/self/mountinfo /proc/cgroups >"$shown" && [ "$(wc -l <"$shown")" -gt 1 ]; then
    mount --bind "$shown" /proc/cgroups || echo "WARN: /proc/cgroups is shown as it is" >&2
  fi
fi
exec /usr/local/bin/entrypoint "$@"
