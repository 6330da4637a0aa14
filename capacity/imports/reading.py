"""Reading foreign files: bounded before they are parsed, and values that are text, sentinels or numbers with units."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from capacity.errors import BadInputError

MAX_BYTES = 64 * 1024 * 1024
"""Of one file: CRIC's list of all federations has some 2 MB, a Suite report with its time series up to 1 MB."""

MAX_ROWS = 200_000

MAX_PROBLEMS = 200
"""Sentences that are told; a file that is wrong throughout says the same thing a million times."""

_ABSENT = frozenset(
    {"", "not_available", "not available", "not_defined", "n/a", "na", "none", "null", "unknown", "-"}
)
_NUMBER = re.compile(
    r"\s*([-+]?[0-9]{1,18}(?:[.,][0-9]{1,12})?(?:[eE][-+]?[0-9]{1,3})?)\s*([A-Za-z/%]{0,16})\s*"
)


class Broken(NamedTuple):
    """A document among several that cannot be read."""

    why: str


def json_of(data: bytes, what: str) -> Any:  # noqa: ANN401 - any JSON
    """A JSON document; NaN and Infinity, which Python writes and JSON does not know, are read as null.

    Raises:
        BadInputError: too large, too deep, not JSON.
    """
    _check_size(data, what)
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=lambda _: None)
    except RecursionError as error:
        raise BadInputError(f"{what} is nested too deep: it is not such a file") from error
    except ValueError as error:
        raise BadInputError(f"{what} is not JSON: {error}") from error


def documents_of(data: bytes, what: str) -> list[Any]:
    """One document, a list of them, one a line, or the answer of a search engine; each by itself.

    A line that cannot be read among others that can is `Broken`.

    Raises:
        BadInputError: none of these.
    """
    try:
        value = json_of(data, what)
    except BadInputError as error:
        lines = [line for line in data.split(b"\n") if line.strip()]
        if len(lines) < 2 or len(lines) > MAX_ROWS or not isinstance(_line(lines[0], 1, what), dict):
            raise error from None
        return [_line(line, number, what) for number, line in enumerate(lines, 1)]
    if isinstance(value, dict) and isinstance(value.get("hits"), dict):
        value = value["hits"].get("hits", [])
    if not isinstance(value, list):
        return [value]
    if len(value) > MAX_ROWS:
        raise BadInputError(
            f"{what} has {len(value)} entries, more than the {MAX_ROWS} that are read at once"
        )
    return [one["_source"] if isinstance(one, dict) and "_source" in one else one for one in value]


def _line(line: bytes, number: int, what: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json_of(line, f"line {number} of {what}")
    except BadInputError as error:
        return Broken(str(error))


def rows_of(data: bytes, what: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV with a header, by lower-case column name; comma, semicolon or tab, `#` starts a comment line.

    Yields:
        Line number in the file and the row.

    Raises:
        BadInputError: too large, not UTF-8, no header, too many rows.
    """
    _check_size(data, what)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{what} is not UTF-8 text (byte {error.start}): save it as UTF-8") from error
    lines = [
        (number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"
    ]
    if not lines:
        raise BadInputError(f"{what} is empty: it needs a line with the names of its columns")
    if len(lines) > MAX_ROWS:
        raise BadInputError(f"{what} has {len(lines)} lines, more than the {MAX_ROWS} that are read at once")
    delimiter = max(",;\t", key=lines[0][1].count)
    try:
        parsed = list(
            csv.reader(io.StringIO("\n".join(line for _, line in lines)), delimiter=delimiter, strict=True)
        )
    except csv.Error as error:
        raise BadInputError(f"{what} is not CSV: {error}") from error
    names = [name.strip().lower() for name in parsed[0]]
    for (number, _), cells in zip(islice(lines, 1, None), parsed[1:], strict=False):
        yield number, dict(zip(names, (cell.strip() for cell in cells), strict=False))


def number(value: object) -> float | None:
    """A finite number that may be text, with or without a unit ("208 MHz"); None for sentinels: not_available, -1, "".

    -1 stands for "not known" in these formats; none of what is read here can be negative.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        found = float(value) if abs(value) < 1e300 else math.inf
    else:
        match = _NUMBER.fullmatch(str(value)[:64])
        if match is None:
            return None
        found = float(match[1].replace(",", "."))
    return found if math.isfinite(found) and found >= 0 else None


def integer(value: object) -> int | None:
    """The same for a count."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def text(value: object, longest: int = 255) -> str | None:
    """A sentence or name; None for sentinels and for what is no text. Characters that do not print are dropped."""
    if not isinstance(value, str) or value.strip().lower() in _ABSENT:
        return None
    return "".join(letter for letter in value.strip() if letter.isprintable())[:longest] or None


def moment(value: object) -> datetime | None:
    """An ISO 8601 time; without a zone it is UTC."""
    written = text(value, 40)
    if written is None:
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def at(value: object, *names: str) -> Any:  # noqa: ANN401 - any JSON
    """What lies at a path of keys; None where one is missing or its parent is no object."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def shown(value: object) -> str:
    """A piece of a foreign value for a message: short, printable, quoted."""
    return repr(value)[:60]


def bounded(problems: list[str]) -> tuple[str, ...]:
    """The first problems, and how many more there are."""
    if len(problems) <= MAX_PROBLEMS:
        return tuple(problems)
    return (*problems[:MAX_PROBLEMS], f"and {len(problems) - MAX_PROBLEMS} more problems of this file")


def _check_size(data: bytes, what: str) -> None:
    if len(data) > MAX_BYTES:
        raise BadInputError(
            f"{what} has {len(data)} bytes, more than the {MAX_BYTES} that are read at once: split it"
        )
