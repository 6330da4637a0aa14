"""The charts' pods keep the restricted Pod Security Standard, and the table that says so notices each violation."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.lab.helm import Helm, pods
from tests.lab.pod_security import RESTRICTED, violations

Change = Callable[[dict[str, Any], dict[str, Any]], None]


def _spec(**fields: Any) -> Change:
    return lambda pod, _: pod["spec"].update(fields)


def _pod_context(**fields: Any) -> Change:
    return lambda pod, _: pod["spec"]["securityContext"].update(fields)


def _context(**fields: Any) -> Change:
    return lambda _, container: container["securityContext"].update(fields)


def _container(**fields: Any) -> Change:
    return lambda _, container: container.update(fields)


def _volume(**source: Any) -> Change:
    return lambda pod, _: pod["spec"]["volumes"].append({"name": "more", **source})


def _annotation(key: str, value: str) -> Change:
    return lambda pod, _: pod["metadata"].update(annotations={key: value})


def _without(context: str, field: str) -> Change:
    def change(pod: dict[str, Any], container: dict[str, Any]) -> None:
        del (pod["spec"] if context == "pod" else container)["securityContext"][field]

    return change


def _second(kind: str) -> Change:
    """Another container, with no security context at all."""
    return lambda pod, _: pod["spec"].setdefault(kind, []).append({"name": "more"})


VIOLATIONS: list[tuple[str, Change]] = [
    ("HostProcess", _pod_context(windowsOptions={"hostProcess": True})),
    ("HostProcess", _context(windowsOptions={"hostProcess": True})),
    ("Host Namespaces", _spec(hostNetwork=True)),
    ("Host Namespaces", _spec(hostPID=True)),
    ("Host Namespaces", _spec(hostIPC=True)),
    ("Privileged Containers", _context(privileged=True)),
    ("HostPath Volumes", _volume(hostPath={"path": "/"})),
    ("Host Ports", _container(ports=[{"containerPort": 9617, "hostPort": 9617}])),
    ("Host Probes / Lifecycle Hooks", _container(livenessProbe={"httpGet": {"host": "10.0.0.1", "port": 1}})),
    (
        "Host Probes / Lifecycle Hooks",
        _container(lifecycle={"preStop": {"tcpSocket": {"host": "a", "port": 1}}}),
    ),
    ("AppArmor", _context(appArmorProfile={"type": "Unconfined"})),
    ("AppArmor", _annotation("container.apparmor.security.beta.kubernetes.io/agent", "unconfined")),
    ("SELinux", _pod_context(seLinuxOptions={"type": "spc_t"})),
    ("SELinux", _context(seLinuxOptions={"user": "system_u"})),
    ("SELinux", _context(seLinuxOptions={"role": "system_r"})),
    ("/proc Mount Type", _context(procMount="Unmasked")),
    ("Sysctls", _pod_context(sysctls=[{"name": "kernel.msgmax", "value": "1"}])),
    ("Volume Types", _volume(nfs={"server": "a", "path": "/"})),
    ("Volume Types", _volume(iscsi={"targetPortal": "a"})),
    ("Privilege Escalation", _context(allowPrivilegeEscalation=True)),
    ("Privilege Escalation", _without("container", "allowPrivilegeEscalation")),
    ("Running as Non-root", _pod_context(runAsNonRoot=False)),
    ("Running as Non-root", _without("pod", "runAsNonRoot")),
    ("Running as Non-root", _context(runAsNonRoot=False)),
    ("Running as Non-root user", _pod_context(runAsUser=0)),
    ("Running as Non-root user", _context(runAsUser=0)),
    ("Seccomp", _pod_context(seccompProfile={"type": "Unconfined"})),
    ("Seccomp", _without("pod", "seccompProfile")),
    ("Seccomp", _context(seccompProfile={"type": "Unconfined"})),
    ("Capabilities", _context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]})),
    ("Capabilities", _context(capabilities={"drop": ["NET_RAW"]})),
    ("Capabilities", _without("container", "capabilities")),
    ("Capabilities", _second("containers")),
    ("Privilege Escalation", _second("initContainers")),
    ("Privilege Escalation", _second("ephemeralContainers")),
]

ALLOWED: list[Change] = [
    _context(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
    _context(seLinuxOptions={"type": "container_t"}),
    _context(seccompProfile={"type": "Localhost", "localhostProfile": "a.json"}),
    _context(appArmorProfile={"type": "RuntimeDefault"}, procMount="Default"),
    _pod_context(sysctls=[{"name": "net.ipv4.ip_local_port_range", "value": "1024 65535"}]),
    _volume(ephemeral={"volumeClaimTemplate": {}}),
]


@pytest.fixture
def pod(helm: Helm) -> dict[str, Any]:
    (template,) = pods(helm.manifests("sitecap-agent")).values()
    return deepcopy(template)


RESTRICTED_VALUES: list[tuple[str, dict[str, Any]]] = [
    ("sitecap-agent", {}),
    ("sitecap-agent", {"profile": "label", "label": {"events": True}}),
    ("sitecap-agent", {"gpu": {"enabled": True}}),
    ("sitecap-agent", {"outbound": False}),
    ("sitecap-agent", {"cvmfs": {"source": "csi"}, "delivery": {"tokenSecret": {"name": "a"}, "caConfigMap": {"name": "b"}}}),
    ("sitecap-capacity", {}),
    (
        "sitecap-capacity",
        {"tls": {"secretName": "a"}, "database": {"caConfigMap": {"name": "b"}}, "issuersCa": {"configMap": "c"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("chart", "values"), RESTRICTED_VALUES)
def test_pods_keep_the_restricted_standard(helm: Helm, chart: str, values: dict[str, Any]) -> None:
    found = pods(helm.manifests(chart, values))

    assert found
    assert {name: violations(template) for name, template in found.items()} == {name: [] for name in found}


@pytest.mark.parametrize(("control", "change"), VIOLATIONS)
def test_each_violation_is_noticed_under_its_control(
    pod: dict[str, Any], control: str, change: Change
) -> None:
    change(pod, pod["spec"]["containers"][0])

    assert control in {said.partition(": ")[0] for said in violations(pod)}


def test_every_control_has_a_violation_that_shows_it() -> None:
    assert {name for name, _ in VIOLATIONS} == {control.name for control in RESTRICTED}


@pytest.mark.parametrize("change", ALLOWED)
def test_what_the_standard_allows_is_no_violation(pod: dict[str, Any], change: Change) -> None:
    change(pod, pod["spec"]["containers"][0])

    assert violations(pod) == []


def test_the_node_profile_breaks_it_by_paths_of_the_node_and_root_alone(helm: Helm) -> None:
    (template,) = pods(
        helm.manifests("sitecap-agent", {"profile": "node", "cvmfs": {"source": "host"}})
    ).values()

    assert {said.partition(": ")[0] for said in violations(template)} == {
        "HostPath Volumes",
        "Volume Types",
        "Running as Non-root",
        "Running as Non-root user",
    }
    assert [volume["hostPath"]["path"] for volume in template["spec"]["volumes"] if "hostPath" in volume] == [
        "/etc/kubernetes/node-feature-discovery/features.d",
        "/cvmfs",
    ]
