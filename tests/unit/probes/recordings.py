"""Recordings made, played and forged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from probes.host import Host
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.recording_layout import ANSWERS, MANIFEST
from probes.redact import Redactor
from probes.replay import Recording, ReplayDoor


def end(folder: Path) -> None:
    """Complete a recording."""
    finish(folder, agent_version="0", created_at="2026-01-01T00:00:00+00:00", redacted=True)


def record(folder: Path, ask: Callable[[Host], object], redactor: Redactor | None = None) -> object:
    """Record the answers to what is asked of this machine."""
    begin(folder)
    door = RecordingDoor(LiveDoor(), folder, "test", redactor)
    answer = ask(Host(door))
    door.close()
    assert door.failure is None
    end(folder)
    return answer


def replay(folder: Path, by: str = "test") -> Host:
    """A host that answers as the recording did."""
    return Host(ReplayDoor(Recording(folder), by))


def by_hand(folder: Path, *lines: object, version: object = "1.0") -> Path:
    """A recording of these lines, whatever they are."""
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_text(json.dumps({"recording_version": version}))
    (folder / ANSWERS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder
