"""What there is: pledges by their magnitude, a fleet carried on, the first year that is short."""

from __future__ import annotations

import numpy as np
import pytest

from computing_model.errors import ModelError
from computing_model.outlook import outlook
from computing_model.supply import Fleet, pledged, project

CPU = "cpu_khs06_years"


def fleet(khs06: float = 3000.0) -> Fleet:
    return Fleet(
        2026.9,
        (khs06, khs06 * 0.9, khs06 * 1.1),
        (khs06 * 0.8, khs06 * 0.7, khs06 * 0.9),
        {"H100": 2},
        0.5,
        "test",
    )


def test_pledges_in_the_wrong_unit_are_caught() -> None:
    assert pledged({2018: 1914.3, 2017: 1729.5}, "file") == {2017: 1729.5, 2018: 1914.3}
    with pytest.raises(ModelError, match="looks like HS06, divide by 1000"):
        pledged({2018: 1_914_272}, "file")
    with pytest.raises(ModelError, match="looks like MHS06, multiply by 1000"):
        pledged({2018: 0.0019}, "file")
    with pytest.raises(ModelError, match="file"):
        pledged({2018: float("nan")}, "file")


def test_a_fleet_is_carried_on_from_the_year_it_was_measured_in() -> None:
    found = project(fleet(), 0.10, [2025, 2026, 2027])
    assert np.isnan(found.nominal_khs06[0])
    assert found.nominal_khs06[1:] == pytest.approx([3000, 3300])
    assert found.usable_khs06[1:] == pytest.approx([2400, 2640])


def test_a_fleet_without_an_estimate_is_told() -> None:
    with pytest.raises(ModelError, match="no node has an estimate yet"):
        project(fleet(0.0), 0.10, [2026])


def test_the_first_year_that_is_short() -> None:
    made = outlook(["baseline"], fleet=fleet(6000))
    scenario = made.scenarios[0]
    assert made.projected is not None
    assert made.first_short(scenario, CPU, made.projected.nominal_khs06) == 2027
    assert made.first_short(scenario, CPU, made.flat(CPU)) == 2027
    assert made.first_short(scenario, CPU, np.full(len(made.years), 1e9)) is None
    gap = made.gap(scenario, CPU)
    assert gap is not None
    assert gap[made.years.index(2029)] < 0


def test_without_an_origin_nothing_is_said_of_tape() -> None:
    made = outlook(["baseline"], {"budget.tape_pb": 262.5})
    assert made.flat("tape_pb") is not None
    assert made.first_short(made.scenarios[0], "tape_pb", None) is None
