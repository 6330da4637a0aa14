"""Every published host, made into a recording and probed: what the probes find is what its description expects."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from probes import cores, cpu, memory
from probes.host import Host
from probes.judging import Judging
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from tests.hosts.build import PUBLISHED, build

SPECS = sorted(PUBLISHED.glob("*.toml"))


def found_on(recording: Recording) -> dict[str, Any]:
    """What the probes say, under the names that [expect] uses."""

    def host(name: str) -> Host:
        return Host(ReplayDoor(recording, name))

    settings = Settings()
    processors = cpu.gather(host("cpu"), settings)
    granted = cores.gather(host("cores"), settings)
    memory_facts = memory.gather(host("memory"), settings)
    verdicts = cpu.judge(processors, Judging(cpu.PROBE, settings, {}))
    last = max((cache.level for cache in processors.caches or ()), default=0)
    instances = [cache.instances for cache in processors.caches or () if cache.level == last == 3]
    return {
        **processors.model_dump(),
        "numa_nodes": len(processors.numa_nodes or ()),
        "l3_instances": instances[0] if instances else None,
        "missing_for_next": " ".join(
            flag for name in processors.archspec_why_not[:1] for flag in name.missing
        ),
        "host_cpus": granted.host_cpus,
        "effective_cores": granted.effective_cores,
        "limited_by": granted.limited_by,
        "cgroup_version": granted.cgroup_version,
        "effective_bytes": memory_facts.effective_bytes,
        **{verdict.id.lower().replace("-", "_"): verdict.status.value for verdict in verdicts},
    }


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_a_published_host_is_described_as_expected(spec: Path, tmp_path: Path) -> None:
    expected = tomllib.loads(spec.read_text("utf-8"))["expect"]

    found = found_on(Recording(build(spec, tmp_path / "recording")))

    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_a_published_host_says_where_its_facts_come_from(spec: Path) -> None:
    assert len(tomllib.loads(spec.read_text("utf-8"))["source"]) > 40


def test_the_hosts_that_are_promised_are_there() -> None:
    machines = {"zen2", "zen3", "zen4", "zen5", "cascadelake", "icelake", "sapphirerapids", "emeraldrapids"}
    machines |= {"altra", "grace", "power9", "azure"}
    slots = {"slot-htcondor", "slot-kubernetes-pod", "cgroup-v1-slurm", "cgroup-v2-nested", "cgroup-hybrid"}

    stems = {spec.stem for spec in SPECS}

    assert slots <= stems
    assert machines <= {stem.split("-")[0] for stem in stems}


def test_every_cpu_of_a_made_host_is_in_one_numa_node_and_one_core(tmp_path: Path) -> None:
    recording = Recording(build(PUBLISHED / "power9-ac922.toml", tmp_path / "recording"))

    facts = cpu.gather(Host(ReplayDoor(recording, "cpu")), Settings())

    assert [(node.node, node.cpus) for node in facts.numa_nodes or ()] == [(0, "0-79"), (8, "80-159")]
    assert (facts.online_cpus, facts.physical_cores, facts.threads_per_core) == (160, 40, 4)
