"""Reading a profile that somebody else wrote: bounded before it is parsed, one sentence when it is not right."""

from __future__ import annotations

import json
import math
from typing import Any

from pydantic import ValidationError

from profiles.plain import MAX_DEPTH, is_plain
from profiles.profile import MAJOR, SCHEMA_VERSION, CapabilityProfile

__all__ = ["MAX_DEPTH", "MAX_PROFILE_BYTES", "ProfileError", "read_profile", "write_profile"]

MAX_PROFILE_BYTES = 2 * 1024 * 1024
"""Largest profile that is read or written. A 768-thread node with 8 GPUs and all payloads needs about 200 kB."""

MAX_PLACE_CHARACTERS = 200
"""Longest place in the document that a message names."""


class ProfileError(ValueError):
    """A document is not a capability profile; the text says what is wrong, where, and what to do."""


def read_profile(document: bytes) -> CapabilityProfile:
    """Parse and validate one profile.

    Fields that this version does not know are ignored: a newer MINOR may have added them.

    Raises:
        ProfileError: too large, not UTF-8, not JSON, too deep, of another MAJOR, or against the schema.
    """
    if len(document) > MAX_PROFILE_BYTES:
        raise ProfileError(
            f"the profile has {len(document)} bytes, more than the {MAX_PROFILE_BYTES} that are accepted: "
            "it was not written by this agent or was damaged on the way"
        )
    if is_plain(document):
        try:
            profile = CapabilityProfile.model_validate_json(document)
        except ValidationError:
            pass  # what is wrong is told in the order in which a reader would find it
        else:
            if "schema_version" in profile.model_fields_set:
                return profile
    return _carefully(document)


def _carefully(document: bytes) -> CapabilityProfile:
    """Parse twice, to tell what is wrong or to let pass what only looked odd."""
    value = _parse(document)
    if not isinstance(value, dict):
        raise ProfileError(
            f"the profile is a JSON {type(value).__name__}, not an object: send one profile per document"
        )
    _check_version(value)
    try:
        return CapabilityProfile.model_validate_json(document)
    except ValidationError as error:
        raise ProfileError(_sentence(error)) from error


def write_profile(profile: CapabilityProfile, *, indent: int | None = 1) -> str:
    """The profile as JSON text with a final newline; null is written, so that its reason can be found.

    Raises:
        ProfileError: the text is larger than `MAX_PROFILE_BYTES`.
    """
    text = profile.model_dump_json(indent=indent) + "\n"
    if len(text.encode()) > MAX_PROFILE_BYTES:
        raise ProfileError(f"the profile would be larger than {MAX_PROFILE_BYTES} bytes")
    return text


def _parse(document: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        text = document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProfileError(f"the profile is not UTF-8 text: {error.reason} at byte {error.start}") from error
    if _depth(text) > MAX_DEPTH:
        raise ProfileError(f"the profile is nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(text, parse_constant=_refuse_number, parse_float=_finite)
    except ValueError as error:
        raise ProfileError(f"the profile is not JSON: {error}; it may have been cut off") from error


def _refuse_number(text: str) -> float:
    raise ValueError(f"{text[:20]} is not a number of JSON")


def _finite(text: str) -> float:
    """Every number of a profile is finite; 1e999 would otherwise be read as infinity and written as null."""
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def _depth(text: str) -> int:
    """Nesting depth by counting brackets; those inside strings make it an upper bound of what parsing meets."""
    depth = deepest = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _check_version(value: dict[str, Any]) -> None:
    version = value.get("schema_version")
    if not isinstance(version, str):
        raise ProfileError("the profile has no schema_version: it was not written by this agent")
    major = version.split(".")[0]
    if major != str(MAJOR):
        raise ProfileError(
            f"the profile has schema_version {version[:16]!r}, this program reads {MAJOR}.x (it writes {SCHEMA_VERSION}): "
            "use the agent and the service of one MAJOR version"
        )


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    # A key of the document may be in the place: whoever wrote it must not write over an admin's screen or log.
    place = "".join(letter if letter.isprintable() else "?" for letter in ".".join(map(str, first["loc"])))
    if len(place) > MAX_PLACE_CHARACTERS:
        place = f"{place[:MAX_PLACE_CHARACTERS]}…"
    what = first["msg"].removeprefix("Value error, ")
    more = error.error_count() - 1
    rest = f" (and {more} more)" if more else ""
    return f"{place or 'the profile'}: {what}{rest}; see `agent schema`"
