"""Every row of the acceptance table: what the talk prints, what its inputs give, and whether one is the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from computing_model import talk
from computing_model.acceptance import Row, table, volumes
from computing_model.budget import flat
from computing_model.tables import lines

EXPECTED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "acceptance.json").read_text())


def ours() -> dict[str, Row]:
    return {row.id: row for row in table()}


def test_no_row_is_missing_and_none_is_new() -> None:
    assert sorted(ours()) == sorted(row["id"] for row in EXPECTED)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda row: row["id"])
def test_row(expected: dict[str, Any]) -> None:
    row = ours()[expected["id"]]
    assert row.printed == pytest.approx(expected["printed"])
    assert row.computed == pytest.approx(expected["computed"], abs=6e-5)
    if expected["rounded"] is not None:
        assert row.rounded == pytest.approx(expected["rounded"])
    assert row.reproduces is expected["reproduces"]
    assert (row.note is None) is row.reproduces


@pytest.mark.parametrize(
    ("key", "pb"),
    [
        (("data", "run4", "RAW"), 141.9),
        (("data", "run4", "AOD"), 46.2),
        (("data", "run4", "MiniAOD"), 5.94),
        (("data", "run4", "NanoAOD"), 0.132),
        (("data", "run5", "RAW"), 389.4),
        (("data", "run5", "AOD"), 132.0),
        (("data", "run5", "MiniAOD"), 16.5),
        (("data", "run5", "NanoAOD"), 0.264),
        (("mc", "run4", "AOD"), 110.6),
        (("mc", "run4", "MiniAOD"), 14.22),
        (("mc", "run4", "NanoAOD"), 0.316),
        (("mc", "run5", "AOD"), 200.0),
        (("mc", "run5", "MiniAOD"), 25.0),
        (("mc", "run5", "NanoAOD"), 0.400),
    ],
)
def test_volumes_of_a_year(key: tuple[str, str, str], pb: float) -> None:
    assert volumes()[key] == pytest.approx(pb, rel=1e-9)


def test_fast_chain() -> None:
    assert talk.fast_chain(0.1, 2) == pytest.approx(0.95)
    assert talk.fast_chain(0.5, 10) == pytest.approx(0.55)


@pytest.mark.parametrize(
    ("offloaded", "cost", "gain"),
    [(0.245, 0.8425, 1.187), (0.25, 0.8393, 1.191), (0.32, 0.7943, 1.259), (1, 0.3571, 2.8)],
)
def test_cost_of_offload(offloaded: float, cost: float, gain: float) -> None:
    assert talk.relative_cost(offloaded) == pytest.approx(cost, abs=5e-5)
    assert 1 / talk.relative_cost(offloaded) == pytest.approx(gain, abs=5e-4)


def test_rejected_readings_do_not_give_the_printed_numbers() -> None:
    found = lines("gpu_offload", "reco_offload_percent")
    without_groups = [line._replace(group=None) for line in found]
    assert 100 * talk.offload(without_groups, weighted=False) == pytest.approx(37)
    assert 100 * talk.offload(without_groups, weighted=True) == pytest.approx(27)
    assert 100 * sum(
        line.probability * line.share for line in lines("cpu_rnd", "reco_percent")
    ) == pytest.approx(65)


@pytest.mark.parametrize(
    ("year", "cpu", "disk", "tape"),
    [
        (2022, (2803, 3348, 3969), (215, 257, 305), (384, 459, 544)),
        (2027, (4514, 6734, 9877), (347, 518, 759), (619, 923, 1354)),
        (2030, (6008, 10242, 17068), (462, 787, 1312), (824, 1404, 2341)),
        (2031, (6609, 11778, 20481), (508, 905, 1574), (906, 1615, 2809)),
        (2034, (8796, 17913, 35392), (676, 1377, 2720), (1206, 2456, 4853)),
    ],
)
def test_flat_budget_from_the_pledges_of_2018(
    year: int, cpu: tuple[int, ...], disk: tuple[int, ...], tape: tuple[int, ...]
) -> None:
    for origin, expected in ((1914.272, cpu), (147.129, disk), (262.505, tape)):
        found = [float(flat(origin, growth, 2018, [year])[0]) for growth in (0.10, 0.15, 0.20)]
        assert [round(value) for value in found] == list(expected)


@pytest.mark.parametrize(
    ("year", "cpu", "disk"),
    [(2022, (2699, 3054, 3438), (224, 254, 286)), (2031, (6365, 10745, 17739), (529, 892, 1473))],
)
def test_flat_budget_from_the_origin_of_the_plots(
    year: int, cpu: tuple[int, ...], disk: tuple[int, ...]
) -> None:
    for origin, expected in ((2071.0, cpu), (172.0, disk)):
        found = [float(flat(origin, growth, 2019.22, [year])[0]) for growth in (0.10, 0.15, 0.20)]
        assert found == pytest.approx(expected, rel=0.003)


def test_halves_are_rounded_as_in_print() -> None:
    assert talk.half_up(24.5) == 25
    assert talk.half_up(-52.75, 10) == -50
    assert talk.half_up(170.908, 0.1) == pytest.approx(170.9)
