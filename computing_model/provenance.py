"""Where a number comes from."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["published", "calibrated", "assumed", "what-if"]
"""published: in a source that anyone can read. calibrated: ours, chosen so that a published result follows. assumed: ours."""


class Provenance(BaseModel):
    """Status and source of a key and of all below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    source: str


def provenance_of(key: str, table: dict[str, Provenance]) -> Provenance | None:
    """The entry of the longest dotted beginning of a key; None if there is none."""
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        found = table.get(".".join(parts[:length]))
        if found is not None:
            return found
    return None
