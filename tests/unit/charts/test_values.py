"""Values: bad ones are refused in a sentence, good ones become settings that the programs take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent import config as agent_config
from capacity import config as service_config
from tests.lab.helm import CHARTS, ROOT, Helm, RefusedError, pods

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("sitecap-agent", {"profil": "label"}, "'profil' not allowed"),
    ("sitecap-agent", {"profile": "privileged"}, "at '/profile': value must be one of"),
    ("sitecap-agent", {"site": None}, "missing property 'site'"),
    ("sitecap-agent", {"site": "Riga"}, "at '/site': 'Riga' does not match pattern"),
    ("sitecap-agent", {"image": {"repo": "x"}}, "at '/image': additional properties 'repo' not allowed"),
    ("sitecap-agent", {"image": {"digest": "sha256:12"}}, "at '/image/digest'"),
    ("sitecap-agent", {"delivery": {"url": "capacity.example"}}, "at '/delivery/url'"),
    ("sitecap-agent", {"delivery": {"proxy": "http://me:secret@squid:3128"}}, "at '/delivery/proxy'"),
    ("sitecap-agent", {"delivery": {"token": "secret"}}, "'token' not allowed"),
    ("sitecap-agent", {"resources": {"cpu": 1}}, "at '/resources/cpu': got number, want string"),
    ("sitecap-agent", {"resources": {"memory": "512MB"}}, "at '/resources/memory'"),
    ("sitecap-agent", {"resources": {"limits": {"cpu": "1"}}}, "'limits' not allowed"),
    ("sitecap-agent", {"tolerations": [{"operator": "Exist"}]}, "at '/tolerations/0/operator'"),
    ("sitecap-agent", {"networkPolicy": {"egress": {"squid": {"port": 3128}}}}, "'port' not allowed"),
    ("sitecap-agent", {"networkPolicy": {"egress": {"x": {"ports": [0]}}}}, "at '/networkPolicy/egress/x/ports/0'"),
    ("sitecap-agent", {"node": {"featuresDirectory": "features.d"}}, "at '/node/featuresDirectory'"),
    ("sitecap-agent", {"node": {"featuresDirectory": "/etc/../root"}}, "at '/node/featuresDirectory'"),
    ("sitecap-agent", {"update": {"maxUnavailable": "0%"}}, "at '/update/maxUnavailable'"),
    ("sitecap-agent", {"config": {"budget": 60}}, "at '/config': additional properties 'budget' not allowed"),
    ("sitecap-agent", {"config": {"budget_s": "soon"}}, "at '/config/budget_s': got string, want number"),
    ("sitecap-agent", {"config": {"site_name": "T2_LV_Example"}}, "'site_name' not allowed"),
    ("sitecap-agent", {"config": {"daemon": {"port": 80}}}, "at '/config/daemon': additional properties 'port' not"),
    ("sitecap-agent", {"config": {"daemon": {"cluster": {"node_feature": True}}}}, "'node_feature' not allowed"),
    ("sitecap-agent", {"cvmfs": {"source": "host"}}, "set profile=node, or take /cvmfs from the CSI driver"),
    ("sitecap-agent", {"cvmfs": {"source": "claim"}}, "needs the name of the claim in cvmfs.claim"),
    ("sitecap-agent", {"outbound": False, "delivery": {"url": "https://a"}}, "leave one of them out"),
    ("sitecap-agent", {"label": {"events": True}}, "are about the token of profile=label"),
    ("sitecap-capacity", {"replicas": 0}, "at '/replicas': minimum: got 0, want 1"),
    ("sitecap-capacity", {"database": {"url": "postgresql://me:secret@db/x"}}, "'url' not allowed"),
    ("sitecap-capacity", {"database": {"urlSecret": {"name": ""}}}, "at '/database/urlSecret/name'"),
    ("sitecap-capacity", {"config": {"database": {"url": "postgresql://me:secret@db/x"}}}, "'url' not allowed"),
    ("sitecap-capacity", {"config": {"server": {"port": 9000}}}, "'port' not allowed"),
    ("sitecap-capacity", {"service": {"type": "Cluster"}}, "at '/service/type'"),
    ("sitecap-capacity", {"ingress": {"enabled": True}}, "in trustedProxies, such as 10.0.0.0/8"),
    ("sitecap-capacity", {"autoscaling": {"enabled": True, "minReplicas": 9}}, "(9) is above autoscaling.maxReplicas (6)"),
]  # fmt: skip


@pytest.mark.parametrize(("chart", "values", "said"), REFUSED)
def test_bad_values_are_refused_in_a_sentence(
    helm: Helm, chart: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        helm.render(chart, values)

    assert said in str(caught.value)


@pytest.mark.parametrize("chart", ["sitecap-agent", "sitecap-capacity"])
def test_the_schema_leaves_no_object_open(chart: str) -> None:
    """Else a misspelt key would be passed over. Maps of the admin's own names bound their values instead."""
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    schema["properties"].pop("global")

    assert list(_open_objects(schema, "")) == []


def _open_objects(part: Any, where: str) -> Any:
    if isinstance(part, dict):
        if part.get("type") == "object" and part.get("additionalProperties", True) is True:
            yield where
        for key, value in part.items():
            yield from _open_objects(value, f"{where}/{key}")
    elif isinstance(part, list):
        for item in part:
            yield from _open_objects(item, where)


@pytest.mark.parametrize("chart", ["sitecap-agent", "sitecap-capacity"])
def test_every_value_is_documented_and_in_the_schema(chart: str) -> None:
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    documented = {
        line.split("`")[1]
        for line in (CHARTS / chart / "README.md").read_text().splitlines()
        if line.startswith("| `")
    }

    assert set(values) == set(schema["properties"]) - {"global"}
    for key in _leaves(values):
        assert any(key == one or key.startswith(f"{one}.") for one in documented), key


def _leaves(values: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found += _leaves(value, f"{prefix}{key}.")
        else:
            found.append(f"{prefix}{key}")
    return found


def test_generated_files_are_those_that_would_be_generated() -> None:
    done = subprocess.run(
        [sys.executable, "charts/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_agent_takes_the_settings_of_its_chart(helm: Helm, tmp_path: Path) -> None:
    values = {
        "site": "T2_LV_Example",
        "delivery": {
            "url": "https://capacity.example",
            "proxy": "http://squid.example:3128",
            "tokenSecret": {"name": "a"},
            "caConfigMap": {"name": "b"},
        },
        "config": {
            "budget_s": 90,
            "bench": {"cache_max_bytes": 4294967296},
            "skip_checks": {"CPU-04": "known"},
            "thresholds": {"DSK-01": {"x": 2}},
            "squid": {"proxies": ["http://squid.example:3128"]},
            "network": {"endpoints": [{"name": "door", "host": "se.example", "port": 1094}]},
        },
    }
    path = tmp_path / "agent.toml"
    path.write_text(_settings(helm, "sitecap-agent", values))

    config = agent_config.load({}, {}, path).config

    assert config.site_name == "T2_LV_Example"
    (pod,) = pods(helm.manifests("sitecap-agent", values)).values()
    mounted = [mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]]
    delivery = config.delivery
    assert delivery.url == "https://capacity.example"
    assert delivery.proxy is not None
    assert delivery.proxy.get_secret_value() == "http://squid.example:3128"
    for path in (delivery.token_file, delivery.ca_file, delivery.spool_directory):
        assert path is not None
        assert any(path == place or path.startswith(f"{place}/") for place in mounted)
    assert config.budget_s == 90
    assert config.bench.cache_max_bytes == 4294967296
    assert config.bench.cache_directory == "/var/cache/sitecap"
    assert config.network.endpoints[0].port == 1094


TOLD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"node_feature": False, "events": False, "feature_file": None}),
    ({"profile": "label"}, {"node_feature": True, "events": False, "feature_file": None}),
    (
        {"profile": "label", "label": {"events": True}},
        {"node_feature": True, "events": True, "feature_file": None},
    ),
    ({"profile": "node"}, {"node_feature": False, "events": False, "feature_file": "/features.d/sitecap"}),
    (
        {"profile": "node", "node": {"featuresDirectory": ""}},
        {"node_feature": False, "events": False, "feature_file": None},
    ),
]


@pytest.mark.parametrize(("values", "told"), TOLD)
def test_the_daemon_tells_the_cluster_what_its_role_and_mounts_allow(
    helm: Helm, tmp_path: Path, values: dict[str, Any], told: dict[str, Any]
) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(_settings(helm, "sitecap-agent", values))
    manifests = helm.manifests("sitecap-agent", values)
    rules = [rule for one in manifests if one["kind"] == "Role" for rule in one["rules"]]
    (pod,) = pods(manifests).values()
    (container,) = pod["spec"]["containers"]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}

    daemon = agent_config.load({}, {}, path).config.daemon
    cluster = daemon.cluster

    assert cluster.model_dump(include=set(told)) == told
    assert {name for rule in rules for name in rule["resources"]} == {
        name for name, tells in (("nodefeatures", told["node_feature"]), ("events", told["events"])) if tells
    }
    assert (cluster.service_account_path in mounted) is told["node_feature"]
    if cluster.feature_file is not None:
        assert str(Path(cluster.feature_file).parent) in mounted
    assert [port["containerPort"] for port in container["ports"]] == [daemon.port]
    assert {cluster.pod_name_env, cluster.pod_uid_env, "NODE_NAME"} <= {
        one["name"] for one in container["env"]
    }


@pytest.mark.parametrize(("source", "left_out"), [("none", {"CFG-01", "CVM-13"}), ("csi", set())])
def test_what_the_chart_withholds_is_no_finding_about_the_node(
    helm: Helm, tmp_path: Path, source: str, left_out: set[str]
) -> None:
    path = tmp_path / "agent.toml"
    own = {"skip_checks": {"CNT-03": "known", "GPU-05": "known"}}
    path.write_text(_settings(helm, "sitecap-agent", {"cvmfs": {"source": source}, "config": own}))

    skipped = agent_config.load({}, {}, path).config.skip_checks

    assert skipped["CNT-03"] == skipped["GPU-05"] == "known"
    assert set(skipped) == {"CPU-01", "MEM-02", "CNT-01", "CNT-03", "GPU-05"} | left_out


def test_a_site_without_a_route_out_is_told_to_the_agent(helm: Helm, tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(_settings(helm, "sitecap-agent", {"outbound": False}))

    assert agent_config.load({}, {}, path).config.site_profile == "no-outbound"


def test_the_service_takes_the_settings_of_its_chart(helm: Helm, tmp_path: Path) -> None:
    values = {
        "trustedProxies": "10.0.0.0/8",
        "publicRead": True,
        "config": {"limits": {"body_bytes": 33554432}, "server": {"workers": 2}},
    }
    path = tmp_path / "capacity.toml"
    path.write_text(_settings(helm, "sitecap-capacity", values))

    config = service_config.load({}, {}, path).config

    assert (config.server.host, config.server.port, config.server.workers) == ("0.0.0.0", 8443, 2)
    assert config.server.trusted_proxies == "10.0.0.0/8"
    assert config.public_read
    assert config.limits.body_bytes == 33554432


def _settings(helm: Helm, chart: str, values: dict[str, Any]) -> str:
    (settings,) = [one for one in helm.manifests(chart, values) if one["kind"] == "ConfigMap"]
    (text,) = settings["data"].values()
    return str(text)
