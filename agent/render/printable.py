"""Text that cannot drive the reader's terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text without control characters: what a host file says is only ever shown, never obeyed."""
    return "".join(character if character.isprintable() else " " for character in text)
