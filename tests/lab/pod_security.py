"""The *restricted* Pod Security Standard as a table: control, fields, and what they may be.

Source: kubernetes.io, "Pod Security Standards", of Kubernetes 1.36: all controls of *baseline* and *restricted* for Linux pods; the
names of controls are theirs. Windows pods, for which other rules hold, are not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Pod = dict[str, Any]
Judge = Callable[[Pod], Iterator[str]]

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
SECCOMP = {"RuntimeDefault", "Localhost"}
APPARMOR = {None, "RuntimeDefault", "Localhost"}
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


class Control(NamedTuple):
    """One row of the standard."""

    name: str
    judge: Judge


def violations(template: Pod) -> list[str]:
    """What of the standard a pod (metadata and spec) violates: "control: field is value"."""
    return [f"{control.name}: {said}" for control in RESTRICTED for said in control.judge(template)]


def _containers(pod: Pod) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for place, container in enumerate(pod["spec"].get(kind) or ()):
            yield f"{kind}[{place}]", container


def _contexts(pod: Pod) -> Iterator[tuple[str, dict[str, Any]]]:
    """The security context of the pod and those of its containers."""
    yield "securityContext", pod["spec"].get("securityContext") or {}
    for where, container in _containers(pod):
        yield f"{where}.securityContext", container.get("securityContext") or {}


def _of_each(field: str, allowed: Callable[[Any], bool]) -> Judge:
    """A field of the security context of each container."""

    def judge(pod: Pod) -> Iterator[str]:
        for where, container in _containers(pod):
            found: Any = container.get("securityContext") or {}
            for name in field.split("."):
                found = (found or {}).get(name)
            if not allowed(found):
                yield f"{where}.securityContext.{field} is {found!r}"

    return judge


def _host_process(pod: Pod) -> Iterator[str]:
    for where, context in _contexts(pod):
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            yield f"{where}.windowsOptions.hostProcess is true"


def _host_namespaces(pod: Pod) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod["spec"].get(field):
            yield f"{field} is true"


def _volumes(pod: Pod) -> Iterator[str]:
    for volume in pod["spec"].get("volumes") or ():
        for kind in set(volume) - {"name"} - VOLUMES:
            yield f"volume {volume['name']} is of type {kind}"


def _host_paths(pod: Pod) -> Iterator[str]:
    for volume in pod["spec"].get("volumes") or ():
        if "hostPath" in volume:
            yield f"volume {volume['name']} is {volume['hostPath'].get('path')} of the node"


def _host_ports(pod: Pod) -> Iterator[str]:
    for where, container in _containers(pod):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield f"{where}.ports has hostPort {port['hostPort']}"


def _probe_hosts(pod: Pod) -> Iterator[str]:
    for where, container in _containers(pod):
        hooks = container.get("lifecycle") or {}
        handlers = {name: container.get(name) for name in ("livenessProbe", "readinessProbe", "startupProbe")}
        handlers |= {f"lifecycle.{name}": hooks.get(name) for name in ("postStart", "preStop")}
        for name, handler in handlers.items():
            for action in ("httpGet", "tcpSocket"):
                if ((handler or {}).get(action) or {}).get("host"):
                    yield f"{where}.{name}.{action}.host is set"


def _apparmor(pod: Pod) -> Iterator[str]:
    for where, context in _contexts(pod):
        kind = (context.get("appArmorProfile") or {}).get("type")
        if kind not in APPARMOR:
            yield f"{where}.appArmorProfile.type is {kind!r}"
    for key, value in (pod.get("metadata", {}).get("annotations") or {}).items():
        allowed = value in {"", "runtime/default"} or value.startswith("localhost/")
        if key.startswith(APPARMOR_ANNOTATION) and not allowed:
            yield f"annotation {key} is {value!r}"


def _selinux(pod: Pod) -> Iterator[str]:
    for where, context in _contexts(pod):
        options = context.get("seLinuxOptions") or {}
        if options.get("type") not in SELINUX_TYPES:
            yield f"{where}.seLinuxOptions.type is {options['type']!r}"
        for field in ("user", "role"):
            if options.get(field):
                yield f"{where}.seLinuxOptions.{field} is {options[field]!r}"


def _sysctls(pod: Pod) -> Iterator[str]:
    for one in (pod["spec"].get("securityContext") or {}).get("sysctls") or ():
        if one["name"] not in SYSCTLS:
            yield f"securityContext.sysctls has {one['name']}"


def _non_root(pod: Pod) -> Iterator[str]:
    whole = (pod["spec"].get("securityContext") or {}).get("runAsNonRoot")
    for where, container in _containers(pod):
        own = (container.get("securityContext") or {}).get("runAsNonRoot")
        if (whole if own is None else own) is not True:
            yield f"{where} may run as root"


def _user(pod: Pod) -> Iterator[str]:
    for where, context in _contexts(pod):
        if context.get("runAsUser") == 0:
            yield f"{where}.runAsUser is 0"


def _seccomp(pod: Pod) -> Iterator[str]:
    whole = ((pod["spec"].get("securityContext") or {}).get("seccompProfile") or {}).get("type")
    if whole not in {None, *SECCOMP}:
        yield f"securityContext.seccompProfile.type is {whole!r}"
    for where, container in _containers(pod):
        own = ((container.get("securityContext") or {}).get("seccompProfile") or {}).get("type")
        if (own or whole) not in SECCOMP:
            yield f"{where} has the seccomp profile {own or whole!r}"


def _capabilities(pod: Pod) -> Iterator[str]:
    for where, container in _containers(pod):
        held = (container.get("securityContext") or {}).get("capabilities") or {}
        if "ALL" not in (held.get("drop") or ()):
            yield f"{where} does not drop ALL"
        if more := set(held.get("add") or ()) - {"NET_BIND_SERVICE"}:
            yield f"{where} adds {sorted(more)}"


RESTRICTED = (
    Control("HostProcess", _host_process),
    Control("Host Namespaces", _host_namespaces),
    Control("Privileged Containers", _of_each("privileged", lambda found: not found)),
    Control("HostPath Volumes", _host_paths),
    Control("Host Ports", _host_ports),
    Control("Host Probes / Lifecycle Hooks", _probe_hosts),
    Control("AppArmor", _apparmor),
    Control("SELinux", _selinux),
    Control("/proc Mount Type", _of_each("procMount", lambda found: found in {None, "Default"})),
    Control("Sysctls", _sysctls),
    Control("Volume Types", _volumes),
    Control("Privilege Escalation", _of_each("allowPrivilegeEscalation", lambda found: found is False)),
    Control("Running as Non-root", _non_root),
    Control("Running as Non-root user", _user),
    Control("Seccomp", _seccomp),
    Control("Capabilities", _capabilities),
)
