"""Which container runtime we are in; no mark is believed alone. Part of the context probe.

Marks: Apptainer makes /.singularity.d; Podman /run/.containerenv and container=podman; Docker /.dockerenv;
Kubernetes sets KUBERNETES_SERVICE_HOST and its kubelet mounts files from its own directory. An image can be
unpacked onto a disk and booted as a machine, with its /.dockerenv, and variables leak into inner containers:
so the innermost runtime that has a mark of its own is taken, and /.dockerenv needs a second mark.
"""

from __future__ import annotations

from typing import Final

from probes import mounts
from probes.errors import HostError
from probes.host import Host
from profiles.facts.context import Runtime

APPTAINER_VARIABLES: Final = ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER")
INJECTED: Final = ("/etc/resolv.conf", "/etc/hostname", "/etc/hosts")
"""Files that container engines mount over those of the image."""

OVERLAYS: Final = frozenset({"overlay", "fuse-overlayfs", "fuse.fuse-overlayfs", "aufs"})


def detect(host: Host) -> tuple[Runtime | None, tuple[str, ...]]:
    """The innermost container runtime and the evidence; None if the machine shows nothing to decide by."""
    mounted = _mounts(host)
    groups = host.read_text_or_none("/proc/1/cgroup") or ""
    evidence: list[str] = []
    found: Runtime | None = None
    for runtime, marks in (
        (Runtime.APPTAINER, _apptainer(host)),
        (Runtime.KUBERNETES, _kubernetes(host, mounted, groups)),
        (Runtime.PODMAN, _podman(host)),
        (Runtime.DOCKER, _docker(host, mounted, groups)),
        (Runtime.CONTAINERD, _containerd(mounted, groups)),
    ):
        evidence += marks
        if marks and found is None:
            found = runtime
    if found is None and _dockerenv(host):
        evidence.append(
            "/.dockerenv is there, but the root file system and /etc are not those of a container"
        )
    if found is not None:
        return found, tuple(evidence)
    if not mounted and not groups:
        return None, tuple(evidence)
    return Runtime.NONE, (*evidence, "no mark of a container runtime")


def _apptainer(host: Host) -> list[str]:
    marks = [f"{name} is set" for name in APPTAINER_VARIABLES if _has(host, name)]
    if host.exists("/.singularity.d"):
        marks.append("/.singularity.d is there")
    return marks


def _kubernetes(host: Host, mounted: tuple[mounts.Mount, ...], groups: str) -> list[str]:
    marks = []
    if _has(host, "KUBERNETES_SERVICE_HOST"):
        marks.append("KUBERNETES_SERVICE_HOST is set")
    if "kubepods" in groups:
        marks.append("/proc/1/cgroup: kubepods")
    # A node that runs a kubelet has such mounts too, inside the kubelet's own directory.
    if any("/kubelet/pods/" in m.root and "/kubelet/pods/" not in m.mount_point for m in mounted):
        marks.append("/proc/self/mountinfo: a mount from kubelet/pods")
    return marks


def _podman(host: Host) -> list[str]:
    marks = ["/run/.containerenv is there"] if host.exists("/run/.containerenv") else []
    try:
        if host.env("container") == "podman":
            marks.append("container=podman")
    except HostError:
        pass
    return marks


def _docker(host: Host, mounted: tuple[mounts.Mount, ...], groups: str) -> list[str]:
    marks = []
    if "/docker/" in groups or "/docker-" in groups:
        marks.append("/proc/1/cgroup: docker")
    if any("/docker/containers/" in m.root and m.mount_point in INJECTED for m in mounted):
        marks.append("/proc/self/mountinfo: a mount from docker/containers")
    if _dockerenv(host) and (marks or _is_container_like(mounted)):
        marks.insert(0, "/.dockerenv is there")
    return marks


def _containerd(mounted: tuple[mounts.Mount, ...], groups: str) -> list[str]:
    marks = []
    if "/containerd/" in groups or "cri-containerd" in groups:
        marks.append("/proc/1/cgroup: containerd")
    if any("io.containerd." in mount.options for mount in mounted if mount.mount_point == "/"):
        marks.append("/proc/self/mountinfo: the root file system is a snapshot of containerd")
    return marks


def _dockerenv(host: Host) -> bool:
    return host.exists("/.dockerenv")


def _is_container_like(mounted: tuple[mounts.Mount, ...]) -> bool:
    """Whether the root is an overlay, or an engine has put all of its own files over those in /etc."""
    points = {mount.mount_point for mount in mounted}
    overlaid = any(mount.mount_point == "/" and mount.type in OVERLAYS for mount in mounted)
    return overlaid or points.issuperset(INJECTED)


def _mounts(host: Host) -> tuple[mounts.Mount, ...]:
    try:
        return mounts.read(host)
    except HostError:
        return ()


def _has(host: Host, name: str) -> bool:
    try:
        return host.has_env(name)
    except HostError:
        return False
