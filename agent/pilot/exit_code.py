"""The exit codes of `agent pilot`, as a pure function of what became of it."""

from __future__ import annotations

from agent.codes import NO_FAILURE, NOT_DELIVERED, NOT_FINISHED
from agent.exit_code import exit_code
from agent.pilot.run import Outcome
from agent.render.exit_maps import exit_status
from agent.sink import ExitMapName

SIGNALS = {"SIGINT": 130, "SIGTERM": 143}
"""SIGUSR1 and SIGUSR2 are warnings that a job asked for: ending in time is what they are for."""


def pilot_exit_code(outcome: Outcome, exit_map: ExitMapName | None) -> int:
    """The code; with a map it speaks of the verdicts, which are no business of a pilot otherwise."""
    if outcome.waited_for is not None:
        return NO_FAILURE
    handed = outcome.handed
    if outcome.profile is None or (handed is None and outcome.file is None):
        return NOT_FINISHED
    if handed is not None and not handed.delivered:
        kept = handed.waits_in is not None or outcome.file is not None
        return NOT_DELIVERED if kept else NOT_FINISHED
    ended_by = SIGNALS.get(outcome.interrupted_by or "")
    if ended_by is not None:
        return ended_by
    if exit_map is None:
        return NO_FAILURE
    if exit_map == "agent":
        return exit_code(outcome.profile, strict=False, interrupted_by=None, out_of_budget=False)
    return exit_status(outcome.profile, exit_map)
