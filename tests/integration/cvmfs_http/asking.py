"""What the probe makes of a repository of the lab, and which of its verdicts are not good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from profiles.checks import CheckResult, Status
from profiles.facts.cvmfs import CvmfsFacts, CvmfsRoute
from tests.lab.stratum1 import Fault

NAME = "lab.example.org"
CHUNKED = "/sw/el9/big.bin"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SLOW_S = 3.0
"""Time-out of one object for what never ends; all else has the time that a busy machine needs."""
ENDS_BY_TIME = (Fault.DRIP, Fault.SLOW_HEADER)


@dataclass
class Outcome:
    """What one run of the probe came to."""

    facts: CvmfsFacts
    results: dict[str, CheckResult]

    @property
    def routes(self) -> tuple[CvmfsRoute, ...]:
        assert self.facts.routes is not None
        return self.facts.routes

    def broken(self, number: int = 0) -> tuple[str, str | None]:
        """Step and class of the fault of a route."""
        step = self.routes[number].broken
        assert step is not None, self.routes[number]
        assert step.detail
        return step.name, step.fault

    def status(self, check: str) -> Status:
        return self.results[check].status

    def evidence(self, check: str) -> str:
        return "\n".join(self.results[check].evidence)
