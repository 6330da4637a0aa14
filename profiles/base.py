"""What every part of the profile is made of: immutable, strict models in which an absent value has a reason."""

from __future__ import annotations

from typing import Annotated, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(max_length=4096)]
"""A human-readable sentence or identifier; the bound keeps a hostile host file out of the central service."""

Bytes = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A size in bytes."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A duration in seconds."""

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A number of things."""


class Model(BaseModel):
    """Base of every model: frozen, and tolerant of fields that a newer MINOR of the schema has added."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null", defer_build=True)


class Facts(Model):
    """What is, without policy. A field that is None must say why in `absent`.

    `absent` maps the name of a top-level field to one clause ("no cgroup memory controller"). A document that
    leaves a field out altogether (it was written by an older MINOR) needs no reason for it.
    """

    absent: dict[str, Text] = Field(default_factory=dict, description="reason for each field that is null")

    @model_validator(mode="after")
    def _null_has_a_reason(self) -> Self:
        given, absent = self.model_fields_set, self.absent
        # The values themselves: asking for each attribute by its name takes three times as long.
        for name, value in self.__dict__.items():
            if value is None and name not in absent and name in given:
                raise ValueError(f"{name} is null without a reason: say why in absent.{name}")
        return self

    @classmethod
    def nothing(cls, reason: str) -> Self:
        """Facts of questions that were not asked: whatever may be null is, for this reason."""
        names = [name for name, field in cls.model_fields.items() if type(None) in get_args(field.annotation)]
        return cls.model_validate({**dict.fromkeys(names), "absent": dict.fromkeys(names, reason)})
