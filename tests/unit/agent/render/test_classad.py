"""The ClassAd fragment, read back by the library's own reader of ads."""

from __future__ import annotations

import re

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
