"""What exports are made of, and how foreign text is kept from breaking out of a format."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from capacity.fleet.model import NodeState, Roll, SiteInfo

PRODUCER = "sitecap"


class SiteFigures(NamedTuple):
    """A site as exports see it.

    Attributes:
        info: where it belongs.
        roll: its sums.
        shares_federation: whether other sites are in its federation, so that the pledge is not its own.
    """

    info: SiteInfo
    roll: Roll
    shares_federation: bool


class Snapshot(NamedTuple):
    """What is exported.

    Attributes:
        at: when it was asked.
        sites: by name.
        nodes: of those sites; empty for formats that do not want them.
    """

    at: datetime
    sites: tuple[SiteFigures, ...]
    nodes: tuple[NodeState, ...] = ()


def iso(moment: datetime) -> str:
    """A moment in UTC, to the second, with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_line(text: str, longest: int = 300) -> str:
    """Foreign text without line breaks and control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:longest]


def rounded(value: float, digits: int = 3) -> float:
    """A figure as it is published; more digits than these would be noise."""
    return round(value, digits)
