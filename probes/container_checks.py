"""The catalogue of the container checks: CNT-01 to CNT-08."""

from __future__ import annotations

from probes.spec import Bound, Check

CHECKS = (
    Check(
        id="CNT-01",
        title="user namespaces",
        rule="OK if unshare(CLONE_NEWUSER) works for an ordinary user. WARNING if only a set-user-id "
        "runtime can do without, or if they work for root or without capabilities only. CRITICAL if they "
        "do not work and nothing else starts containers.",
        origin="glideinWMS; EGI CSIRT advisories; apptainer/apptainer#2360, #3753; dmwm/CRABServer#7631",
        hint="EL: `sysctl -w user.max_user_namespaces=15000` and in /etc/sysctl.d; Debian: "
        "kernel.unprivileged_userns_clone=1; Ubuntu: install Apptainer's AppArmor profile; in a container "
        "engine: a seccomp profile that allows unshare",
        why="A CMS pilot starts each payload in an Apptainer container. Without privileges that takes a "
        "user namespace, which sysctls, AppArmor, SELinux, seccomp and chroot can each forbid: only the "
        "attempt proves it. A site that switched them off has had all its CMS jobs fail.",
    ),
    Check(
        id="CNT-02",
        title="network namespaces",
        rule="OK if user.max_net_namespaces is 0 or something here needs them; WARNING if users may make "
        "them on a node without a container engine.",
        origin="EGI CSIRT advice of 2022-10-19",
        hint="echo 'user.max_net_namespaces = 0' > /etc/sysctl.d/90-net-namespaces.conf && sysctl "
        "--system, unless rootless Podman or Kubernetes runs here",
        why="Most kernel holes of the last years that user namespaces opened needed a network namespace "
        "as well. Apptainer needs none, so closing them costs CMS jobs nothing.",
    ),
    Check(
        id="CNT-03",
        title="pilot's runtime",
        rule="OK if an Apptainer or Singularity answers and can start without privileges; WARNING if only "
        "its set-user-id mode can work; CRITICAL if none works.",
        origin="glideinWMS (search order); CMS SAM wn_apptainer",
        hint="install Apptainer (`dnf install apptainer` from EPEL, without apptainer-suid), or mount "
        "oasis.opensciencegrid.org, which has a copy",
        why="The pilot looks for it in an override, in SINGULARITY_BIN, on PATH and in CVMFS. If none of "
        "them works, it takes no CMS payload. Set-user-id starters are root for a moment, which is why "
        "sites drop them.",
    ),
    Check(
        id="CNT-04",
        title="image starts",
        rule="OK if a tiny payload runs in the first test image that exists; CRITICAL if it fails, by "
        "exit status or by FATAL on standard error; UNKNOWN if it does not end in time.",
        origin="CMS PSST; OSG; glideinWMS",
        hint="run the command of the evidence by hand; check that the image's CVMFS repository is mounted "
        "and that overlay or underlay is enabled in apptainer.conf",
        why="A runtime that answers --version can still fail on a real image: no FUSE, no overlay, a bind "
        "that is not there, an image whose repository does not answer.",
    ),
    Check(
        id="CNT-05",
        title="SIF images",
        rule="OK if a SIF image can be mounted without privileges; WARNING if it would be unpacked first.",
        origin="OSG; Apptainer's documentation of unprivileged SIF mounts",
        hint="load the module fuse, let users open /dev/fuse, install squashfuse; the kernel must be 4.18 "
        "or newer",
        why="Without squashfuse and /dev/fuse Apptainer unpacks the whole image into a sandbox for every "
        "start: minutes and gigabytes for a CMS image. Images that lie unpacked in CVMFS do not need it.",
        bounds=(
            Bound(
                name="warn_below_kernel",
                default="4.18",
                origin="Linux 4.18 allows FUSE mounts in user namespaces; Apptainer's requirement",
            ),
        ),
    ),
    Check(
        id="CNT-06",
        title="namespace mode",
        rule="Information: privileged, unprivileged or fakeroot, from /proc/self/uid_map.",
        origin="glideinWMS (GWMS_SINGULARITY_MODE; glideinwms#395 for its parsing)",
        hint="nothing to mend",
        why="It says how the container around us was started, and so what nested containers can do.",
    ),
    Check(
        id="CNT-07",
        title="privileges",
        rule="Information: no_new_privs, seccomp, effective capabilities and /dev/fuse; it explains "
        "CNT-01 and CNT-03.",
        origin="sitecap",
        hint="nothing to mend",
        why="With no_new_privs no set-user-id starter works; a seccomp filter may refuse unshare or "
        "mount; both are usual inside containers and pods.",
    ),
    Check(
        id="CNT-08",
        title="runtime's scratch",
        rule="WARNING if less is free where the runtime caches and unpacks images.",
        origin="OSG (SINGULARITY_DISK_IS_FULL)",
        hint="free space there, or set APPTAINER_CACHEDIR to a directory on a larger disk",
        why="A runtime whose cache is full fails in the middle of an image, and the job with it.",
        bounds=(
            Bound(
                name="warn_below_bytes",
                default=5_000_000_000,
                origin="OSG: SINGULARITY_DISK_IS_FULL below 5 GB",
            ),
        ),
    ),
)
