"""What a node's own figure tells of the node."""

from __future__ import annotations

import pytest

from capacity.hs06 import findings
from capacity.hs06.catalogue import Catalogue
from capacity.hs06.model import Method, Rung
from tests.unit.capacity.hs06.nodes import EPYC_7302, MILAN_VM, POWER9, node, score

EXPECTED = Rung(method=Method.CATALOGUE, hs23_per_core=15.0, sigma=0.05, says="")


def speed(
    ratio: float, sigma: float = 0.02, spread: float = 0.0, memory_gib: int = 256, usual: float | None = 256.0
) -> dict[str, str]:
    own = Rung(method=Method.MEASURED, hs23_per_core=15.0 * ratio, sigma=sigma, says="")
    evidence = node(EPYC_7302.model_copy(update={"memory_bytes": memory_gib * 2**30}))
    return {f.code: f.level for f in findings.of_speed(own, EXPECTED, spread, evidence, usual)}


@pytest.mark.parametrize(
    ("ratio", "found"),
    [
        (1.0, {}), (0.95, {}), (0.92, {}),
        (0.885, {"slow-for-model": "notice"}),
        (0.84, {"slow-for-model": "warning"}),
        (0.6, {"slow-for-model": "problem"}),
        (1.08, {}), (1.2, {"fast-for-model": "notice"}),
        (1.45, {"fast-for-model": "warning"}), (1.9, {"fast-for-model": "problem"}),
    ],
)  # fmt: skip
def test_levels_follow_the_bands(ratio: float, found: dict[str, str]) -> None:
    assert speed(ratio) == found


def test_a_wide_measurement_proves_nothing() -> None:
    assert speed(0.8, sigma=0.3) == {}
    assert speed(0.8, spread=0.25) == {}


def test_half_the_memory_of_others_and_a_little_slow_are_half_the_channels() -> None:
    assert "half-memory-channels" in speed(0.84, memory_gib=128)
    assert "half-memory-channels" not in speed(0.84, memory_gib=256)
    assert "half-memory-channels" not in speed(0.6, memory_gib=128)
    assert "half-memory-channels" not in speed(0.84, memory_gib=128, usual=None)


def test_a_rung_without_figure_yields_nothing() -> None:
    empty = Rung(method=Method.PAYLOAD, says="", reason="none")
    assert not list(findings.of_speed(empty, EXPECTED, 0.0, node(EPYC_7302), None))


def test_the_sentence_has_the_figures() -> None:
    own = Rung(method=Method.MEASURED, hs23_per_core=9.0, sigma=0.01, says="")
    (found,) = findings.of_speed(own, EXPECTED, 0.0, node(EPYC_7302), None)
    assert "9.0 HS23 per CPU" in found.says
    assert "0.60 of the 15.0" in found.says
    assert "0.7-1.5" in found.says
    assert found.hint


def test_throttling_and_stolen_time_are_told() -> None:
    evidence = node(EPYC_7302, scores=(score(throttled=True), score(kernel="mkfit", steal_share=0.12)))
    codes = {f.code: f.says for f in findings.of_state(evidence)}
    assert "clue" in codes["throttled"]
    assert "12 %" in codes["oversubscribed"]


def test_quiet_nodes_have_no_findings() -> None:
    evidence = node(EPYC_7302, load_1min=64.0, scores=(score(throttled=False, steal_share=0.02),))
    assert not list(findings.of_state(evidence))


def test_more_load_than_cpus_is_told() -> None:
    (found,) = findings.of_state(node(EPYC_7302, load_1min=120.0))
    assert found.code == "oversubscribed"
    assert "120 on 64 CPUs" in found.says


def test_virtual_machines_are_flagged() -> None:
    (found,) = findings.of_processor(
        MILAN_VM, "the name tells the brand, not the model", Method.FAMILY, calibrated=True
    )
    assert found.code == "virtual-machine"
    assert not list(findings.of_processor(EPYC_7302, None, Method.CATALOGUE, calibrated=True))


def test_what_nobody_measured_names_the_rung_that_it_stands_on() -> None:
    (found,) = findings.of_processor(POWER9, None, Method.PAYLOAD, calibrated=False)
    assert "ppc64le" in found.says
    assert "stands on payload alone" in found.says


def test_half_channels_cost_what_the_band_says() -> None:
    """Gold 6140 of one site with 4 and with 8 DIMMs of 32 GB, SMT on and off."""
    table = [
        row for row in Catalogue.shipped().rows if row.key == "intel xeon gold 6140" and row.site == "IHEP"
    ]
    half, full = (
        {row.smt_on: row.hs06_total for row in table if row.memory_gib == gib} for gib in (128, 256)
    )
    assert half.keys() == full.keys() == {False, True}
    for smt_on in (False, True):
        ratio = (half[smt_on] or 0) / (full[smt_on] or 1)
        assert findings.HALF_CHANNELS[0] <= ratio <= findings.HALF_CHANNELS[1]
