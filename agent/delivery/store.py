"""What a drain needs of the place where documents wait: the spool, or memory where no disk can be had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from agent.delivery.names import Name


class Held(Protocol):
    """A document that this agent has in hand."""

    @property
    def name(self) -> Name:
        """Of the document."""

    @property
    def document(self) -> bytes:
        """One line of JSON."""

    @property
    def size_bytes(self) -> int:
        """That it takes in the store."""

    @property
    def intact(self) -> bool:
        """Whether it is what was put there."""

    def remove(self) -> None:
        """It is handed in."""

    def set_aside(self, reason: str) -> None:
        """It is never sent again."""

    def release(self) -> None:
        """It waits on."""


class Store(Protocol):
    """Documents that wait."""

    def waiting(self) -> list[Name]:
        """Their names, the oldest first."""

    def claim(self, name: Name) -> Held | None:
        """Take one in hand; None if it is gone or somebody else has it."""

    def removed(self, size_bytes: int) -> None:
        """Take account of those that were removed."""

    def tidy(self) -> int:
        """Give up what is too old; how many were set aside."""


class Memory:
    """Documents that no disk takes, for as long as the process lives.

    Args:
        documents: one line of JSON each.
    """

    def __init__(self, documents: Mapping[Name, bytes]) -> None:
        self.documents = dict(documents)

    def waiting(self) -> list[Name]:
        """Their names, the oldest first."""
        return sorted(self.documents)

    def claim(self, name: Name) -> Held | None:
        """Take one in hand."""
        return _InMemory(self, name) if name in self.documents else None

    def removed(self, size_bytes: int) -> None:
        """Nothing is counted here."""

    def tidy(self) -> int:
        """Nothing grows old here."""
        return 0


class _InMemory:
    def __init__(self, memory: Memory, name: Name) -> None:
        self._memory = memory
        self.name = name
        self.document = memory.documents[name]
        self.size_bytes = len(self.document)
        self.intact = True

    def remove(self) -> None:
        self._memory.documents.pop(self.name, None)

    def set_aside(self, reason: str) -> None:  # noqa: ARG002 - the drain has logged it
        self.remove()

    def release(self) -> None:
        pass
