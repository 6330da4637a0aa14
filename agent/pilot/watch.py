"""Looks from time to time whether the slot's life became shorter; a look that hangs costs nothing but itself."""

from __future__ import annotations

import os
import time

from agent.pilot.life import Slot, read_slot
from agent.pilot.stage import Orders, Part, Stage
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings

LOOK_S = 6.0
"""Bound on one look: two features over HTTP and one question to a controller have 2 s each."""


def ask_slot(settings: Settings, *, ask_controller: bool, lifetime_s: float | None) -> Slot:
    """What is known of the slot, within `LOOK_S`; an empty answer if the sources hang."""
    stage = _started(settings, ask_controller=ask_controller, lifetime_s=lifetime_s)
    if stage is None:
        return Slot()
    found = stage.ended() if stage.wait(LOOK_S) else stage.kill("the sources hang")
    return Slot.from_json(found.messages[0]) if found.messages else Slot()


class Watch:
    """Asks the sources that can change, every so often, in a child.

    Args:
        settings: of the probes.
        every_s: between two looks.
        known: what the sources said first.
    """

    def __init__(self, settings: Settings, every_s: float, known: Slot) -> None:
        self._settings = settings
        self._every_s = every_s
        self._stage: Stage | None = None
        self._began = time.monotonic()
        self._changing = known.changing

    def look(self) -> tuple[float, str] | None:
        """The end of the slot on the monotonic clock and who says so, if an answer has come just now; never waits."""
        if not self._changing:
            return None
        now = time.monotonic()
        if self._stage is None:
            if now - self._began >= self._every_s:
                self._began = now
                self._stage = _started(self._settings, ask_controller=False, lifetime_s=None)
            return None
        if self._stage.wait(0.0):
            found = self._stage.ended()
        elif now - self._began > LOOK_S:
            found = self._stage.kill("the sources hang")
        else:
            return None
        self._stage = None
        slot = Slot.from_json(found.messages[0]) if found.messages else Slot()
        return None if slot.life_s is None else (now + slot.life_s, slot.life_source)

    def close(self) -> None:
        """End a look that is under way."""
        if self._stage is not None:
            self._stage.kill("the pilot ends")
            self._stage = None


def _started(settings: Settings, *, ask_controller: bool, lifetime_s: float | None) -> Stage | None:
    def work(part: Part) -> None:
        host = Host(LiveDoor("/"))
        part.say(read_slot(host, settings, ask_controller=ask_controller, lifetime_s=lifetime_s).to_json())

    try:
        return Stage("the look for the slot's end", work, Orders(time.monotonic() + LOOK_S))
    except OSError:
        return None


def node_name(slot: Slot) -> str:
    """What this node is called: by the batch system, else by itself."""
    return slot.node_name or os.uname().nodename
