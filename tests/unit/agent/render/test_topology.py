"""What is drawn of a node follows the kernel's numbering and the grant."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from agent.render.topology import MAX_THREADS, Core, Topology, topology
from agent.render.topology_svg import WIDTH, draw
from profiles.facts.cpu import CpuFacts, NumaNode
from profiles.node_facts import NodeFacts
from tests.unit.agent.render import nodes
from tests.unit.agent.render.made import HOSTILE, make

SVG = "{http://www.w3.org/2000/svg}"


def of(facts: NodeFacts) -> Topology:
    found = topology(make(facts=facts))
    assert found is not None
    return found


def cores_of(found: Topology) -> list[Core]:
    return [
        core
        for package in found.packages
        for node in package.nodes
        for group in node.groups
        for core in group.cores
    ]


def test_two_sockets_of_zen4() -> None:
    found = of(nodes.node(nodes.EPYC_9654_X2, nodes.cores(8, "0-3,192-195", host=384)))
    assert [package.label[:9] for package in found.packages] == ["Package 0", "Package 1"]
    first = found.packages[0].nodes[0]
    assert first.label == "NUMA 0, 384 GiB, CPUs 0-95,192-287"
    assert [len(group.cores) for group in first.groups] == [8] * 12
    assert first.groups[0].label == "L3 32 MiB"
    core = first.groups[0].cores[3]
    assert [thread.label for thread in core.threads] == ["CPU 3", "CPU 195"]
    assert all(thread.granted for thread in core.threads)
    granted = [thread.label for core in cores_of(found) for thread in core.threads if thread.granted]
    assert len(granted) == 8


def test_smt4_of_power_has_neighbouring_threads_and_memory_without_processors() -> None:
    found = of(nodes.node(nodes.POWER9))
    assert [thread.label for thread in cores_of(found)[1].threads] == ["CPU 4", "CPU 5", "CPU 6", "CPU 7"]
    assert found.packages[-1].label == "Memory without processors"
    assert found.packages[-1].nodes[0].label == "NUMA 8, 16 GiB, CPUs none"


def test_a_quota_is_a_share_of_all_and_not_some_cpus() -> None:
    found = of(nodes.node(nodes.EPYC_9654_X2, nodes.cores(6.5, "0-383", host=384)))
    assert {thread.granted for core in cores_of(found) for thread in core.threads} == {None}
    assert "6.5 cores' worth of time on any of these 384" in found.caption


def test_without_a_known_grant_nothing_is_claimed() -> None:
    found = of(nodes.node(nodes.ONE_CORE_VM))
    assert [thread.granted for thread in cores_of(found)[0].threads] == [None]
    assert "not known" in found.caption


@pytest.mark.parametrize(
    "cpu",
    [
        CpuFacts(machine="x86_64"),
        CpuFacts(machine="x86_64", online_cpus=2**31 - 1, packages=2, threads_per_core=2),
        CpuFacts(
            machine="x86_64",
            numa_nodes=tuple(NumaNode(node=n, cpus=f"0-{MAX_THREADS - 1}") for n in range(2)),
        ),
        CpuFacts(machine="x86_64", numa_nodes=(NumaNode(node=0, cpus="damaged"),)),
    ],
)
def test_what_cannot_be_drawn_is_not(cpu: CpuFacts) -> None:
    assert topology(make(facts=NodeFacts(cpu=cpu))) is None
    assert topology(make()) is None


def test_odd_counts_are_drawn_all_the_same() -> None:
    odd = CpuFacts(
        machine="x86_64",
        online_cpus=7,
        packages=2,
        threads_per_core=2,
        numa_nodes=(NumaNode(node=0, cpus="0-6"),),
    )
    assert sum(len(core.threads) for core in cores_of(of(NodeFacts(cpu=odd)))) == 7


@pytest.mark.parametrize("cpu", [nodes.EPYC_9654_X2, nodes.POWER9, nodes.ONE_CORE_VM])
def test_every_thread_is_one_bar_within_the_picture(cpu: CpuFacts) -> None:
    root = ET.fromstring(
        draw(of(nodes.node(cpu, nodes.cores(1, "0", host=cpu.online_cpus or 0), nodes.H100_MIG)))
    )
    bars = [bar for bar in root.iter(f"{SVG}rect") if bar.get("class") in {"yes", "no", "any"}]
    assert len(bars) == cpu.online_cpus
    assert sum(bar.get("class") == "yes" for bar in bars) == 1
    assert all(
        float(bar.get("x", 0)) >= 0 and float(bar.get("width", 0)) <= WIDTH for bar in root.iter(f"{SVG}rect")
    )
    assert "MIG 2g.20gb" in "".join(root.itertext())


def test_a_hostile_model_name_is_text() -> None:
    root = ET.fromstring(draw(of(nodes.node(CpuFacts(machine="x86_64", online_cpus=1, model_name=HOSTILE)))))
    assert not list(root.iter(f"{SVG}script"))
    assert "<script>" in "".join(root.itertext())
