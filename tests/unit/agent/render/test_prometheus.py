"""The metrics page, read back by Prometheus' own Python parser, and checked by promtool."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.render import prometheus
from profiles.checks import Status
from tests.lab.promtool import Promtool
from tests.unit.agent.render.made import check, hostile, make


def read(text: str) -> dict[tuple[str, str], float]:
    """Value by name and labels, as "a=b,c=d"."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items())))
            assert key not in found, f"{key} is there twice"
            assert sample.timestamp is None, "the textfile collector refuses timestamps"
            found[key] = sample.value
    return found


def test_verdicts_count_as_monitoring_plugins_do_and_skipped_checks_have_none() -> None:
    found = read(
        prometheus.render(
            make(
                check("MEM-01"),
                check("MEM-02", Status.WARNING),
                check("MEM-03", Status.CRITICAL, duration_s=0.25),
                check("MEM-04", Status.UNKNOWN),
                check("MEM-05", Status.SKIPPED),
            )
        )
    )
    statuses = {labels: value for (name, labels), value in found.items() if name == "cms_agent_check_status"}
    assert statuses == {f"check=MEM-0{number},probe=memory": number - 1 for number in range(1, 5)}
    assert found["cms_agent_check_duration_seconds", "check=MEM-03,probe=memory"] == 0.25


def test_the_profile_itself() -> None:
    found = read(prometheus.render(make(check("MEM-01"), partial="cut off")))
    assert found["cms_agent_build_info", "schema=1.4,version=0.1.0"] == 1
    assert found["cms_agent_last_run_timestamp_seconds", ""] == 1795370400
    assert found["cms_agent_profile_partial", ""] == 1
    assert found["cms_agent_probe_finished", "probe=memory"] == 0
    assert (found["cms_agent_cores_granted", ""], found["cms_agent_cores_present", ""]) == (8, 64)


def test_what_is_not_known_has_no_sample() -> None:
    assert "memory_granted" not in prometheus.render(make(check("MEM-01")))


def test_texts_of_a_hostile_node_stay_out() -> None:
    text = prometheus.render(hostile())
    assert "alert(1)" not in text
    assert ("cms_agent_check_status", "check=CPU-04,probe=memory") in read(text)


@pytest.mark.lab
def test_promtool_has_no_complaint(promtool: Promtool) -> None:
    assert (
        promtool.complaints(prometheus.render(make(check("MEM-01", duration_s=1), partial="cut off"))) == ""
    )
    assert promtool.complaints(prometheus.render(hostile())) == ""


@pytest.mark.lab
def test_promtool_does_complain_of_a_bad_page(promtool: Promtool) -> None:
    assert "no help text" in promtool.complaints("cms_agent_things_total 1\n")
