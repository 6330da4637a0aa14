"""Bounded numbers, and the base of all tables."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Year = Annotated[int, Field(ge=2000, le=2100)]
ByYear = Annotated[dict[Year, float], Field(min_length=1)]
ByPileup = Annotated[dict[Annotated[int, Field(gt=0, le=1000)], NotNegative], Field(min_length=1)]
ByAge = Annotated[tuple[NotNegative, ...], Field(min_length=1, max_length=30)]


class Part(BaseModel):
    """A table of the assumptions: nothing unknown, nothing infinite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
