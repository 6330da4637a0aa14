"""One verdict, four dialects of exit status."""

from __future__ import annotations

import pytest

from agent.render.exit_maps import EXIT_MAPS, ExitMap, exit_status, overall
from profiles.checks import Status
from tests.unit.agent.render.made import check, make


@pytest.mark.parametrize(
    ("statuses", "nagios", "glidein", "npd"),
    [
        ((Status.OK, Status.SKIPPED), 0, 0, 0),
        ((Status.SKIPPED,), 0, 0, 0),
        ((Status.OK, Status.WARNING), 1, 0, 0),
        ((Status.WARNING, Status.CRITICAL, Status.UNKNOWN), 2, 1, 1),
        ((Status.OK, Status.UNKNOWN), 3, 0, 2),
        ((), 3, 1, 2),
    ],
)
def test_each_dialect_has_its_number(
    statuses: tuple[Status, ...], nagios: int, glidein: int, npd: int
) -> None:
    found = make(*(check(f"MEM-{place:02}", status) for place, status in enumerate(statuses, 1)))
    assert [exit_status(found, name) for name in ("nagios", "glidein", "npd", "always0")] == [
        nagios,
        glidein,
        npd,
        0,
    ]


@pytest.mark.parametrize(("exit_map", "status"), [("nagios", 3), ("glidein", 1), ("npd", 2), ("always0", 0)])
def test_a_run_that_was_cut_off_is_never_a_success(exit_map: ExitMap, status: int) -> None:
    assert exit_status(make(check("MEM-01"), partial="memory: killed after 5 s"), exit_map) == status


def test_a_failure_outranks_being_incomplete() -> None:
    assert overall(make(check("MEM-01", Status.CRITICAL), partial="cut off")) is Status.CRITICAL


def test_all_maps_are_listed_for_the_command_line() -> None:
    assert EXIT_MAPS == ("nagios", "glidein", "npd", "always0")
