"""What all nodes of a job found, put together by the agent of rank 0 in a directory that they share."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.pilot.leave import write_all
from agent.render.exit_maps import overall
from profiles.profile import CapabilityProfile

POLL_S = 0.2
"""Between two looks into the directory; it may be on a server that all nodes ask."""

MAX_PART_BYTES = 64 * 1024
MAX_PARTS = 100_000

Json = dict[str, Any]


def part_of(profile: CapabilityProfile, node: str) -> Json:
    """What one node contributes.

    Args:
        profile: of the node.
        node: what the batch system calls it; the summary stays on the site.
    """
    return {
        "node": node,
        "node_id": profile.node.id,
        "profile": profile.id,
        "verdict": str(overall(profile)),
        "problems": [check.id for check in profile.checks if check.status in ("CRITICAL", "WARNING")],
        "partial": profile.limits.reason,
        "cores_granted": profile.scope.cores_granted,
        "events_per_s": {one.kernel: one.events_per_s for one in profile.payloads if one.events_per_s},
    }


def hand_part(directory: Path, key: str, part: Json) -> list[str]:
    """Put one node's part into the directory; a sentence if that fails."""
    return write_all({directory / f"part-{key}-{part['node_id']}.json": json.dumps(part).encode()})


def hand_summary(directory: Path, found: Json) -> list[str]:
    """Put the summary into the directory; a sentence if that fails."""
    return write_all({directory / "summary.json": (json.dumps(found, indent=1) + "\n").encode()})


def gather(directory: Path, key: str, nodes: int, *, until: float, stop: Callable[[], bool]) -> list[Json]:
    """The parts of a launch: all of them, or those that are there when the time has come.

    Args:
        directory: shared.
        key: of the launch.
        nodes: how many there should be.
        until: on the monotonic clock.
        stop: whether to wait no longer.
    """
    while True:
        parts = _parts(directory, key)
        if len(parts) >= nodes or stop() or time.monotonic() >= until:
            return parts
        time.sleep(POLL_S)


def _parts(directory: Path, key: str) -> list[Json]:
    found = []
    for path in sorted(directory.glob(f"part-{key}-*.json"))[:MAX_PARTS]:
        try:
            with path.open("rb") as file:
                part = json.loads(file.read(MAX_PART_BYTES))
        except (OSError, ValueError, RecursionError):
            continue  # not whole yet, or not ours
        if isinstance(part, dict) and "node_id" in part:
            found.append(part)
    return found


def summarise(parts: Sequence[Json], nodes: int) -> Json:
    """What the job found, in numbers.

    Args:
        parts: of the nodes that answered.
        nodes: on how many the job runs.
    """
    rates: Counter[str] = Counter()
    for part in parts:
        rates.update(part.get("events_per_s") or {})
    return {
        "nodes": nodes,
        "reported": len(parts),
        "missing": max(nodes - len(parts), 0),
        "verdicts": dict(Counter(str(part.get("verdict")) for part in parts)),
        "problems": dict(Counter(check for part in parts for check in part.get("problems") or ())),
        "partial": {str(part["node"]): part["partial"] for part in parts if part.get("partial")},
        "cores_granted": sum(part.get("cores_granted") or 0 for part in parts),
        "events_per_s": dict(rates),
        "parts": list(parts),
    }


def sentence(found: Json) -> str:
    """The summary in a line."""
    verdicts = ", ".join(f"{number} {name}" for name, number in sorted(found["verdicts"].items())) or "none"
    missing = f", {found['missing']} missing" if found["missing"] else ""
    partial = f", {len(found['partial'])} incomplete" if found["partial"] else ""
    return (
        f"{found['reported']} of {found['nodes']} nodes reported{missing}: {verdicts}{partial}; "
        f"{found['cores_granted']:g} cores granted"
    )
