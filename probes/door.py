"""What stands behind the host door, whoever answers: the machine, a recorder, a recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from probes.answers import Json

KIB = 1024
MIB = 1024 * KIB


class Door(Protocol):
    """Answers questions: `ask("stat", ["/tmp"])` → JSON-able answer, or bytes for "file"."""

    def ask(self, kind: str, args: list[Json]) -> Any:  # noqa: ANN401 - the shape depends on the question
        """Answer one question, or raise HostError."""
        ...

    def observe(self, name: str, args: list[Json], live: Callable[[], Json]) -> Any:  # noqa: ANN401
        """Answer by calling `live`, or from a recording."""
        ...

    def restore(self, text: str) -> str:
        """What stands for `text` on the machine, where an answer has given a pseudonym."""
        ...
