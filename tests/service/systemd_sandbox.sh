#!/usr/bin/env bash
# A real systemd as PID 1 of its own namespaces, on an overlay of / that a tmpfs takes the writes of.
#   systemd_sandbox.sh up DIR [SRC:DEST ...]   boot; each folder SRC is bound read-only at DEST
#   systemd_sandbox.sh run DIR COMMAND...      run a command inside
#   systemd_sandbox.sh down DIR                stop it
# /run, /tmp, /dev and the network are its own, and the host's enabled units stay out. Needs root.
set -euo pipefail

VOID_UNITS=(systemd-{udevd,udev-trigger,timesyncd,modules-load,sysctl,remount-fs,firstboot,networkd,pstore}.service
  getty.target dev-{hugepages,mqueue}.mount sys-kernel-{debug,tracing,config}.mount sys-fs-fuse-connections.mount
  proc-sys-fs-binfmt_misc.automount systemd-udevd-{control,kernel}.socket tmp.mount e2scrub_reap.service)
V1_CONTROLLERS=(memory pids cpu cpuacct devices)

boot_inside() {  # as PID 1 of the new namespaces; becomes systemd
  local base=$1/mnt root=$1/mnt/root name bind; shift
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$base"; mkdir "$base"/{up,work,root}
  mount -t overlay overlay -o "lowerdir=/,upperdir=$base/up,workdir=$base/work" "$root"
  ip link set lo up
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  else
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"; mkdir "$root"/sys/fs/cgroup/{unified,systemd}
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    for name in "${V1_CONTROLLERS[@]}"; do
      mkdir "$root/sys/fs/cgroup/$name"
      mount -t cgroup -o "$name" cgroup "$root/sys/fs/cgroup/$name" 2>/dev/null || rmdir "$root/sys/fs/cgroup/$name"
    done
  fi
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for name in null zero full random urandom tty; do
    touch "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"
  done
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"; mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  for bind in "$@"; do mkdir -p "$root/${bind#*:}"; mount --bind -o ro "${bind%%:*}" "$root/${bind#*:}"; done
  rm -rf "$root"/etc/systemd/system/*.wants
  for name in "${VOID_UNITS[@]}"; do ln -sf /dev/null "$root/etc/systemd/system/$name"; done
  : > "$root/etc/fstab"; echo sandbox > "$root/etc/hostname"; : > "$root/etc/machine-id"
  cd "$root"; mkdir -p .old; pivot_root . .old; umount -l /.old; rmdir /.old 2>/dev/null || true
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 container=sandbox \
    TERM=dumb /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal-or-kmsg
}

boot() {  # own control groups, then the namespaces
  local state=$1 name=rblntop-test-$$ parent
  : > "$state/cgroups"
  for parent in /sys/fs/cgroup /sys/fs/cgroup/{unified,systemd} "${V1_CONTROLLERS[@]/#//sys/fs/cgroup/}"; do
    [ -e "$parent/cgroup.procs" ] || continue
    mkdir -p "$parent/$name"; echo $$ > "$parent/$name/cgroup.procs"; echo "$parent/$name" >> "$state/cgroups"
  done
  exec unshare --pid --fork --kill-child --mount --cgroup --uts --ipc --net "$self" boot-inside "$@"
}

self=$(realpath "$0"); verb=$1; state=$(realpath -m "$2"); shift 2
case $verb in
  up)
    mkdir -p "$state/mnt"
    setsid "$self" boot "$state" "$@" > "$state/console.log" 2>&1 < /dev/null &
    unshare=$!
    for _ in $(seq 500); do
      pid=$(pgrep -x systemd -P "$unshare" || true); [ -n "$pid" ] && break
      kill -0 "$unshare" 2>/dev/null || break; sleep 0.02
    done
    [ -n "${pid:-}" ] || { tail -n 5 "$state/console.log" >&2; echo "systemd did not start" >&2; exit 1; }
    echo "$pid" > "$state/init.pid"
    for _ in $(seq 400); do
      case $("$self" run "$state" systemctl is-system-running 2>/dev/null || true) in
        running | degraded) exit 0 ;;
      esac
      sleep 0.05
    done
    echo "systemd did not settle" >&2; exit 1 ;;
  run)
    exec nsenter -t "$(cat "$state/init.pid")" -m -p -C -u -i -n -r -w env -i \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 SYSTEMD_PAGER= "$@" ;;
  down)
    pid=$(cat "$state/init.pid"); kill -s RTMIN+4 "$pid" 2>/dev/null || true
    for _ in $(seq 60); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
    for _ in $(seq 20); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    while read -r group; do  # empty as soon as the last process is reaped
      for _ in $(seq 40); do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [ -d "$group" ] || break; sleep 0.05
      done
    done < "$state/cgroups" ;;
  boot) boot "$state" "$@" ;;
  boot-inside) boot_inside "$state" "$@" ;;
esac
