"""Capacity day by day, from the estimates that were made when something changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from capacity.fleet.model import FleetSettings

NodeName = tuple[str, str]


class Point(NamedTuple):
    """What a node was said to be worth from a moment on; site and node_id name it."""

    site: str
    node_id: str
    at: datetime
    hs23_granted: float
    granted_cores: float


class Day(NamedTuple):
    """Sum over the nodes that were there on a day (UTC)."""

    day: date
    nodes: int
    hs23: float
    granted_cores: float


def daily(
    points: Iterable[Point],
    last_seen_at: Mapping[NodeName, datetime],
    first: date,
    last: date,
    settings: FleetSettings,
) -> list[Day]:
    """The fleet on each day of a span, both ends included.

    A figure holds from the day of its estimate until a newer one, or until the node is stale.

    Args:
        points: estimates, in any order.
        last_seen_at: when each node was seen last; a node that is not named ends with its last estimate.
        first: day, UTC.
        last: day, UTC.
        settings: after how long a node that is not seen is gone.
    """
    by_node: dict[NodeName, list[Point]] = defaultdict(list)
    for point in points:
        by_node[point.site, point.node_id].append(point)
    length = (last - first).days + 1
    nodes, hs23, cores = [0] * length, [0.0] * length, [0.0] * length
    for name, known in by_node.items():
        known.sort(key=lambda point: point.at)
        end = (last_seen_at.get(name, known[-1].at) + settings.stale_after).astimezone(UTC).date()
        for number, point in enumerate(known):
            begins = point.at.astimezone(UTC).date()
            ends = (
                known[number + 1].at.astimezone(UTC).date() - timedelta(days=1)
                if number + 1 < len(known)
                else end
            )
            for offset in range(max(0, (begins - first).days), min(length - 1, (ends - first).days) + 1):
                nodes[offset] += 1
                hs23[offset] += point.hs23_granted
                cores[offset] += point.granted_cores
    return [Day(first + timedelta(days=i), nodes[i], hs23[i], cores[i]) for i in range(length)]
