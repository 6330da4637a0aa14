"""Sums: what is shared adds linearly, what is independent in quadrature; the coverage is tried on made-up fleets."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from capacity.fleet.model import Interval, Pledge, Total
from capacity.fleet.places import by_name, completed
from capacity.fleet.rollup import COMMON_SIGMA, MOST_REASONS, OWN_SIGMA, interval, roll
from capacity.hs06.model import Method


def total(hs23: float = 1000.0, sigma: float = 0.1, nodes: int = 1, **changes: Any) -> Total:
    """`nodes` equal nodes that have `hs23` together."""
    values: dict[str, Any] = {
        "site": "T2_LV_Example",
        "cpu_key": "xeon gold 6326",
        "method": "measured",
        "usable": True,
        "nodes": nodes,
        "granted_cores": 64.0 * nodes,
        "hs23": hs23,
        "hs23_sigma": hs23 * sigma,
        "hs23_sigma_sq": nodes * (hs23 / nodes * sigma) ** 2,
    }
    return Total.model_validate({**values, **changes})


def relative(of: Interval) -> float:
    assert of.high / of.value == pytest.approx(of.value / of.low)
    return math.log(of.high / of.value)


@pytest.mark.parametrize("method", [method.value for method in Method])
def test_one_node_keeps_its_interval(method: str) -> None:
    assert relative(interval([total(sigma=0.17, method=method)])) == pytest.approx(0.17)


def test_independent_errors_average_out() -> None:
    assert relative(interval([total(nodes=100, sigma=0.02)])) == pytest.approx(0.002)
    assert relative(interval([total(sigma=0.02) for _ in range(100)])) == pytest.approx(0.002)


def test_shared_errors_do_not() -> None:
    fleet = [total(nodes=10_000, sigma=0.05, method="catalogue")]
    assert relative(interval(fleet)) == pytest.approx(math.sqrt(0.05**2 - OWN_SIGMA**2), rel=0.001)

    small = [total(nodes=10_000, sigma=OWN_SIGMA, method="catalogue")]
    assert relative(interval(small)) == pytest.approx(OWN_SIGMA / 100)


def test_rows_of_two_models_have_the_error_of_the_references_in_common_and_no_other() -> None:
    one = total(method="catalogue", sigma=0.10)
    other = total(method="catalogue", sigma=0.10, cpu_key="epyc 7702")

    apart = math.sqrt(0.10**2 - COMMON_SIGMA**2) / math.sqrt(2)
    assert relative(interval([one, other])) == pytest.approx(math.hypot(apart, COMMON_SIGMA))
    assert relative(interval([one, one])) > 0.095


def test_hs06_that_was_measured_on_each_node_is_brought_to_hs23_by_one_ratio_a_model() -> None:
    one_model = [total(nodes=10_000, sigma=0.07)]
    assert relative(interval(one_model)) == pytest.approx(math.sqrt(0.07**2 - OWN_SIGMA**2), rel=0.001)

    many = [total(nodes=100, sigma=0.07, cpu_key=f"model {n}") for n in range(400)]
    assert COMMON_SIGMA <= relative(interval(many)) < 0.045


@pytest.mark.parametrize("method", ["measured", "catalogue", "family", "payload", "default"])
def test_no_sum_is_better_than_the_references(method: str) -> None:
    fleet = [
        total(method=method, sigma=0.06, nodes=100, cpu_key=f"model {n}", calibration_version=f"{n}")
        for n in range(400)
    ]
    assert relative(interval(fleet)) >= COMMON_SIGMA


def test_what_was_measured_on_the_nodes_narrows_a_sum_by_its_share() -> None:
    published = [total(method="catalogue", sigma=0.06, cpu_key=f"model {n}") for n in range(400)]
    measured = [total(sigma=0.01, cpu_key=f"model {n}") for n in range(400)]

    assert relative(interval(measured)) < 0.001
    assert relative(interval(published + measured)) == pytest.approx(COMMON_SIGMA / 2, rel=0.01)


def test_a_calibration_is_shared_by_all_models() -> None:
    def calibrated(cpu_key: str, version: str = "1") -> Total:
        return total(method="payload", sigma=0.1, cpu_key=cpu_key, calibration_version=version)

    assert relative(interval([calibrated("a"), calibrated("b")])) == pytest.approx(0.1, rel=0.02)
    two = relative(interval([calibrated("a"), calibrated("b", "2")]))
    assert 0.1 / math.sqrt(2) < two < 0.08


def test_a_provisional_calibration_never_averages_out() -> None:
    fleet = [
        total(
            nodes=1000, sigma=0.25, method=method, provisional=True, cpu_key=method, calibration_version="p"
        )
        for method in ("payload", "family")
    ]
    assert relative(interval(fleet)) == pytest.approx(0.25, rel=0.01)


def test_the_constant_is_wrong_for_all_alike() -> None:
    assert relative(interval([total(nodes=1000, sigma=0.5, method="default")])) == pytest.approx(
        0.5, rel=0.01
    )


@pytest.mark.parametrize("models", [3, 30])
def test_the_interval_of_a_sum_covers_the_truth(models: int) -> None:
    """68 % of made-up fleets: an error of all references, one per model, one per node; some nodes were measured."""
    dice = random.Random(5)
    trials, inside = 1000, 0
    for _ in range(trials):
        said: list[Total] = []
        truth = 0.0
        references = dice.gauss(0, COMMON_SIGMA)
        sigma = math.hypot(COMMON_SIGMA, 0.06, OWN_SIGMA)
        for number in range(models):
            common = references + dice.gauss(0, 0.06)
            for _ in range(4):
                truth += 1000 * math.exp(-common - dice.gauss(0, OWN_SIGMA))
                said.append(total(1000, sigma, method="catalogue", cpu_key=f"model {number}"))
        truth += sum(1000 * math.exp(-dice.gauss(0, OWN_SIGMA)) for _ in range(5))
        said.append(total(5000, OWN_SIGMA, nodes=5))
        found = interval(said)
        inside += found.low <= truth <= found.high
    assert 0.63 <= inside / trials <= 0.73


def test_a_roll_tells_capacity_from_usable_capacity() -> None:
    rolled = roll(
        "site",
        "T2_LV_Example",
        [
            total(),
            total(usable=False, unusable_reason="cvmfs: not mounted"),
            total(usable=None, unusable_reason="cvmfs: nobody looked"),
            total(stale=True),
            total(method=None, hs23=0, granted_cores=0),
        ],
    )

    assert (rolled.nodes, rolled.stale_nodes, rolled.unusable_nodes) == (5, 1, 1)
    assert (rolled.unverified_nodes, rolled.pending_nodes) == (1, 1)
    assert rolled.hs23.value == 3000
    assert rolled.hs23_usable.value == 1000
    assert rolled.granted_cores == 192
    assert rolled.constant_10_hs23 == 1920
    assert rolled.hs23_per_core is not None
    assert rolled.hs23_per_core.value == pytest.approx(15.625)
    assert rolled.unusable_reasons == {"cvmfs: nobody looked": 1, "cvmfs: not mounted": 1}
    assert rolled.methods == {"measured": 3}


def test_the_most_frequent_reasons_are_listed() -> None:
    rare = [total(usable=False, unusable_reason=f"memory: 0.{i} GB per core") for i in range(40)]
    often = total(usable=False, unusable_reason="cvmfs: not mounted", nodes=3)
    reasons = roll("cms", "CMS", [*rare, often]).unusable_reasons

    assert len(reasons) == MOST_REASONS
    assert next(iter(reasons.items())) == ("cvmfs: not mounted", 3)


def test_a_roll_of_nothing_has_no_figure_per_core() -> None:
    rolled = roll("cms", "CMS", [])

    assert rolled.hs23_per_core is None
    assert rolled.hs23 == Interval(value=0, low=0, high=0)
    assert rolled.pledge_hs23 is None
    assert rolled.last_seen_at is None


def test_pledges_of_the_latest_year_count() -> None:
    def pledge(federation: str, year: int, cpu_hs23: float) -> Pledge:
        return Pledge(federation=federation, year=year, cpu_hs23=cpu_hs23, source="test")

    rolled = roll(
        "cms", "CMS", [total()], [pledge("A", 2025, 1.0), pledge("A", 2026, 800.0), pledge("B", 2026, 1200.0)]
    )

    assert (rolled.pledge_hs23, rolled.pledge_year) == (2000.0, 2026)


def test_provisional_share() -> None:
    rolled = roll("cms", "CMS", [total(3000), total(1000, provisional=True)])

    assert rolled.provisional_share == 0.25


def test_names_of_sites_tell_where_they_are() -> None:
    assert (by_name("T2_DE_DESY").country, by_name("T2_DE_DESY").tier) == ("DE", 2)
    assert by_name("somewhere").tier is None
    told = by_name("T1_US_FNAL").model_copy(update={"country": "USA"})
    assert completed(told).country == "USA"
