"""What the charts render: golden manifests, the schemas of Kubernetes, `helm lint`."""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.lab.helm import Helm, pods

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="kubernetes-validate is not installed"
)

KUBERNETES = ("1.35", "1.36", "1.37")

AGENT: dict[str, dict[str, Any]] = {
    "default": {},
    "label": {
        "profile": "label",
        "site": "T2_LV_Example",
        "delivery": {
            "url": "https://capacity.example",
            "tokenSecret": {"name": "capacity-token"},
            "caConfigMap": {"name": "site-ca"},
        },
        "label": {"events": True, "admissionPolicy": True},
        "cvmfs": {"source": "csi"},
    },
    "node": {
        "profile": "node",
        "cvmfs": {"source": "host"},
        "node": {"spoolDirectory": "/var/spool/sitecap"},
    },
    "gpu": {
        "gpu": {"enabled": True},
        "tolerations": [{"operator": "Exists"}],
        "nodeExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}],
    },
    "no-outbound": {"outbound": False},
}
SERVICE: dict[str, dict[str, Any]] = {
    "default": {},
    "everything": {
        "autoscaling": {"enabled": True},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "host": "capacity.example",
            "tlsSecret": "capacity-tls",
        },
        "trustedProxies": "10.0.0.0/8",
        "tls": {"secretName": "pod-tls"},
        "database": {"caConfigMap": {"name": "db-ca"}},
        "issuersCa": {"configMap": "wlcg-ca"},
        "config": {
            "server": {"graceful_s": 45},
            "auth": {
                "issuers": [
                    {
                        "issuer": "https://cms-auth.example/",
                        "audience": ["https://capacity.example"],
                        "ca_file": "/etc/sitecap-ca/issuers/ca.crt",
                        "grants": [{"scope": "sitecap.submit:/{site}", "role": "submit"}],
                    }
                ]
            },
        },
    },
    "small": {
        "replicas": 1,
        "migration": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "networkPolicy": {"enabled": False},
    },
}
CASES = [("sitecap-agent", name, values) for name, values in AGENT.items()] + [
    ("sitecap-capacity", name, values) for name, values in SERVICE.items()
]
each_case = pytest.mark.parametrize(
    ("chart", "values"), [pytest.param(chart, values, id=f"{chart}-{name}") for chart, name, values in CASES]
)


@each_case
def test_the_manifests_are_as_reviewed(
    helm: Helm, snapshot: SnapshotAssertion, chart: str, values: dict[str, Any]
) -> None:
    text = "".join(f"# {name}\n{text.strip()}\n\n" for name, text in helm.render(chart, values).items())

    assert text == snapshot


@each_case
@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(helm: Helm, chart: str, values: dict[str, Any], version: str) -> None:
    for manifest in helm.manifests(chart, values):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_noticed(helm: Helm) -> None:
    (daemonset,) = [one for one in helm.manifests("sitecap-agent") if one["kind"] == "DaemonSet"]
    daemonset["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Never"

    with pytest.raises(kubernetes_validate.ValidationError, match="imagePullPolice"):
        kubernetes_validate.validate(daemonset, KUBERNETES[0], strict=True)


@each_case
def test_helm_has_nothing_to_complain_about(helm: Helm, chart: str, values: dict[str, Any]) -> None:
    assert helm.lint(chart, values) == []


@each_case
def test_what_a_pod_mounts_is_there(helm: Helm, chart: str, values: dict[str, Any]) -> None:
    for template in pods(helm.manifests(chart, values)).values():
        volumes = {volume["name"] for volume in template["spec"]["volumes"]}
        mounted = {mount["name"] for one in template["spec"]["containers"] for mount in one["volumeMounts"]}
        assert mounted == volumes


@each_case
def test_pods_get_exactly_what_they_ask_for(helm: Helm, chart: str, values: dict[str, Any]) -> None:
    for template in pods(helm.manifests(chart, values)).values():
        for container in template["spec"]["containers"]:
            assert container["resources"]["requests"] == container["resources"]["limits"]
            assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}


@each_case
def test_services_of_the_namespace_do_not_become_settings(
    helm: Helm, chart: str, values: dict[str, Any]
) -> None:
    """Kubernetes would set SITECAP_CAPACITY_SERVICE_HOST, and both programs refuse a setting that they do not know."""
    for template in pods(helm.manifests(chart, values)).values():
        assert template["spec"]["enableServiceLinks"] is False
        assert template["spec"]["automountServiceAccountToken"] is False


def test_only_the_label_profile_has_an_account_and_it_may_write_labels_only(helm: Helm) -> None:
    for profile in ("restricted", "node"):
        kinds = {one["kind"] for one in helm.manifests("sitecap-agent", {"profile": profile})}
        assert not kinds & {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    manifests = helm.manifests("sitecap-agent", {"profile": "label"})
    (role,) = [one for one in manifests if one["kind"] == "Role"]
    assert role["rules"] == [
        {
            "apiGroups": ["nfd.k8s-sigs.io"],
            "resources": ["nodefeatures"],
            "verbs": ["create", "get", "update"],
        }
    ]
    assert not {one["kind"] for one in manifests} & {"ClusterRole", "ClusterRoleBinding"}


NODE_NAME = "authentication.kubernetes.io/node-name"


@pytest.mark.parametrize(
    ("labels", "extra", "allowed"),
    [
        ({"nfd.node.kubernetes.io/node-name": "n1"}, {NODE_NAME: ["n1"]}, True),
        ({"nfd.node.kubernetes.io/node-name": "n2"}, {NODE_NAME: ["n1"]}, False),
        ({"nfd.node.kubernetes.io/node-name": "n1"}, {}, False),
        ({}, {NODE_NAME: ["n1"]}, False),
    ],
)
def test_the_admission_policy_holds_a_pod_to_its_node(
    helm: Helm, labels: dict[str, str], extra: dict[str, list[str]], allowed: bool
) -> None:
    celpy = pytest.importorskip("celpy", reason="cel-python is not installed")
    values = {"profile": "label", "label": {"admissionPolicy": True}}
    (policy,) = [
        one for one in helm.manifests("sitecap-agent", values) if one["kind"] == "ValidatingAdmissionPolicy"
    ]
    (rule,) = policy["spec"]["validations"]
    environment = celpy.Environment()
    program = environment.program(environment.compile(rule["expression"]))
    context = {"object": {"metadata": {"labels": labels}}, "request": {"userInfo": {"extra": extra}}}

    try:
        answer = bool(program.evaluate({name: celpy.json_to_cel(value) for name, value in context.items()}))
    except celpy.CELEvalError:
        answer = False  # failurePolicy: Fail

    assert answer is allowed


def test_every_node_has_one_pod_with_and_without_gpus(helm: Helm) -> None:
    """A node has the label or it has not: the two DaemonSets share the nodes between them."""
    plain, gpu = pods(helm.manifests("sitecap-agent", {"gpu": {"enabled": True}})).values()
    (want_no,), (want) = (_expressions(plain), _expressions(gpu)[0])

    assert (want_no["operator"], want["operator"]) == ("NotIn", "In")
    assert (want_no["key"], want_no["values"]) == (want["key"], want["values"])
    assert gpu["spec"]["runtimeClassName"] == "nvidia"
    assert "nvidia.com/gpu" not in gpu["spec"]["containers"][0]["resources"]["limits"]
    assert "runtimeClassName" not in plain["spec"]


def _expressions(template: dict[str, Any]) -> list[dict[str, Any]]:
    affinity = template["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = affinity["nodeSelectorTerms"]
    return list(term["matchExpressions"])


def test_without_outbound_nothing_may_leave(helm: Helm) -> None:
    (policy,) = [
        one for one in helm.manifests("sitecap-agent", {"outbound": False}) if one["kind"] == "NetworkPolicy"
    ]

    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not policy["spec"].get("egress")


def test_the_migration_needs_nothing_of_the_release_it_comes_before(helm: Helm) -> None:
    manifests = helm.manifests("sitecap-capacity", SERVICE["everything"])
    (job,) = [one for one in manifests if one["kind"] == "Job"]
    own = {
        one["metadata"]["name"]
        for one in manifests
        if one["kind"] in {"ConfigMap", "Secret", "ServiceAccount"}
    }

    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]
    for volume in job["spec"]["template"]["spec"]["volumes"]:
        assert volume.get("configMap", {}).get("name") not in own


def test_the_autoscaler_alone_decides_the_number_of_pods(helm: Helm) -> None:
    for enabled in (False, True):
        manifests = helm.manifests("sitecap-capacity", {"autoscaling": {"enabled": enabled}})
        (deployment,) = [one for one in manifests if one["kind"] == "Deployment"]
        assert ("replicas" in deployment["spec"]) is not enabled


def test_a_pod_has_longer_than_its_requests_to_end(helm: Helm) -> None:
    (deployment,) = [
        one
        for one in helm.manifests("sitecap-capacity", SERVICE["everything"])
        if one["kind"] == "Deployment"
    ]
    spec = deployment["spec"]["template"]["spec"]
    pause_s = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert spec["terminationGracePeriodSeconds"] > 45 + pause_s
