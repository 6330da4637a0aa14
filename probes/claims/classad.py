"""A tolerant reader of ClassAds in HTCondor's long form: lines `Attribute = literal`.

Expressions other than literals (lists, function calls, references) need an evaluator and are left out: what
a slot grants is always advertised as a literal.
"""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

Literal = int | float | str | bool

MAX_LINES: Final = 20_000
MAX_LINE: Final = 65_536

_LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_INTEGER = re.compile(r"[-+]?[0-9]{1,19}")
_REAL = re.compile(
    r"[-+]?(?:[0-9]{1,32}\.[0-9]{0,32}|\.[0-9]{1,32}|[0-9]{1,32}(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?"
)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class ClassAd(NamedTuple):
    """Attributes that have a literal value, by their name in lower case (ClassAd names ignore case)."""

    literals: dict[str, Literal]
    damaged_lines: int
    """Lines that are not `name = value` at all."""

    def integer(self, name: str) -> int | None:
        """An integer attribute; a real is cut as HTCondor does it; None if absent or of another type."""
        value = self.literals.get(name.lower())
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value)

    def text(self, name: str) -> str | None:
        """A string attribute; None if absent, empty or of another type."""
        value = self.literals.get(name.lower())
        return value if isinstance(value, str) and value else None


def parse(text: str) -> ClassAd:
    """Read one ad. Never raises: a line that cannot be read is counted, lines beyond the bound are cut."""
    literals: dict[str, Literal] = {}
    damaged = 0
    for line in text.split("\n")[:MAX_LINES]:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line) if len(line) <= MAX_LINE else None
        if match is None:
            damaged += 1
            continue
        value = _literal(match[2])
        if value is not None:
            literals[match[1].lower()] = value
    return ClassAd(literals, damaged)


def _literal(text: str) -> Literal | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text):
        return number if math.isfinite(number := float(text)) else None
    if match := _STRING.fullmatch(text):
        return _ESCAPE.sub(_unescape, match[1])
    return {"true": True, "false": False}.get(text.lower())


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _ESCAPED.get(code, code)
