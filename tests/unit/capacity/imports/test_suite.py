"""Suite reports: full runs are taken, everything that only looks like one is refused with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import BadInputError
from capacity.imports import Imported, suite
from capacity.imports.reading import MAX_BYTES
from tests.unit.capacity.imports.reports import HEPSCORE19, HS06_32, version2, version3


def read(*reports: Any) -> Imported:
    return suite.read(json.dumps(reports[0] if len(reports) == 1 else reports).encode())


def changed(path: str, value: Any) -> dict[str, Any]:
    """Version 3 with one value set, or removed if it is None."""
    report = version3()
    at: Any = report
    *parents, last = path.split("/")
    for name in parents:
        at = at[name]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return report


def test_a_full_run_is_a_truth_of_its_node() -> None:
    found = read(version3())
    (score,) = found.scores

    assert found.problems == ()
    assert (score.kind, score.total, score.loaded_cpus) == ("HS23", 796.0658, 64)
    assert (score.site, score.hostname) == ("T2_LV_Example", "wn042.example.org")
    assert score.measured_at is not None
    assert score.measured_at.isoformat() == "2025-03-04T11:06:07+00:00"
    assert score.cpu.model_name == "Intel(R) Xeon(R) Silver 4216 CPU @ 2.10GHz"
    assert (score.cpu.logical_cpus, score.cpu.physical_cores, score.cpu.packages) == (64, 32, 2)
    assert score.cpu.max_clock_ghz == 3.2
    assert score.cpu.memory_bytes == 196608000 * 1024
    assert score.cpu.virtualised is False
    assert score.cpu.smt_on is True
    assert score.ratios["lhcb-sim-run3-ma-bmk"] == pytest.approx(0.8656)


def test_addresses_and_serial_numbers_are_not_taken() -> None:
    kept = read(version3()).model_dump_json()

    assert "192.0.2.42" not in kept
    assert "SECRET" not in kept


def test_an_old_report_with_a_full_hs06() -> None:
    found = read(version2(hs06_32=HS06_32))
    (score,) = found.scores

    assert (score.kind, score.total, score.loaded_cpus) == ("HS06", 520.69, 48)
    assert score.site is None, "CERN is no name of a CMS site"
    assert (score.cpu.logical_cpus, score.cpu.physical_cores) == (48, 24)
    assert score.cpu.virtualised is None
    assert found.problems == ()


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (version2(hepscore=HEPSCORE19), "'HEPscore19', not HEPscore23"),
        (version2(), "holds neither HEPscore23 nor HS06 (DB12)"),
        (version2(hs06_32={**HS06_32, "num_bmks": 1, "bset": "453.povray"}), "ran 1 of the 7 benchmarks"),
        (version2(hs06_32={**HS06_32, "score": -1}), "no score"),
        (version2(hs06_64=HS06_32), "64-bit build"),
        (changed("profiles/hepscore/settings/name", "HEPscore23Beta"), "not HEPscore23"),
        (changed("profiles/hepscore/settings/scaling", 355), "scaled to 1018, this one to 355"),
        (changed("profiles/hepscore/status", "failed"), "did not succeed"),
        (changed("profiles/hepscore/score", -1), "did not succeed"),
        (changed("profiles/hepscore/score", 900.0), "workloads give 796.1, its score says 900.0"),
        (changed("profiles/hepscore/wl-scores/lhcb-sim-run3-ma-bmk", None), "6 of the 7 workloads"),
        (changed("json_version", "4.0"), "2.x and 3.x are read"),
        (changed("_id", None), "could be counted twice"),
        (changed("host", None), "not a report of the HEP Benchmark Suite"),
        (changed("suite/flags/ncores", 2), "796 on 2 CPUs is no possible score"),
        ([1], "not a report"),
        ("text", "not a report"),
        (None, "not a report"),
    ],
)
def test_what_is_no_truth_is_left_out_with_its_reason(report: Any, says: str) -> None:
    found = read(report)

    assert found.scores == ()
    assert len(found.problems) == 1
    assert says in found.problems[0]


@pytest.mark.parametrize(
    "missing", ["suite", "host/tags", "host/hostname", "_timestamp_end", "host/HW/MEMORY"]
)
def test_what_is_not_needed_may_be_missing(missing: str) -> None:
    assert len(read(changed(missing, None)).scores) == 1


def test_without_any_number_of_cpus_there_is_no_score() -> None:
    report = changed("suite/flags/ncores", "not_available")
    report["host"]["HW"]["CPU"]["CPU_num"] = -1

    assert "how many CPUs" in read(report).problems[0]


def test_many_at_once_a_bad_one_costs_itself() -> None:
    good, other = version3(), version3(_id="another")
    lines = b"\n".join([json.dumps(good).encode(), b'{"cut": ', json.dumps(other).encode()])
    by_line = suite.read(lines)
    assert len(by_line.scores) == 2
    assert by_line.problems[0].startswith("line 2 of the Suite report is not JSON")

    assert len(read([good, other]).scores) == 2
    answer = {"hits": {"hits": [{"_id": "x", "_source": good}]}}
    assert len(read(answer).scores) == 1


def test_nan_is_not_known() -> None:
    text = json.dumps(changed("profiles/hepscore/score", float("nan")))

    assert "did not succeed" in suite.read(text.encode()).problems[0]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": ' * 50_000, b"{}" + b" " * MAX_BYTES],
    ids=range(6),
)
def test_what_cannot_be_read_costs_a_sentence(data: bytes) -> None:
    with pytest.raises(BadInputError, match=r"^the Suite report (is|has)"):
        suite.read(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
_PLACES = [
    "host", "host/hostname", "host/tags", "host/HW", "host/HW/CPU", "host/HW/CPU/CPU_num", "host/HW/CPU/Sockets", "_id",
    "host/HW/MEMORY", "host/HW/MEMORY/Mem_Total", "json_version", "profiles", "profiles/hepscore", "_timestamp",
    "profiles/hepscore/score", "profiles/hepscore/wl-scores", "profiles/hepscore/settings", "suite", "suite/flags/ncores",
]  # fmt: skip


@given(st.sampled_from(_PLACES), _JSON)
def test_anything_anywhere_gives_a_score_or_a_sentence(place: str, value: Any) -> None:
    report = changed(place, value) if value is not None else changed(place, 0)
    found = read(report)

    assert len(found.scores) + len(found.problems) >= 1
    assert all(len(problem) < 500 for problem in found.problems)
