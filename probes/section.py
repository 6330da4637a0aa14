"""What every table of the configuration is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the configuration; an unknown key is an error, because a typo must not be silent."""

    model_config = ConfigDict(frozen=True, extra="forbid")
