"""Named workload mixes: which share of the CPU time goes to which algorithm, and which kernel stands for it."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, model_validator

from capacity.errors import NotFoundError
from capacity.hs06.model import Part
from capacity.hs06.offload import Step

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Algorithm(Part):
    """A part of a step that can be offloaded."""

    name: str
    cpu_share: Share = Field(description="φ, of the step's CPU time")
    proxy: str | None = Field(description="kernel of sitecap that stands for it; None = nothing does")


class MixStep(Part):
    """A step of the chain."""

    name: str
    work_share: Share = Field(description="m, of all work of the mix in HS23 s")
    overhead: Share = Field(description="ε: CPU time for transfers and launches, as a share of the step")
    algorithms: tuple[Algorithm, ...] = ()


class Mix(Part):
    """A named mix."""

    name: str
    title: str
    steps: Annotated[tuple[MixStep, ...], Field(min_length=1)]
    source: str

    @model_validator(mode="after")
    def _complete(self) -> Mix:
        total = math.fsum(step.work_share for step in self.steps)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"work shares of mix {self.name} add up to {total}, not to 1")
        if any(math.fsum(a.cpu_share for a in step.algorithms) >= 1 for step in self.steps):
            raise ValueError(f"a step of mix {self.name} offloads all of its CPU time")
        return self

    def offload_steps(self) -> tuple[Step, ...]:
        """As the formulas want them."""
        return tuple(
            Step(step.work_share, step.overhead, {a.name: a.cpu_share for a in step.algorithms})
            for step in self.steps
        )

    def cpu_shares(self) -> dict[str, float]:
        """Algorithm → share of the CPU time of the whole mix."""
        found: dict[str, float] = defaultdict(float)
        for step in self.steps:
            for algorithm in step.algorithms:
                found[algorithm.name] += step.work_share * algorithm.cpu_share
        return dict(found)

    def proxies(self) -> dict[str, str | None]:
        """Algorithm → kernel."""
        return {a.name: a.proxy for step in self.steps for a in step.algorithms}


@cache
def shipped_mixes() -> dict[str, Mix]:
    """Name → mix, those that come with sitecap; the first is the default."""
    text = files("capacity.hs06").joinpath("data", "mixes.json").read_text("utf-8")
    document = json.loads(text)
    return {one["name"]: Mix(source=document["source"], **one) for one in document["mixes"]}


def mix_named(name: str) -> Mix:
    """One mix.

    Raises:
        NotFoundError: there is none of that name.
    """
    mixes = shipped_mixes()
    if name not in mixes:
        raise NotFoundError(f"there is no workload mix {name[:40]!r}; there are {', '.join(mixes)}")
    return mixes[name]
