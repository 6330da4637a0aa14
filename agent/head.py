"""The first line of the screen, from two questions that cost nothing, before anything heavy is loaded."""

from __future__ import annotations

from pathlib import Path

import agent
from agent.render.printable import printable
from probes.errors import HostError
from probes.host import Host
from probes.live import LiveDoor

RELEASE_BYTES = 16_384
"""os-release(5) is some hundred bytes."""


def head_line(root: str, replay: Path | None) -> str:
    """Who speaks, and about which machine: its name and PRETTY_NAME, or the recording that is replayed."""
    if replay is not None:
        return f"agent {agent.__version__} on the recording {printable(str(replay))}\n"
    host = Host(LiveDoor(root))
    system = _system(host)
    about = f" ({printable(system)})" if system else ""
    return f"agent {agent.__version__} on {printable(host.system_name().node)}{about}\n"


def _system(host: Host) -> str | None:
    try:
        release = host.read_text("/etc/os-release", limit_bytes=RELEASE_BYTES)
    except HostError:
        return None
    fields = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    return fields.get("PRETTY_NAME", "").strip("\"'")[:80] or None
