"""The order of the servers that the geo API of each Stratum-1 gives; the client sorts its servers by it."""

from __future__ import annotations

from urllib.parse import urlsplit

from probes.cvmfs.asking import Way, label
from probes.cvmfs.faults import FaultError
from profiles.facts.cvmfs import GeoAnswer

WHO = "sitecap"
"""Stands where a client names its proxy; a word without a dot makes the server go by the address that it sees."""

MAX_ANSWER_BYTES = 4096


def ask_order(way: Way, servers: tuple[str, ...]) -> GeoAnswer:
    """Ask one Stratum-1 for the order of all (CVMFS documentation, "Geo API")."""
    names = ",".join(urlsplit(server).hostname or "" for server in servers)
    try:
        content = way.get(f"api/v1.0/geo/{WHO}/{names}", MAX_ANSWER_BYTES)
        order = parse_order(content, len(servers))
    except FaultError as fault:
        return GeoAnswer(target=label(way.server), order=(), error=f"{fault.name}: {fault.detail}"[:1024])
    return GeoAnswer(target=label(way.server), order=order)


def parse_order(content: bytes, count: int) -> tuple[int, ...]:
    """Positions from 1 to `count`, nearest first.

    Raises:
        FaultError: bad-order.
    """
    words = content.strip().split(b",")
    order = tuple(int(word) for word in words if word.isdigit() and len(word) < 4)
    if sorted(order) != list(range(1, count + 1)):
        raise FaultError("bad-order", f"the answer is not an order of {count} servers: {content[:40]!r}")
    return order
