"""CRIC, REBUS and the tables that people keep. The REBUS lines are those of its public list of 2016."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import BadInputError
from capacity.imports import KINDS, Imported, cric, read, rebus, tables
from capacity.imports.reading import MAX_PROBLEMS, integer, moment, number, text

TODAY = date(2026, 11, 20)


def federations(**pledges: Any) -> bytes:
    entry = {
        "name": "Latvia Federation",
        "accounting_name": "LV-Fed",
        "rcsites": ["EXAMPLE-LCG2"],
        "pledges": pledges,
    }
    return json.dumps({"LV-Fed": entry}).encode()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-04-01", (2026, 1)),
        ("2026-06-30", (2026, 1)),
        ("2026-11-20", (2026, 3)),
        ("2027-03-31", (2026, 4)),
    ],
)
def test_a_pledge_year_begins_in_april(day: str, expected: tuple[int, int]) -> None:
    assert cric.pledge_quarter(date.fromisoformat(day)) == expected


def test_the_quarter_of_today_counts_in_this_year_the_last_one_in_others() -> None:
    quarters = {f"Q{i}": {"cms": {"CPU": 1000 * i, "Disk": 5}} for i in (1, 2, 3, 4)}
    found = cric.read_federations(federations(**{"2026": quarters, "2025": quarters}), TODAY)

    assert {(p.year, p.cpu_hs23) for p in found.pledges} == {(2026, 3000.0), (2025, 4000.0)}
    assert found.pledges[0].federation == "Latvia Federation"
    assert "Q3" in found.pledges[0].source


@pytest.mark.parametrize("value", [None, 0, "0"])
def test_no_pledge_to_cms_is_no_pledge(value: Any) -> None:
    found = cric.read_federations(
        federations(**{"2026": {"Q3": {"atlas": {"CPU": 7}, "cms": {"CPU": value}}}}), TODAY
    )

    assert found.pledges == ()
    assert found.problems == ()


@pytest.mark.parametrize("value", ["lots", -5, 1e300, [1], {"a": 1}, "not_available"])
def test_a_pledge_that_is_no_number_is_told(value: Any) -> None:
    found = cric.read_federations(federations(**{"2026": {"Q3": {"cms": {"CPU": value}}}}), TODAY)

    assert found.pledges == ()
    assert "Latvia Federation" in found.problems[0]


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"a": 1}', b'{"a": {"pledges": null}}', b"<html>"])
def test_what_is_no_list_of_federations_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError):
        cric.read_federations(data, TODAY)


def test_sites_of_cms() -> None:
    listed = {
        "T2_LV_Example": {
            "name": "T2_LV_Example",
            "facility": "LV_Example",
            "country_code": "LV",
            "tier_level": 2,
        },
        "T1_DE_KIT_Disk": {"name": "T1_DE_KIT_Disk", "country_code": "DE", "tier_level": 1},
        "Some Where": {"name": "Some Where"},
    }
    found = cric.read_sites(json.dumps(listed).encode())

    assert [(site.name, site.country, site.tier) for site in found.sites] == [("T2_LV_Example", "LV", 2)]
    assert found.problems == ("'Some Where' is not the name of a CMS site",)
    with pytest.raises(BadInputError, match="cms-cric"):
        cric.read_sites(b'{"a": {}}')


REBUS_CSV = b"""Country,Federation,Pledge Type,ALICE,% of Req.,ATLAS,% of Req.,CMS,% of Req.,LHCb,% of Req.,SUM,% of Req.
Austria,Austrian Tier-2 Federation,CPU (HEP-SPEC06),,,1857,0%,5000,1%,,,6857,1%
Austria,Austrian Tier-2 Federation,Disk (Tbytes),,,120,0%,500,2%,,,620,1%
Brazil,"SPRACE, Sao Paulo",CPU (HEP-SPEC06),,,,,13698,4%,,,13698,4%
Canada,Canada-East Federation,CPU (HEP-SPEC06),,,10625,3%,,,,,10625,3%
"""


def test_rebus_csv() -> None:
    found = rebus.read(REBUS_CSV, 2016)

    assert [(p.federation, p.year, p.cpu_hs23) for p in found.pledges] == [
        ("Austrian Tier-2 Federation", 2016, 5000.0),
        ("SPRACE, Sao Paulo", 2016, 13698.0),
    ]


def test_rebus_json() -> None:
    rows = [
        {
            "PledgeType": "CPU",
            "Federation": "CH-CERN",
            "PledgeUnit": "HEP-SPEC06",
            "Tier": "Tier 0",
            "CMS": 423000,
        },
        {"PledgeType": "Disk", "Federation": "CH-CERN", "PledgeUnit": "Tbytes", "CMS": 26100},
        {"PledgeType": "CPU", "Federation": "LBNL ALICE Berkeley CA", "CMS": ""},
    ]
    found = rebus.read(json.dumps(rows).encode(), 2019)

    assert [(p.federation, p.cpu_hs23, p.source) for p in found.pledges] == [
        ("CH-CERN", 423000.0, "REBUS, pledges of 2019")
    ]


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"[1]", b"{}", b"[]", b'"Federation'])
def test_what_is_no_rebus_list_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError):
        rebus.read(data, 2016)


SCORES = b"""# measured with HEPscore 1.5
site;hostname;cpu_model;logical_cpus;threads_per_core;memory_gb;hs23;measured_on
T2_LV_Example;wn1;AMD EPYC 7702 64-Core Processor;256;2;512;2643;2024-02-03
T2_LV_Example;;;128;;;1500;
NOWHERE;wn3;x;8;1;;100;
T2_LV_Example;wn4;x;8;1;;fast;
T2_LV_Example;wn5;x;8;1;;100;yesterday
"""


def test_a_table_of_scores() -> None:
    found = tables.read_scores(SCORES)
    (score,) = found.scores

    assert (score.total, score.loaded_cpus, score.hostname) == (2643.0, 256, "wn1")
    assert score.cpu.memory_bytes == 512_000_000_000
    assert score.measured_at is not None
    assert score.measured_at.date() == date(2024, 2, 3)
    assert [problem.split(":")[0] for problem in found.problems] == ["line 4", "line 5", "line 6", "line 7"]
    assert "nobody could tell" in found.problems[0]


def test_hs06_totals_are_told_as_such() -> None:
    found = tables.read_scores(b"cpu_model,logical_cpus,hs06\nXeon E5-2630 v3,32,355\n")

    assert [(one.kind, one.total) for one in found.scores] == [("HS06", 355.0)]


def test_the_same_row_has_the_same_id() -> None:
    again = tables.read_scores(SCORES).scores[0]

    assert tables.read_scores(SCORES).scores[0].report_id == again.report_id


@pytest.mark.parametrize(
    "data", [b"", b"hs23\n1\n", b"logical_cpus\n1\n", b"\xff\xfe", b'hs23,logical_cpus\n"1,2\n']
)
def test_what_is_no_table_of_scores_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError):
        tables.read_scores(data)


def test_a_file_wrong_throughout_does_not_flood() -> None:
    rows = b"cpu_model,logical_cpus,hs23\n" + b"x,8,-\n" * (MAX_PROBLEMS + 50)
    problems = tables.read_scores(rows).problems

    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1] == "and 50 more problems of this file"


def test_a_table_of_sites() -> None:
    found = tables.read_sites(
        b"site,federation,country,tier\nT2_LV_Example,Latvia Federation,LV,2\nnope,,,\n"
    )

    assert found.sites[0].model_dump() == {
        "name": "T2_LV_Example",
        "federation": "Latvia Federation",
        "country": "LV",
        "tier": 2,
    }
    assert len(found.problems) == 1
    with pytest.raises(BadInputError, match="needs the column site"):
        tables.read_sites(b"name\nT2_LV_Example\n")


def test_the_capacity_list_of_cms() -> None:
    listed = [
        {
            "name": "T2_IT_Bari",
            "wlcg_federation_name": "INFN T2",
            "hs06_pledge": 10000,
            "hs06_per_core": 10.0,
        },
        {"name": "T2_IT_Pisa", "wlcg_federation_name": "INFN T2", "hs06_pledge": 12000},
        {"name": "T3_US_None", "wlcg_federation_name": None, "hs06_pledge": 0},
    ]
    found = tables.read_site_capacity(json.dumps(listed).encode(), date(2027, 2, 1))

    assert [(p.federation, p.year, p.cpu_hs23) for p in found.pledges] == [("INFN T2", 2026, 22000.0)]
    assert [site.federation for site in found.sites] == ["INFN T2", "INFN T2", None]
    with pytest.raises(BadInputError, match="SiteCapacity"):
        tables.read_site_capacity(b"{}", TODAY)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("208 MHz", 208.0), ("3200.0000", 3200.0), ("30720K", 30720.0), (48, 48.0), ("not_available", None), (-1, None),
        ("-1", None), (None, None), (True, None), ("", None), (10**400, None), (float("inf"), None), ("1,5", 1.5),
        ("two", None), ([3], None),
    ],
)  # fmt: skip
def test_numbers_as_these_files_write_them(value: Any, expected: float | None) -> None:
    assert number(value) == expected


def test_counts_texts_and_moments() -> None:
    assert integer("48") == 48
    assert integer("1.5") is None
    assert text("Not_Available") is None
    assert text(" a\x1b[31mb ") == "a[31mb"
    assert text("x" * 900, 10) == "x" * 10
    assert moment("2025-03-04") is not None
    assert moment("soon") is None


def test_a_kind_that_does_not_exist() -> None:
    with pytest.raises(BadInputError, match="use one of suite, scores, cric-federations"):
        read("nonsense", b"", TODAY)


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(kind: str, data: bytes) -> None:
    found: Imported | None = None
    with contextlib.suppress(BadInputError):
        found = read(kind, data, TODAY)

    assert found is None or len(found.problems) <= MAX_PROBLEMS + 1
