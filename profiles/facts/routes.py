"""A way to a service, step by step, so that the first broken step can be named."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profiles.base import Model, Seconds, Text

StepOutcome = Literal["ok", "failed", "not reached", "not tried"]


class Step(Model):
    """One step of a route."""

    name: Text = Field(description="a column of the route table, e.g. connect, manifest, whitelist")
    outcome: StepOutcome
    fault: Text | None = Field(
        default=None,
        description="class of the failure, e.g. dns, connect, timeout, bad-signature; null unless failed",
    )
    detail: Text | None = Field(default=None, description="what was seen, in one clause")
    duration_s: Seconds | None = None


class Route(Model):
    """One way from this node to one thing."""

    subject: Text = Field(description="what was asked for, e.g. a repository or a file")
    target: Text = Field(description="server, host:port")
    via: Text = Field(description="proxy host:port, or direct")
    steps: tuple[Step, ...] = Field(max_length=16)

    @property
    def broken(self) -> Step | None:
        """The first step that failed."""
        return next((step for step in self.steps if step.outcome == "failed"), None)

    @property
    def works(self) -> bool:
        """No step failed, and the last one was reached."""
        return self.broken is None and bool(self.steps) and self.steps[-1].outcome in ("ok", "not tried")
