"""Whole profiles from machines of other kinds than this one."""

from __future__ import annotations

import json

import pytest

from profiles.node_facts import NodeFacts
from tests.lab import vm
from tests.lab.profiles import complete_profile
from tests.lab.vm_console import VirtualMachine

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.xdist_group("vm")]

# Not all probes: those that start threads or import much may run out of their time where processors are emulated.
PROBES = ("--site-profile", "no-outbound", "context", "batch", "cores", "cpu", "memory")


def facts_of(machine: VirtualMachine, *, setup: str = "", cgroup: str = "") -> NodeFacts:
    return complete_profile(json.dumps(machine.probe(PROBES, setup=setup, cgroup=cgroup))).facts


def test_two_sockets_and_a_nested_slice(vm_x86_v2: VirtualMachine) -> None:
    facts = facts_of(vm_x86_v2, setup=vm.NESTED_SLICE, cgroup="job/step")

    assert facts.cpu is not None
    assert (facts.cpu.machine, facts.cpu.packages, facts.cpu.physical_cores) == ("x86_64", 2, 4)
    assert [(node.node, node.cpus) for node in facts.cpu.numa_nodes or ()] == [(0, "0-1"), (1, "2-3")]
    assert facts.cores is not None
    assert (facts.cores.cgroup_version, facts.cores.host_cpus, facts.cores.effective_cores) == ("v2", 4, 1.5)
    assert facts.memory is not None
    assert facts.memory.effective_bytes == 201_326_592


def test_neoverse_n1(vm_neoverse_n1: VirtualMachine) -> None:
    cpu = facts_of(vm_neoverse_n1).cpu

    assert cpu is not None
    assert (cpu.machine, cpu.archspec_name) == ("aarch64", "neoverse_n1")
    assert [(core.implementer, core.part) for core in cpu.arm_cores or ()] == [("0x41", "0xd0c")]


def test_power9(vm_power9: VirtualMachine) -> None:
    cpu = facts_of(vm_power9).cpu

    assert cpu is not None
    assert (cpu.machine, cpu.archspec_name, cpu.power_generation) == ("ppc64le", "power9le", 9)
