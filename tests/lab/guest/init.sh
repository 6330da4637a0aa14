#!/bin/busybox sh
# First process of a lab machine: makes of the unpacked initramfs what a job expects of a node, then serves
# the host's commands on the console until it is told to stop.
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export PATH
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo '+cpu +cpuset +memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
hostname "$(sed -n 's/.*lab_name=\([^ ]*\).*/\1/p' /proc/cmdline)"
ifconfig lo 127.0.0.1 up
python3.11 -IS /lab/guest.py
poweroff -f
