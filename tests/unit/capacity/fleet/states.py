"""States of nodes for tests of what is made of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from capacity.fleet import merge
from capacity.fleet.model import FleetSettings, NodeState
from capacity.hs06.estimate import Estimator
from capacity.hs06.model import Estimate, Method
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


@cache
def shipped() -> Estimator:
    """The real estimator, fitted once: it takes a second."""
    return Estimator.shipped()
