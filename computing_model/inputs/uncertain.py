"""What is not certain: R&D that may fail, numbers with a range."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from computing_model.inputs.bounds import Part, Positive, Share


class Success(Part):
    """A line of R&D that succeeds or not: with `probability` it takes `reduction` of what other lines leave."""

    kind: Literal["success"]
    name: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    probability: Share
    reduction: Share


class Factor(Part):
    """A factor on numbers, log-normal: 68 % of it between low and high."""

    kind: Literal["factor"]
    name: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    low: Positive
    high: Positive


class Between(Part):
    """A number anywhere between low and high."""

    kind: Literal["between"]
    name: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    low: float
    high: float


Uncertain = Annotated[Success | Factor | Between, Field(discriminator="kind")]
