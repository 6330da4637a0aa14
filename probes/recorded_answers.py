"""How an answer stands in a recording, and whether one from a stranger has the shape that its question gives."""

from __future__ import annotations

import base64
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from probes.answers import (
    CommandResult,
    ConnectTrial,
    Drained,
    FetchStage,
    FileStatus,
    FileSystemSpace,
    HttpAnswer,
    Identity,
    Json,
    Limit,
    Resolution,
    SystemName,
    TlsTrial,
    Trial,
    WriteTrial,
)
from probes.errors import HostError
from probes.recorded_credentials import AUTHORITIES, PROXY, TOKEN

Base64Text = Annotated[
    str, AfterValidator(lambda text: base64.b64encode(base64.b64decode(text, validate=True)).decode())
]

_LAST_SECOND = 253_402_300_799.0
"""End of the year 9999, the last that a datetime can say, in seconds since 1970."""

_SHAPES: dict[str, Any] = {
    "dir": list[str],
    "link": str,
    "stat": FileStatus,
    "space": FileSystemSpace,
    "env_names": list[str],
    "run": CommandResult,
    "affinity": list[Annotated[int, Field(ge=0)]],
    "limit": Limit,
    "uname": SystemName,
    "identity": Identity,
    "fqdn": str,
    "now": Annotated[float, Field(ge=0, le=_LAST_SECOND)],
    "try_user_namespace": Trial,
    "try_threads": Trial,
    "try_open": Trial,
    "try_write": WriteTrial,
    "resolve": Resolution,
    "connect": ConnectTrial,
    "tls": TlsTrial,
    "http": HttpAnswer,
    "fetch": tuple[
        int | None,
        dict[str, str],
        Base64Text,
        int,
        int | None,
        bool,
        FetchStage,
        str | None,
        str | None,
        float | None,
        float,
    ],
    "drain": Drained,
    "xattr": str,
    "token": TOKEN | None,
    "x509": PROXY | None,
    "authorities": AUTHORITIES,
}
"""Question → type of its answer; a question that is not here takes anything (the door makes text or bool of it)."""


def encode(value: Any) -> Json:  # noqa: ANN401 - the shape depends on the question
    """An answer as JSON: bytes become {"text": …} where they are UTF-8, else {"base64": …}."""
    if not isinstance(value, bytes):
        return list(value) if isinstance(value, tuple) else value
    try:
        return {"text": value.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}


def decode(kind: str, answer: Json) -> Any:  # noqa: ANN401
    """The answer to a question of this kind.

    Raises:
        HostError: EBADANSWER, the recorded answer is not one that this question can have.
    """
    if kind == "file":
        return _content(answer)
    if kind not in _SHAPES:
        return answer
    try:
        return _shape(kind).validate_python(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise HostError(
            "EBADANSWER", f"the recorded answer to {kind!r} is damaged: {first['msg']}"
        ) from error


@cache
def _shape(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_SHAPES[kind])


def _content(answer: Json) -> bytes:
    if isinstance(answer, dict):
        try:
            if isinstance(answer.get("text"), str):
                return str(answer["text"]).encode("utf-8")
            if isinstance(answer.get("base64"), str):
                return base64.b64decode(str(answer["base64"]), validate=True)
        except ValueError as error:
            raise HostError("EBADANSWER", f"the recorded content is damaged: {error}") from error
    raise HostError("EBADANSWER", "the recorded content has neither text nor base64")
