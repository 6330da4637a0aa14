"""A verdict changes only when it was seen twice in a row. Pure.

Twice means: what was asked when it was first seen was asked again. A verdict may rest on the facts of several probes, so
judging old facts once more does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self


class Doubt(NamedTuple):
    """A word that was seen once.

    Attributes:
        word: what was seen.
        unasked: probes that ran then and have not run since.
    """

    word: str
    unasked: frozenset[str]


@dataclass(frozen=True)
class Steady:
    """What is shown, and what was seen once and is not shown yet.

    Attributes:
        shown: word by name, e.g. the status of each check.
        doubts: by name; never of a word that is shown.
    """

    shown: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)

    def seen(self, words: Mapping[str, str], ran: Collection[str]) -> Self:
        """After a look.

        Args:
            words: what is seen now, by name; a name that is new is shown at once, one that is missing is dropped.
            ran: the probes that ran for it.
        """
        shown: dict[str, str] = {}
        doubts: dict[str, Doubt] = {}
        asked = frozenset(ran)
        for name, word in words.items():
            old = self.shown.get(name, word)
            shown[name] = old
            if word == old:
                continue
            doubt = self.doubts.get(name)
            if doubt is None or doubt.word != word:
                doubts[name] = Doubt(word, asked)
            elif doubt.unasked - asked:
                doubts[name] = Doubt(word, doubt.unasked - asked)
            else:
                shown[name] = word
        return type(self)(shown, doubts)

    def to_ask(self) -> frozenset[str]:
        """The probes whose next look decides the doubts."""
        return frozenset().union(*(doubt.unasked for doubt in self.doubts.values()))
