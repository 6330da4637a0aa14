"""What every table of the configuration is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the configuration; an unknown key is an error, because a typo must not be silent."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("must be an absolute path, because the agent may be started anywhere")
    return path


AbsolutePath = Annotated[str, AfterValidator(_absolute)]
"""A path of the configuration that means the same wherever the agent is started."""
