"""The ClassAd fragment, read back line by line, and by HTCondor's own parser where it is installed."""

from __future__ import annotations

import re

import pytest

from agent.render import classad
from profiles.checks import Status
from tests.unit.agent.render.made import check, hostile, make

LINE = re.compile(r'CMSAgent_[A-Za-z0-9_]+ = (true|false|-?[0-9][0-9.e+-]*|"(?:[^"\\]|\\")*")')


def read(text: str) -> dict[str, str]:
    *lines, end = text.splitlines()
    assert end == "-", "startd cron takes the ad at this line"
    assert all(LINE.fullmatch(line) for line in lines), lines
    return dict(line.split(" = ", 1) for line in lines)


def test_types_are_those_of_classads() -> None:
    found = read(
        classad.render(
            make(
                check("MEM-02", Status.WARNING, 'only "1.5" GB', value=1_500_000_000, unit="B"),
                check("CNT-01", value=True),
                check("CPU-04", value="x86-64-v3"),
            )
        )
    )
    assert found["CMSAgent_Status"] == '"WARNING"'
    assert found["CMSAgent_Ok"] == "true"
    assert found["CMSAgent_MEM_02"] == '"WARNING"'
    assert found["CMSAgent_MEM_02_Value"] == "1500000000"
    assert found["CMSAgent_MEM_02_Summary"] == r'"only \"1.5\" GB"'
    assert found["CMSAgent_CNT_01_Value"] == "true"
    assert found["CMSAgent_CPU_04_Value"] == '"x86-64-v3"'
    assert found["CMSAgent_CoresGranted"] == "8.0"
    assert found["CMSAgent_ProbedAt"] == "1795370400"


def test_a_failure_makes_the_node_not_ok() -> None:
    found = read(classad.render(make(check("DSK-01", Status.CRITICAL), check("MEM-01", Status.WARNING))))
    assert found["CMSAgent_Ok"] == "false"
    assert found["CMSAgent_Problems"] == '"DSK-01 MEM-01"'


def test_what_is_not_known_is_left_out() -> None:
    found = read(classad.render(make(check("MEM-01", value=float("nan")))))
    assert "CMSAgent_Site" not in found
    assert "CMSAgent_MEM_01_Value" not in found


def test_no_attribute_of_the_machine_is_redefined() -> None:
    assert all(name.startswith("CMSAgent_") for name in read(classad.render(hostile())))


def test_hostile_text_forges_no_attribute() -> None:
    found = read(classad.render(hostile()))
    assert found["CMSAgent_NumCritical"] == "1"
    assert "\\f" not in found["CMSAgent_CPU_04_Summary"]


def test_htcondor_reads_the_same_in_its_old_and_its_new_syntax() -> None:
    classad2 = pytest.importorskip("classad2", reason="HTCondor's parser is not here: pip install htcondor")
    lines = classad.render(hostile()).splitlines()[:-1]
    old = classad2.parseOne("\n".join(lines) + "\n", classad2.ParserType.Old)
    new = classad2.ClassAd(f"[{';'.join(lines)}]")
    assert len(old) == len(new) == len(lines)
    assert {name: old[name] for name in old} == {name: new[name] for name in new}
    assert "<script>alert(1)</script>" in old["CMSAgent_CPU_04_Summary"]
