"""One finding: a catalogue check, its verdict, the threshold it was held against, and how to mend it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from profiles.base import Model, Seconds, Text

CheckId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,7}-[0-9]{2}$")]
"""A code of the check catalogue such as CPU-04."""

Scalar = bool | int | float | str


class Status(StrEnum):
    """Verdict of a check; the words of monitoring (Nagios), plus SKIPPED."""

    OK = "OK"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"


SEVERITY = (Status.SKIPPED, Status.OK, Status.UNKNOWN, Status.WARNING, Status.CRITICAL)
"""From what may be overlooked to what must not be."""

_NO_VERDICT = (Status.SKIPPED, Status.UNKNOWN)


def worst(statuses: list[Status] | tuple[Status, ...]) -> Status:
    """The most severe of some verdicts; SKIPPED when there is none."""
    return max(statuses, key=SEVERITY.index, default=Status.SKIPPED)


class Threshold(Model):
    """The bound that a value was held against, and who says so."""

    name: Text = Field(
        description="name of the setting that moves this bound, e.g. warn_below_bytes_per_core"
    )
    value: Scalar
    origin: Text = Field(
        description="where the bound comes from: a document, a tool, or the site's own configuration"
    )


class CheckResult(Model):
    """The verdict of one check of the catalogue on this node."""

    id: CheckId
    status: Status
    probe: Text = Field(description="the probe that judged it")
    summary: Text = Field(description="one sentence: what is so")
    value: Scalar | None = Field(default=None, description="the measured value, if the check has one")
    unit: Text | None = Field(default=None, description="unit of value: B, s, 1, cores, B/s …")
    evidence: tuple[Text, ...] = Field(default=(), max_length=64, description="where it was read")
    thresholds: tuple[Threshold, ...] = Field(default=(), max_length=16)
    hint: Text | None = Field(default=None, description="what a site admin can do about it")
    reason: Text | None = Field(default=None, description="why there is no verdict (SKIPPED, UNKNOWN)")
    duration_s: Seconds | None = Field(default=None, description="wall time of the probe that gave the facts")

    @model_validator(mode="after")
    def _no_verdict_has_a_reason(self) -> Self:
        if self.status in _NO_VERDICT and not self.reason:
            raise ValueError(f"{self.id} is {self.status} without a reason")
        return self
