"""The shapes that answers about credentials must have when they come from a stranger's recording.

Field by field as in `probes.credential_answers`, and narrower: a date is one that a calendar has, a mode is one of a file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

_LAST_SECOND = 253_402_300_799.0
"""End of the year 9999, in seconds since 1970."""

_Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
_Line = Annotated[str, Field(max_length=4096)]
_Lines = Annotated[list[_Line], Field(max_length=64)]
_Few = Annotated[list[_Line], Field(max_length=16)]
_Mode = Annotated[int, Field(ge=0, le=0o7777)]
_Uid = Annotated[int, Field(ge=0)]
_Moment = Annotated[float, Field(ge=0, le=_LAST_SECOND)]

TOKEN = tuple[
    Literal["BEARER_TOKEN", "BEARER_TOKEN_FILE", "XDG_RUNTIME_DIR", "/tmp"],  # noqa: S108 - source
    _Line | None,  # path
    _Mode | None,
    _Uid | None,
    _Count,  # size_bytes
    _Line | None,  # problem
    _Line | None,  # algorithm
    _Line | None,  # issuer
    _Lines,  # audiences
    _Lines,  # scopes
    _Lines,  # groups
    _Line | None,  # profile
    _Moment | None,  # expires_at
    _Moment | None,  # not_before_at
    _Moment | None,  # issued_at
    _Few,  # missing
]
"""Of `TokenSeen`."""

_ATTRIBUTES = tuple[_Line | None, _Lines, _Moment, _Moment]

PROXY = tuple[
    Literal["X509_USER_PROXY", "/tmp"],  # noqa: S108 - source
    _Line,  # path
    _Mode | None,
    _Uid | None,
    _Line | None,  # problem
    Literal["rfc3820", "other", "none"],  # kind
    bool,  # limited
    _Count,  # certificates
    _Count | None,  # key_bits
    bool | None,  # key_fits
    _Moment | None,  # not_before_at
    _Moment | None,  # expires_at
    Annotated[list[_ATTRIBUTES], Field(max_length=8)],
    _Line | None,  # attribute_problem
]
"""Of `ProxySeen`."""

AUTHORITIES = tuple[_Count, _Count, _Few, _Few, _Count, _Moment | None, bool]
"""Of `AuthoritiesSeen`."""
