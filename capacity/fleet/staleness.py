"""When a node was not seen for so long that it may be gone."""

from __future__ import annotations

from datetime import datetime

from capacity.fleet.model import FleetSettings


def fresh_after(now: datetime, settings: FleetSettings) -> datetime:
    """Nodes last seen before this moment are stale; for questions over many nodes."""
    return now - settings.stale_after


def is_stale(last_seen_at: datetime, now: datetime, settings: FleetSettings) -> bool:
    """Whether a node is stale now; its capacity no longer counts, its history stays."""
    return last_seen_at < fresh_after(now, settings)
