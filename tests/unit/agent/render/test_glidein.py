"""otrb XML, parsed back."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from agent.render import glidein
from profiles.checks import Status
from tests.unit.agent.render.made import check, hostile, make


def parse(text: str) -> ET.Element:
    root = ET.fromstring(text)
    assert root.tag == "OSGTestResult"
    assert root.get("version") == "4.3.1"
    return root


def metrics(root: ET.Element) -> dict[str, str | None]:
    return {str(metric.get("name")): metric.text for metric in root.iter("metric")}


def test_a_good_node() -> None:
    root = parse(glidein.render(make(check("MEM-01"), check("GPU-01", Status.SKIPPED, "no GPU"))))
    assert root.findtext("result/status") == "OK"
    assert metrics(root) == {
        "verdict": "OK",
        "profile": "01890a5d-ac96-774b-bcce-b302099a8057",
        "cores_granted": "8",
        "cores_present": "64",
        "MEM-01": "OK",
        "GPU-01": "SKIPPED",
    }
    assert {metric.get("ts") for metric in root.iter("metric")} == {"2026-11-22T18:00:00+00:00"}
    assert root.find("detail") is None


def test_a_warning_is_told_but_is_no_error() -> None:
    root = parse(glidein.render(make(check("MEM-02", Status.WARNING, "1.5 GB per core"))))
    assert root.findtext("result/status") == "OK"
    assert "MEM-02 WARNING: 1.5 GB per core" in str(root.findtext("detail"))


@pytest.mark.parametrize(
    ("check_id", "expected"),
    [
        ("DSK-01", "WN_Resource"),
        ("DSK-05", "Corruption"),
        ("NET-02", "Network"),
        ("CTX-02", "Config"),
        ("CTX-04", "WN_Resource"),
        ("CRD-01", "VO_Proxy"),
    ],
)
def test_a_failure_has_one_of_the_five_classes(check_id: str, expected: str) -> None:
    root = parse(
        glidein.render(make(check("MEM-02", Status.WARNING), check(check_id, Status.CRITICAL, "bad")))
    )
    assert root.findtext("result/status") == "ERROR"
    assert metrics(root)["failure"] == expected
    assert expected in glidein.CLASSES


def test_a_run_that_was_cut_off_is_an_error() -> None:
    root = parse(glidein.render(make(check("MEM-01"), partial="time was up")))
    assert root.findtext("result/status") == "ERROR"
    assert "incomplete: time was up" in str(root.findtext("detail"))


def test_hostile_text_is_text() -> None:
    root = parse(glidein.render(hostile()))
    assert {element.tag for element in root.iter()} == {
        "OSGTestResult",
        "result",
        "status",
        "metric",
        "detail",
    }
    assert "<script>alert(1)</script>" in str(root.findtext("detail"))
