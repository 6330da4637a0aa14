"""States of nodes for tests of what is made of them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from capacity.fleet import merge
from capacity.fleet.model import FleetSettings, NodeState, Total
from capacity.hs06.estimate import Estimator
from capacity.hs06.model import Estimate, Method
from profiles.profile import CapabilityProfile
from tests.unit.capacity.looks import NOW, look

SETTINGS = FleetSettings()


def estimate(per_core: float = 12.5, sigma: float = 0.1, **changes: Any) -> Estimate:
    values: dict[str, Any] = {
        "hs23_per_core": per_core,
        "low": per_core * 0.9,
        "high": per_core * 1.1,
        "sigma": sigma,
        "method": Method.CATALOGUE,
        "provisional": False,
        "rungs": (),
        "steps": (),
        "catalogue_version": "test",
    }
    return Estimate.model_validate({**values, **changes})


def state(made: Estimate | None = None, **said: Any) -> NodeState:
    """A node that was seen once, as `said` of a look."""
    seen = merge.absorb(None, look(NOW, **said), NOW, NOW, SETTINGS)
    return merge.with_estimate(seen, made or estimate())


def total_of(state: NodeState, cpu_key: str | None) -> Total:
    """One node as a group of its own, for sums in memory."""
    estimate = state.estimate
    worth = state.hs23_granted or 0.0
    counted = estimate is not None and worth > 0
    return Total(
        site=state.site,
        cpu_key=cpu_key,
        method=estimate.method.value if estimate and counted else None,
        calibration_version=estimate.calibration_version if estimate else None,
        provisional=bool(estimate and estimate.provisional),
        usable=state.usable,
        unusable_reason=state.unusable_reason,
        stale=state.stale,
        nodes=1,
        granted_cores=(state.granted_cores or 0.0) if counted else 0.0,
        hs23=worth,
        hs23_sigma=worth * estimate.sigma if estimate else 0.0,
        hs23_sigma_sq=(worth * estimate.sigma) ** 2 if estimate else 0.0,
        last_seen_at=state.last_seen_at,
    )


@cache
def shipped() -> Estimator:
    """The real estimator, fitted once: it takes a second."""
    return Estimator.shipped()


def absorbed(*looks: CapabilityProfile, now: datetime = NOW) -> NodeState:
    state = None
    for one in looks:
        state = merge.absorb(state, one, one.created_at, now, SETTINGS)
    assert state is not None
    return state


def codes(state: NodeState) -> list[str]:
    return [finding.code for finding in state.findings]
