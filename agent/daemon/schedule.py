"""When which probe is due. Pure: times are seconds of any clock that does not go back, chance is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Self

from agent.daemon.settings import DaemonSettings
from agent.delivery.retry import pause_s
from probes.spec import Probe

TOGETHER = 0.1
"""Of its period: a probe that is due by so much later is taken along, since a turn has a cost of its own."""

FIRST_RETRY_S = 30.0
LONGEST_RETRY_S = 3600.0


def periods_of(probes: Collection[Probe], settings: DaemonSettings) -> dict[str, float]:
    """Seconds between two looks of each probe."""
    return {
        probe.name: settings.periods_s.get(
            probe.name, settings.network_period_s if probe.uses_network else settings.period_s
        )
        for probe in probes
    }


@dataclass(frozen=True)
class Schedule:
    """The next look of each probe.

    Attributes:
        periods_s: seconds between two looks, by probe.
        due_s: when each is due.
        jitter: share of the period by which a look is moved.
        new: probes that have not run yet; they keep their moment, which spreads the nodes.
    """

    periods_s: Mapping[str, float]
    due_s: Mapping[str, float]
    jitter: float
    new: frozenset[str]

    @classmethod
    def begin(cls, probes: Collection[Probe], settings: DaemonSettings, now_s: float, chance: Random) -> Self:
        """Local probes are due now; network probes within `spread_s`, so that nodes started together do not ask together."""
        later = chance.uniform(0, settings.spread_s)
        due = {probe.name: now_s + (later if probe.uses_network else 0.0) for probe in probes}
        return cls(periods_of(probes, settings), due, settings.jitter, frozenset(due))

    def due(self, now_s: float) -> frozenset[str]:
        """The probes to run now: those that are due, and with them those that soon would be."""
        if not any(due_s <= now_s for due_s in self.due_s.values()):
            return frozenset()
        return frozenset(
            name
            for name, due_s in self.due_s.items()
            if due_s <= now_s + (0.0 if name in self.new else TOGETHER * self.periods_s[name])
        )

    def next_s(self) -> float:
        """When something is due next."""
        return min(self.due_s.values(), default=float("inf"))

    def ran(self, names: Collection[str], now_s: float, chance: Random) -> Self:
        """After a look at `names`: each is due again a period later, moved a little."""
        moved = {
            name: now_s + self.periods_s[name] * (1 + chance.uniform(-self.jitter, self.jitter))
            for name in names
            if name in self.periods_s
        }
        return replace(self, due_s={**self.due_s, **moved}, new=self.new - moved.keys())

    def again(self, names: Collection[str], at_s: float) -> Self:
        """`names` are due at `at_s`, or before if they already are."""
        sooner = {name: min(self.due_s[name], at_s) for name in names if name in self.due_s}
        return replace(self, due_s={**self.due_s, **sooner})

    def put_off(self, names: Collection[str], at_s: float) -> Self:
        """`names` could not run and are due at `at_s`."""
        return replace(self, due_s={**self.due_s, **{name: at_s for name in names if name in self.due_s}})


def retry_after_s(failures: int, chance: Random) -> float:
    """Seconds to wait after so many failures in a row: doubled each time up to an hour, by half at random."""
    return pause_s(
        failures, first_s=FIRST_RETRY_S, max_s=LONGEST_RETRY_S, retry_after_s=None, random=chance.random()
    )
