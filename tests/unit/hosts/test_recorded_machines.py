"""The recorded lab machines, replayed here by the agent: the facts are those of the machine that was recorded."""

from __future__ import annotations

import json
from functools import cache

import pytest

from profiles.node_facts import NodeFacts
from tests.lab.foreign import REPOSITORY
from tests.lab.profiles import replayed

RECORDED = REPOSITORY / "tests/hosts/recorded"
NAMES = ("vm-x86-v2", "vm-neoverse-n1", "vm-power9")


@cache
def facts_of(name: str) -> NodeFacts:
    return replayed(RECORDED / name).facts


def test_each_recording_has_its_test() -> None:
    assert sorted(path.name for path in RECORDED.iterdir()) == sorted(NAMES)


def test_two_sockets_and_a_nested_slice() -> None:
    facts = facts_of("vm-x86-v2")

    assert facts.cpu is not None
    assert (facts.cpu.machine, facts.cpu.packages, facts.cpu.physical_cores) == ("x86_64", 2, 4)
    assert [(node.node, node.cpus) for node in facts.cpu.numa_nodes or ()] == [(0, "0-1"), (1, "2-3")]
    assert facts.cores is not None
    assert (facts.cores.cgroup_version, facts.cores.host_cpus, facts.cores.effective_cores) == ("v2", 4, 1.5)
    assert facts.memory is not None
    assert facts.memory.effective_bytes == 201_326_592


def test_neoverse_n1() -> None:
    cpu = facts_of("vm-neoverse-n1").cpu

    assert cpu is not None
    assert (cpu.machine, cpu.archspec_name, cpu.online_cpus) == ("aarch64", "neoverse_n1", 2)
    assert [(core.implementer, core.part) for core in cpu.arm_cores or ()] == [("0x41", "0xd0c")]


def test_power9() -> None:
    cpu = facts_of("vm-power9").cpu

    assert cpu is not None
    assert (cpu.machine, cpu.archspec_name, cpu.power_generation) == ("ppc64le", "power9le", 9)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_redacted_and_small(name: str) -> None:
    manifest = json.loads((RECORDED / name / "recording.json").read_text())
    answers = (RECORDED / name / "answers.jsonl").read_text()

    assert manifest["redacted"] is True
    assert "pilot" not in answers
    assert len(answers) < 200_000


@pytest.mark.parametrize("name", NAMES)
def test_a_slow_machine_without_gpus_is_not_said_to_have_a_hanging_driver(name: str) -> None:
    gpu = facts_of(name).gpu

    assert gpu is not None
    assert gpu.nvml is not None
    assert gpu.nvml.status == "library missing"
