"""Words that the XRootD verdicts share: what became of a door, its chain of servers, whose failure is worse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from probes.judging import Judging
from probes.xrootd.explain import Cause
from profiles.checks import CheckResult
from profiles.facts.routes import Route, Step
from profiles.facts.xrootd import XrootdDoor

Visited = tuple[XrootdDoor, Route]

NO_LOCAL = "no door of the site's own: xrootd.local_urls is not set, and SITECONF names none"
NO_REDIRECTOR = "no redirector is configured"
NO_CLIENT = "the file was not read: XRootD's Python bindings or xrdcp are needed for that"
INSTALL_CLIENT = "pip install sitecap[xrootd], or install xrdcp"
NOT_READING = ("locate", "checksum")
"""Steps that a job that reads does not stand on."""


def step_of(route: Route, name: str) -> Step | None:
    """The step of this name."""
    return next((step for step in route.steps if step.name == name), None)


def outcome(route: Route, name: str) -> str:
    """Outcome of the step of this name."""
    step = step_of(route, name)
    return "not tried" if step is None else step.outcome


def broken_reading(route: Route) -> Step | None:
    """The first step that failed of those that reading stands on."""
    return next(
        (step for step in route.steps if step.outcome == "failed" and step.name not in NOT_READING), None
    )


def story(one: Visited) -> str:
    """What became of a door, in one line."""
    door, route = one
    step = route.broken
    if step is None:
        return f"{door.target}: nothing broke{'' if door.client == 'bindings' else f' ({door.client})'}"
    return f"{door.target}: {step.name}: {step.fault}: {step.detail or 'no detail'}"


def worst(failed: Sequence[Visited], judging: Judging) -> Callable[..., CheckResult]:
    """CRITICAL if one of the site's own doors is among them."""
    return judging.critical if any(door.kind == "local" for door, _ in failed) else judging.warn


def say(one: Visited, cause: Cause) -> str:
    """A cause with the door in front."""
    return f"{one[0].target}: {cause.text}"


def evidence_of(causes: Iterable[Cause], visited: Iterable[Visited]) -> list[str]:
    """Lines of evidence: those of the causes, then a line a door."""
    return [*(line for cause in causes for line in cause.evidence), *map(story, visited)]


def chain(door: XrootdDoor) -> str:
    """Servers from the one that was asked to the one that gave the data."""
    hops = [*(door.hops or (door.target,)), *filter(None, [door.data_server])]
    return " → ".join(hop for hop, before in zip(hops, [None, *hops], strict=False) if hop != before)
