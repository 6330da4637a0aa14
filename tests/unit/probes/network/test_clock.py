"""The clock is held against the dates that servers send."""

from __future__ import annotations

import pytest

from probes.settings import Settings
from profiles.checks import Status
from tests.unit.probes.network.asking import endpoint, probed, settings, verdicts
from tests.unit.probes.network_servers import serving


@pytest.mark.parametrize(
    ("clock_s", "status"),
    [
        (0, Status.OK),
        (-30, Status.WARNING),
        (30, Status.WARNING),
        (-90, Status.CRITICAL),
        (90, Status.CRITICAL),
    ],
)
def test_the_clock_is_measured_within_its_uncertainty(clock_s: float, status: Status) -> None:
    with serving(clock_s=clock_s) as server:
        facts = probed(settings(endpoint(server.port, http_path="/")))
    assert facts.clock_skew_s is not None
    assert facts.clock_uncertainty_s is not None
    assert abs(facts.clock_skew_s + clock_s) <= facts.clock_uncertainty_s
    found = verdicts(facts)["CTX-03"]
    assert found.status is status
    assert found.unit == "s"


def test_one_wrong_server_does_not_move_the_median() -> None:
    with serving() as one, serving() as two, serving(clock_s=3600) as wrong:
        endpoints = [
            endpoint(server.port, http_path="/", name=f"s{number}")
            for number, server in enumerate((one, wrong, two))
        ]
        facts = probed(settings(*endpoints))
    assert facts.clock_skew_s is not None
    assert abs(facts.clock_skew_s) <= (facts.clock_uncertainty_s or 0)


def test_the_age_of_a_cached_answer_is_added_to_its_date() -> None:
    with serving(clock_s=-7200, fields={"Age": "7200"}) as server:
        facts = probed(settings(endpoint(server.port, http_path="/")))
    assert verdicts(facts)["CTX-03"].status is Status.OK


@pytest.mark.parametrize("skew_s", [5.0, -5.0])
def test_five_seconds_are_still_good_and_a_site_may_move_that(skew_s: float) -> None:
    with serving() as server:
        facts = probed(settings(endpoint(server.port, http_path="/"))).model_copy(
            update={"clock_skew_s": skew_s}
        )
    assert verdicts(facts)["CTX-03"].status is Status.OK
    moved = Settings(thresholds={"CTX-03": {"warn_above_s": 4}})
    assert verdicts(facts, moved)["CTX-03"].status is Status.WARNING
