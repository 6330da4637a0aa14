"""The part of a pilot that hands its profile in: on the disk first, so that nothing after that can lose it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import NamedTuple

from agent.delivery.claim import SET_ASIDE
from agent.delivery.deliver import deliver, drain
from agent.delivery.drain import Delivered
from agent.delivery.errors import DeliveryError
from agent.delivery.names import name_of, one_line
from agent.delivery.places import spool_of
from agent.delivery.settings import DeliverySettings
from agent.delivery.store import Memory
from agent.pilot.stage import Ended, Part


class Handed(NamedTuple):
    """Where the profile is now.

    Attributes:
        sentence: what is to be told of it.
        waits_in: the file of the spool in which it waits for the next agent that sends; None = in none.
        delivered: whether the service has it.
    """

    sentence: str
    waits_in: str | None = None
    delivered: bool = False


def deliver_it(document: bytes, settings: DeliverySettings, part: Part) -> None:
    """Keep the profile in the spool, say so, then send what waits there until the time has come; say how that went."""
    line = one_line(document)
    until_s = part.orders.deadline
    trouble = ""
    path: Path | None = None
    memory = Memory({name_of(line): line})
    try:
        path = spool_of(settings).put(line)
    except DeliveryError as error:
        trouble = f"; it could not be kept in the spool: {error}"
    else:
        _say(part, Handed("it was not sent in time", str(path)))

    def stop() -> bool:
        return time.monotonic() >= part.orders.deadline

    try:
        if path is None:
            found = drain(memory, settings, until_s, stop)
        else:
            found = deliver(settings, until_s=until_s, stop=stop)
    except DeliveryError as error:
        _say(part, Handed(f"{error}{trouble}", None if path is None else str(path)))
        return
    _say(part, _handed(found, path, trouble))


def handed_of(ended: Ended) -> Handed:
    """What the part said last, and what became of it if it was cut off."""
    if not ended.messages:
        return Handed(ended.failure or "delivery ended without a word")
    handed = Handed(*json.loads(ended.messages[-1]))
    if ended.failure is None or handed.delivered:
        return handed
    return handed._replace(sentence=f"{handed.sentence}; {ended.failure}")


def _handed(found: Delivered, path: Path | None, trouble: str) -> Handed:
    """Of all that waited, ours is the question: a spool may hold those of many."""
    if path is not None and path.exists():
        return Handed(found.reason or "the service did not take it", str(path))
    if path is not None and (path.parent / SET_ASIDE / path.name).exists():
        reason = found.reason or "the service refused it"
        return Handed(f"it was set aside in {path.parent / SET_ASIDE}: {reason}")
    if path is None and not found.delivered + found.duplicates:
        return Handed(f"{found.reason or 'the service did not take it'}{trouble}")
    others = found.delivered + found.duplicates - 1
    more = f", and {others} that waited" if others > 0 else ""
    return Handed(f"the service has it{more}{trouble}", delivered=True)


def _say(part: Part, handed: Handed) -> None:
    part.say(json.dumps(handed).encode())
