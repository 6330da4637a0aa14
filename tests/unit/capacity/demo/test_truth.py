"""The synthetic fleet: the same seed gives the same machines, and they are what they are said to be."""

from __future__ import annotations

import math
from collections import Counter
from itertools import islice
from statistics import fmean

import pytest

from capacity.demo.cpus import demo_cpus
from capacity.demo.truth import COUNTRIES, FAULTS, GPU_SHARE, GPUS, NODE_SPREAD, DemoNode, demo_nodes
from capacity.hs06.catalogue import Catalogue

KERNELS = ("clue", "mkfit")
CPUS = demo_cpus(Catalogue.shipped())


def fleet(count: int, seed: int = 1) -> list[DemoNode]:
    return list(demo_nodes(count, CPUS, KERNELS, seed))


@pytest.fixture(scope="module")
def large() -> list[DemoNode]:
    """Enough nodes to count what is rare."""
    return fleet(8000)


def test_a_seed_is_a_fleet_and_a_smaller_one_is_its_beginning() -> None:
    assert fleet(300) == fleet(300)
    assert fleet(300)[:100] == fleet(100)
    assert fleet(300) != fleet(300, seed=2)


def test_nodes_are_made_when_they_are_asked_for() -> None:
    assert len(list(islice(demo_nodes(10**9, CPUS, KERNELS, 1), 5))) == 5


@pytest.mark.parametrize("count", [0, -1])
def test_a_fleet_has_a_node(count: int) -> None:
    with pytest.raises(ValueError, match="one node"):
        fleet(count)


def test_a_fleet_needs_a_processor() -> None:
    with pytest.raises(ValueError, match="one processor"):
        list(demo_nodes(1, [], KERNELS, 1))


def test_every_machine_is_another_one(large: list[DemoNode]) -> None:
    assert len({(node.site, node.number) for node in large}) == len(large)


def test_sites_look_like_those_of_the_grid(large: list[DemoNode]) -> None:
    sizes = Counter(node.site for node in large)
    kinds = {site: len({node.cpu for node in large if node.site == site}) for site in sizes}
    assert {site.split("_")[1] for site in sizes} == set(COUNTRIES)
    assert max(kinds.values()) <= 4, "a site buys a few kinds of machines, not the whole catalogue"
    assert max(sizes.values()) > 2 * fmean(sizes.values()), "some sites are much larger than others"


def test_the_processors_are_those_of_the_catalogue_and_their_truth_is_published() -> None:
    rows = {
        (row.cpu_model, row.logical_cpus, row.hs23_total)
        for row in Catalogue.shipped().rows
        if row.left_out is None and not row.virtual
    }
    assert {(cpu.model_name, cpu.logical_cpus, cpu.hs23) for cpu in CPUS} <= rows
    assert len({cpu.model_name for cpu in CPUS}) > 50


def test_the_mix_has_old_and_new_processors_of_several_makers(large: list[DemoNode]) -> None:
    makers = Counter(
        "AMD" if "AMD" in node.cpu.model_name else "Intel" if "Intel" in node.cpu.model_name else "other"
        for node in large
    )
    per_core = [node.cpu.hs23 / node.cpu.logical_cpus for node in large]
    assert min(makers["AMD"], makers["Intel"]) > 0.15 * len(large)
    assert max(per_core) > 2 * min(per_core)
    assert all(3 < value < 60 for value in per_core)


def test_a_sound_node_is_worth_what_its_model_is_within_the_spread_of_like_nodes(
    large: list[DemoNode],
) -> None:
    logs = [math.log(node.hs23 / node.cpu.hs23) for node in large if node.fault is None]
    assert fmean(logs) == pytest.approx(0, abs=3 * NODE_SPREAD / math.sqrt(len(logs)))
    assert math.sqrt(fmean(one**2 for one in logs)) == pytest.approx(NODE_SPREAD, rel=0.05)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_as_frequent_and_as_costly_as_it_says(large: list[DemoNode], fault: object) -> None:
    hit = [node for node in large if node.fault == fault]
    known = next(one for one in FAULTS if one == fault)
    spread = math.sqrt(known.share * (1 - known.share) / len(large))
    assert len(hit) / len(large) == pytest.approx(known.share, abs=0.1 * known.share + 4 * spread)
    assert fmean(node.hs23 / node.cpu.hs23 for node in hit) == pytest.approx(known.slows_to, rel=0.01)


def test_slots_never_have_more_cores_than_the_node(large: list[DemoNode]) -> None:
    for node in large:
        assert 1 <= sum(node.slots) <= node.cpu.logical_cpus
        assert len(node.slots) == 1 or set(node.slots) == {8}
    assert {len(node.slots) > 1 for node in large} == {True, False}


def test_some_nodes_have_gpus_of_one_kind(large: list[DemoNode]) -> None:
    with_gpus = [node for node in large if node.gpus]
    assert len(with_gpus) / len(large) == pytest.approx(GPU_SHARE, abs=0.01)
    assert all(len(set(node.gpus)) == 1 and len(node.gpus) in (1, 2, 4) for node in with_gpus)
    assert {node.gpus[0] for node in with_gpus} == set(GPUS)
