#!/bin/sh
# Runs as the first process of fresh mount, PID, network, UTS and IPC namespaces; when it dies, all of the pool dies.
#
# usage: start.sh TREE FOLDER CONFIG [SOURCE TARGET]...
#   TREE     a root tree with HTCondor, which stays as it is: it is the lower half of an overlay
#   FOLDER   for the upper half
#   CONFIG   the pool's configuration
#   SOURCE   is bind-mounted read-only at TARGET
set -eu
tree=$1
folder=$2
config=$3
shift 3

mount --make-rprivate /
mkdir -p "$folder/upper" "$folder/work" "$folder/root"
root=$folder/root
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
cp "$config" "$root/etc/condor/config.d/99-lab.config"
printf '127.0.0.1 wn.lab wn localhost\n' >"$root/etc/hosts"
while [ $# -gt 0 ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    mount -o remount,bind,ro "$root$2"
    shift 2
done
ip link set lo up
hostname wn

# pivot_root and not chroot: inside a chroot the kernel refuses user namespaces, which jobs may want to try.
mkdir -p "$root/old"
cd "$root"
pivot_root . old
umount -l /old
cd /
useradd --create-home --shell /bin/sh pilot
install -d -o condor -g condor /run/condor /var/lock/condor /var/log/condor
condor_master -f &
# Not exec: the first process of a PID namespace has to reap orphans, which a shell does and the master does not.
wait
