"""MONIT documents: what CERN's monitoring takes by HTTP, at most 10,000 at a time; CMS sends 1,024.

Envelope as in CMSCompOps/MonitoringScripts (producer, type, path, timestamp in ms, type_prefix, data), with the centre of the
15-minute bin as time.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from capacity.exports import site_capacity
from capacity.exports.model import PRODUCER, Snapshot, iso, one_line, rounded

BATCH = 1024
_BIN_S = 900


def render(snapshot: Snapshot) -> str:
    """Capacity of sites, then of nodes, as one JSON array of documents; send `BATCH` of them at a time."""
    return json.dumps(documents(snapshot), indent=1) + "\n"


def documents(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The documents; `data` is flat."""
    found = [
        _document("scap15min", snapshot.at, site_capacity.entry(site, snapshot))
        for site in snapshot.sites
        if site.roll.hs23_per_core is not None
    ]
    for node in snapshot.nodes:
        estimate = node.estimate
        if estimate is None:
            continue
        data = {
            "name": node.site,
            "node_id": node.node_id,
            "hs23_per_core": rounded(estimate.hs23_per_core),
            "hs23_per_core_low": rounded(estimate.low),
            "hs23_per_core_high": rounded(estimate.high),
            "hs23_granted": None if node.hs23_granted is None else rounded(node.hs23_granted),
            "cores_granted": node.granted_cores,
            "method": estimate.method.value,
            "provisional": estimate.provisional,
            "usable": node.usable,
            "unusable_reason": one_line(node.unusable_reason) if node.unusable_reason else None,
            "last_seen": iso(node.last_seen_at),
        }
        found.append(_document("nodecapacity", snapshot.at, data))
    return found


def _document(path: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    centre_s = int(at.timestamp()) // _BIN_S * _BIN_S + _BIN_S // 2
    return {
        "producer": PRODUCER,
        "type": "ssbmetric",
        "path": path,
        "timestamp": centre_s * 1000,
        "type_prefix": "raw",
        "data": data,
    }
