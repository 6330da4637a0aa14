#!/bin/sh
# Installs the Debian packages of the test labs (containers, batch systems, virtual machines).
#
# A quick no-op when all are there.  It never starts a daemon: the labs start their own and stop them.
# Off Debian, or without root, it says so and exits 0: the tests that need a missing component are
# then skipped, each with its reason.
set -eu

# One package a line, sorted, so that additions merge without conflict.
packages='
attr
binfmt-support
buildah
busybox-static
ca-certificates
catatonit
chromium
clang
crun
debootstrap
docker.io
faketime
fuse-overlayfs
fuse3
g++-aarch64-linux-gnu
g++-powerpc64le-linux-gnu
gcc-aarch64-linux-gnu
gcc-powerpc64le-linux-gnu
iproute2
iptables
libc6-dev-arm64-cross
libc6-dev-ppc64el-cross
libamdhip64-5
libclang-rt-14-dev
libscitokens0
munge
nginx-light
nordugrid-arc-plugins-needed
podman
postgresql-15
procps
python3-nordugrid-arc
qemu-system-arm
qemu-system-ppc
qemu-system-x86
qemu-user-static
runc
slurm-client
slurmctld
slurmd
squashfs-tools
squashfuse
squid
tzdata
uidmap
voms-clients
xrootd-client
xrootd-scitokens-plugins
xrootd-server
xrootd-server-plugins
xrootd-voms-plugins
xz-utils
'

# Named on the command line: what only one lab needs, such as a compiler of half a gigabyte.
packages="$packages $*"

say() { printf 'install-components: %s\n' "$*"; }

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    say 'this is not a Debian machine; the lab tests will be skipped where a component is missing.'
    exit 0
fi

# One query for all; a package that dpkg never heard of is simply not in the answer.
# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages 2>/dev/null | sed -n 's/ installed$//p') || true
missing=
for package in $packages; do
    printf '%s\n' "$installed" | grep -qxF -- "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    say 'all packages are there.'
    exit 0
fi

if [ "$(id -u)" != 0 ]; then
    say "not root, so these were not installed:$missing"
    say 'the lab tests that need them will be skipped; run this script as root to have them.'
    exit 0
fi

# A policy-rc.d that forbids starts keeps the packages' own services down; an existing one is respected.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    made_policy=yes
fi
cleanup() { [ -z "$made_policy" ] || rm -f "$policy"; }
trap cleanup EXIT

# man-db's index would be rebuilt once per group of packages, and no test reads a manual.
rm -f /var/lib/man-db/auto-update

export DEBIAN_FRONTEND=noninteractive
# Another apt may be at work: wait for its lock (seconds) rather than fail.
lock_wait='-o DPkg::Lock::Timeout=600'
say "installing:$missing"
# shellcheck disable=SC2086
apt-get $lock_wait update -q >/dev/null || say 'apt-get update failed; trying with the lists at hand.'
# shellcheck disable=SC2086
if ! apt-get $lock_wait install -y -q --no-install-recommends $missing >/dev/null; then
    say 'apt-get could not install them all; the tests of the missing ones will be skipped.' >&2
fi
