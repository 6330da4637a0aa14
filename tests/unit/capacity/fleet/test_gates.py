"""Gates: CRITICAL closes, what nobody looked at is not called usable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capacity.fleet import gates
from capacity.fleet.model import Gate
from tests.unit.capacity.looks import check, look

CATALOGUE = Path(__file__).parents[4] / "docs/reference/checks.md"
RULE = {rule.name: rule for rule in gates.RULES}


def gate(name: str, *checks: dict[str, object]) -> Gate:
    return next(one for one in gates.gates_of(look(checks=list(checks))) if one.name == name)


def test_every_check_of_a_gate_is_in_the_catalogue() -> None:
    known = set(re.findall(r"^### ([A-Z]{3}-[0-9]{2}) ", CATALOGUE.read_text("utf-8"), re.MULTILINE))

    assert {name for rule in gates.RULES for name in (*rule.check_ids, *rule.instead)} <= known


@pytest.mark.parametrize(
    ("name", "check_id"), [(rule.name, check_id) for rule in gates.RULES for check_id in rule.check_ids]
)
def test_a_critical_check_closes_its_gate_with_its_hint(name: str, check_id: str) -> None:
    closed = gate(name, check(check_id, "CRITICAL", "it is broken", "mend it"))

    assert (closed.passed, closed.says, closed.check_ids, closed.hint) == (
        False,
        "it is broken",
        (check_id,),
        "mend it",
    )


@pytest.mark.parametrize("status", ["OK", "WARNING"])
def test_a_warning_is_usable(status: str) -> None:
    assert gate("cvmfs", check("CVM-13", status)).passed is True


@pytest.mark.parametrize("status", ["SKIPPED", "UNKNOWN"])
def test_no_verdict_is_no_answer(status: str) -> None:
    open_question = gate("cvmfs", check("CVM-13", status))

    assert open_question.passed is None
    assert "not asked here" in open_question.says


def test_one_critical_among_good_ones_closes() -> None:
    assert gate("cvmfs", check("CVM-13"), check("CVM-01", "CRITICAL", "hangs")).passed is False


def test_webdav_is_asked_only_where_xrootd_gave_no_verdict() -> None:
    webdav = check("DAV-01", "CRITICAL", "no door answers")

    assert gate("xrootd", check("XRD-01", "SKIPPED"), webdav).passed is False
    assert gate("xrootd", check("XRD-01"), webdav).passed is True


def test_a_closed_gate_beats_an_open_question() -> None:
    seen = gates.gates_of(look(checks=[check("SQD-01", "CRITICAL", "no squid answers")]))

    assert gates.verdict(seen) == (False, "squid: no squid answers")


def test_no_gates_at_all_is_nobody_looked() -> None:
    usable, reason = gates.verdict(())

    assert usable is None
    assert reason is not None
    assert RULE["cvmfs"].question in reason


def test_foreign_sentences_are_bounded() -> None:
    long = gate("cvmfs", check("CVM-13", "CRITICAL", "x" * 4000, "y" * 4000))

    assert len(long.says) == 300
    assert long.hint is not None
    assert len(long.hint) == 300
