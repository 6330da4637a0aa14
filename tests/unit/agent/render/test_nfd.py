"""Labels for Node Feature Discovery: what a scheduler may rely on, and what Kubernetes accepts."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from agent.render import nfd
from profiles.checks import Status
from profiles.facts.cpu import CpuFacts
from profiles.facts.cvmfs_mount import CvmfsMountFacts, RepositoryMount
from profiles.node_facts import NodeFacts
from tests.unit.agent.render.made import HOSTILE, check, hostile, make
from tests.unit.agent.render.nodes import H100_MIG

VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
NAME = re.compile(r"cms\.cern\.ch/[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def mounts(**states: str) -> CvmfsMountFacts:
    absent = dict.fromkeys(("installed_version", "cache", "memory_total_bytes"), "not asked")
    return CvmfsMountFacts(
        mount_path="/cvmfs",
        asked_at=datetime(2026, 1, 1, tzinfo=UTC),
        autofs=False,
        fuse_device=True,
        repositories=tuple(
            RepositoryMount.model_validate({"repository": f"{name}.cern.ch", "state": state})
            for name, state in states.items()
        ),
        installed_version=None,
        cache=None,
        memory_total_bytes=None,
        absent=absent,
    )


def test_labels_of_a_node() -> None:
    facts = NodeFacts(
        cpu=CpuFacts(machine="x86_64", x86_64_level=3),
        cvmfs_mount=mounts(cms="readable", grid="failed"),
        gpu=H100_MIG,
    )
    assert nfd.labels(make(check("MEM-01"), facts=facts)) == {
        "cms.cern.ch/profile-schema": "1",
        "cms.cern.ch/status": "ok",
        "cms.cern.ch/microarch": "x86-64-v3",
        "cms.cern.ch/cvmfs-cms": "ok",
        "cms.cern.ch/cvmfs-grid": "failed",
        "cms.cern.ch/gpu-mig": "true",
    }


def test_what_is_not_known_has_no_label() -> None:
    assert set(nfd.labels(make(check("MEM-01", Status.CRITICAL)))) == {
        "cms.cern.ch/profile-schema",
        "cms.cern.ch/status",
    }


def test_a_processor_that_is_not_x86_is_called_by_its_target() -> None:
    facts = NodeFacts(cpu=CpuFacts(machine="aarch64", archspec_name="neoverse_n1"))
    assert nfd.labels(make(facts=facts))["cms.cern.ch/microarch"] == "neoverse_n1"


@pytest.mark.parametrize("text", ["x86 64", "-a-", "é" * 100, "a" * 62 + "-b", HOSTILE, "a/b"])
def test_any_text_becomes_a_value_that_kubernetes_takes(text: str) -> None:
    value = nfd.label_value(text)
    assert value == "" or VALUE.fullmatch(value)


def test_a_hostile_name_of_a_repository_makes_no_second_line() -> None:
    facts = NodeFacts(cvmfs_mount=mounts(**{f"{HOSTILE}\nevil=1": "readable"}))
    lines = nfd.render(make(facts=facts)).splitlines()
    assert lines[0] == "# +expiry-time=2026-11-23T18:00:00Z"
    assert all(NAME.fullmatch(name) and VALUE.fullmatch(value) for name, _, value in (line.partition("=") for line in lines[1:]))  # fmt: skip
    assert len(lines) == 4


def test_a_node_feature_object() -> None:
    profile = hostile()
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "agent-x", "uid": "u"}
    found = nfd.node_feature(
        nfd.labels(profile), {"MEM-01": "OK"}, name="sitecap-n1", namespace="cms", node="n1", owner=owner
    )
    assert found["metadata"] == {
        "name": "sitecap-n1",
        "namespace": "cms",
        "labels": {"nfd.node.kubernetes.io/node-name": "n1"},
        "ownerReferences": [owner],
    }
    assert found["spec"]["labels"] == {"cms.cern.ch/profile-schema": "1", "cms.cern.ch/status": "critical"}
    assert found["spec"]["features"]["attributes"] == {"sitecap.checks": {"elements": {"mem-01": "OK"}}}
