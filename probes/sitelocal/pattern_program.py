"""What a regular expression is translated into: the instructions of a small machine, and the bounds on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MAX_PATTERN_CHARS = 1024
MAX_INSTRUCTIONS = 4000
MAX_DEPTH = 32
MAX_REPEAT = 255
MAX_GROUPS = 9

Test = Callable[[str], bool]


class PatternError(Exception):
    """The pattern cannot be used; the text is one clause that quotes it."""


class Take(NamedTuple):
    """Consume one character that passes the test."""

    test: Test


class Split(NamedTuple):
    """Go on at both places, the first one preferred."""

    first: int
    second: int


class Jump(NamedTuple):
    """Go on elsewhere."""

    to: int


class Save(NamedTuple):
    """Note the place in the name: slot 2n is the beginning of group n+1, slot 2n+1 its end."""

    slot: int


class At(NamedTuple):
    """Go on only at the beginning (`end` False) or the end of the name."""

    end: bool


class Match(NamedTuple):
    """The pattern is at its end."""


Instruction = Take | Split | Jump | Save | At | Match


def quoted(text: str) -> str:
    """The pattern for a sentence, shortened."""
    return repr(text if len(text) <= 64 else f"{text[:61]}…")
