"""One walk to one door, step by step, in time whatever the door does, with what was learnt until then."""

from __future__ import annotations

from collections.abc import Callable

from probes.errors import HostError
from probes.network_steps import without_addresses
from probes.webdav.asking import Asking, BrokenError, NotTriedError
from probes.webdav.file import File
from probes.webdav.way import Way
from profiles.facts.routes import Route, Step
from profiles.facts.webdav import WebdavDoor

OPTIONAL = frozenset({"multi-range", "read", "digest"})
"""Steps whose failure does not keep the later ones from being tried."""


def walk(ask: Asking) -> tuple[WebdavDoor, Route]:
    """Take the steps until one breaks that the later ones stand on."""
    way, file = Way(ask), File(ask)
    ways: dict[str, Callable[[], float | None]] = {
        "resolve": way.resolve,
        "connect": way.connect,
        "tls": way.tls,
        "options": way.options,
        "propfind": file.propfind,
        "range": file.range,
        "multi-range": file.multi_range,
        "read": file.read,
        "digest": file.digest,
    }
    steps: list[Step] = []
    stopped = False
    for name, take in ways.items():
        step = Step(name=name, outcome="not reached") if stopped else _step(name, take)
        stopped |= step.outcome == "failed" and name not in OPTIONAL
        steps.append(step)
    place = ask.place
    path = without_addresses(place.path) or "/"
    door = WebdavDoor(target=place.target, path=path, origin=place.origin, secure=place.secure, **ask.seen)
    return door, Route(subject=path, target=place.target, via="direct", steps=tuple(steps))


def _step(name: str, take: Callable[[], float | None]) -> Step:
    try:
        return Step(name=name, outcome="ok", duration_s=take())
    except NotTriedError as error:
        return Step(name=name, outcome="not tried", detail=str(error))
    except BrokenError as error:
        return Step(name=name, outcome="failed", fault=error.fault.name, detail=error.fault.detail)
    except HostError as error:
        return Step(name=name, outcome="failed", fault="host", detail=without_addresses(error.text))
