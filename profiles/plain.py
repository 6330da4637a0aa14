"""Is a document plain: surely not nested too deeply and without numbers beyond all bounds?

These are the bounds that the model's own parser does not hold. They are held by a few passes over the bytes in C, where
reading each character in Python would take ten times as long as the validation itself. A document that is not plain
may still be right: a slower reader tells.
"""

from __future__ import annotations

import re

MAX_DEPTH = 32
"""Deepest nesting that is read; the schema itself needs 8."""

_STRUCTURE = b'[]{}"'
_NO_STRUCTURE = bytes(set(range(256)) - set(_STRUCTURE))
_ESCAPED = re.compile(
    rb"\\.", re.DOTALL
)  # begins with one letter, which `re` looks for as fast as memory is read
_ONE_KIND = bytes.maketrans(b"{}", b"[]")

_DIGITS = b"0123456789"
_NUMBERS = bytes.maketrans(_DIGITS + b"E", b"0" * len(_DIGITS) + b"e")
# 1.8e308 is the largest number that is finite. Fewer digits than this with an exponent of two stay below it.
_MANY_DIGITS = b"0" * 200
_LONG_EXPONENT = b"0e000"
_MAX_LOOKS = 100
# One literal by `re` takes half as long as by `in`, which does not look for the first letter alone.
_NOT_A_NUMBER, _INFINITE = re.compile(rb"NaN"), re.compile(rb"Infinity")
_BEFORE_NUMBERS = b":,[ \t\r\n"


def is_plain(document: bytes) -> bool:
    """Whether the document, if it is JSON at all, is surely not deeper than `MAX_DEPTH` and all its numbers finite."""
    return _is_shallow(document) and _is_finite(document)


def _is_shallow(document: bytes) -> bool:
    """Take the innermost pairs of brackets away until nothing is left."""
    document = _ESCAPED.sub(b"", document)  # quotes that end no string
    # Two quotes with nothing between them open and close a string, or close and open one: either changes nothing.
    brackets = document.translate(_ONE_KIND, _NO_STRUCTURE).replace(b'""', b"")
    if b'"' in brackets:  # brackets inside strings
        return False
    for _ in range(MAX_DEPTH):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return not brackets


def _is_finite(document: bytes) -> bool:
    if _NOT_A_NUMBER.search(document) or _INFINITE.search(document):
        return False
    numbers = document.translate(_NUMBERS, b"+")
    if _MANY_DIGITS in numbers:
        return False
    place = -1
    for _ in range(_MAX_LOOKS):
        place = numbers.find(_LONG_EXPONENT, place + 1)
        if place < 0:
            return True
        # A hexadecimal digest may hold the same characters, but a letter or a quote stands before them.
        before = numbers[max(0, place - 2 * len(_MANY_DIGITS) - 3) : place].rstrip(b"0.-")
        if not before or before[-1:] in _BEFORE_NUMBERS:
            return False
    return False
