"""Nodes as a refresher keeps them, for tests of what is asked of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from capacity.fleet.model import NodeState, SlotView
from capacity.hs06.model import CpuDescription, Estimate, Method, NodeEvidence
from capacity.service.ingest import accept
from capacity.store import nodes, profiles
from capacity.store.database import Database
from capacity.store.nodes import PendingNode
from tests.unit.capacity.documents import (
    EVERYWHERE,
    NOW,
    SITE,
    new_id,
    node,
    profile,
)

HOUR = timedelta(hours=1)


def estimate(per_core: float = 12.0, **changes: Any) -> Estimate:
    """An estimate by payloads, HS23 per core."""
    values: dict[str, Any] = {
        "hs23_per_core": per_core,
        "low": per_core * 0.9,
        "high": per_core * 1.1,
        "sigma": 0.1,
        "method": Method.PAYLOAD,
        "provisional": True,
        "rungs": (),
        "steps": ("from the payloads",),
        "catalogue_version": "2026.1",
        "calibration_version": "c1",
    }
    return Estimate(**{**values, **changes})


def state(number: int = 1, site: str = SITE, cores: float = 8.0, **changes: Any) -> NodeState:
    """A node of 16 CPUs that is sound."""
    worth: Estimate | None = changes.pop("estimate", estimate())
    evidence = NodeEvidence(cpu=CpuDescription(arch="x86_64", logical_cpus=16), scope="node")
    slot = SlotView(key="node", kind="node", profile_id=new_id(), seen_at=NOW, evidence=evidence)
    values: dict[str, Any] = {
        "site": site,
        "node_id": node(number),
        "first_seen_at": NOW,
        "last_seen_at": NOW,
        "slots": (slot,),
        "evidence": evidence,
        "estimate": worth,
        "granted_cores": cores,
        "hs23_granted": cores * worth.hs23_per_core if worth else None,
        "usable": True,
    }
    return NodeState(**{**values, **changes})


def ingest(database: Database, number: int = 1, site: str = SITE, at: datetime = NOW) -> None:
    """A profile of the node comes."""
    accept(database, [profile(site=site, node_id=node(number), created_at=at)], EVERYWHERE, at)


def take(database: Database, limit: int = 100, now: datetime = NOW) -> list[PendingNode]:
    """Claim what waits."""
    with database.session() as session:
        return nodes.take_pending(session, limit, now)


def newest(database: Database, one: PendingNode) -> int:
    """Sequence of the last profile that came for a claimed node."""
    with database.reading() as session:
        found = profiles.documents_of_node(session, one.site, one.node_id, after=one.absorbed)
        return found[-1].sequence


def save(
    database: Database, state: NodeState, taken: PendingNode, absorbed: int | None = None, now: datetime = NOW
) -> bool:
    absorbed = newest(database, taken) if absorbed is None else absorbed
    with database.session() as session:
        return nodes.save(session, state, "model 7", now, absorbed=absorbed, revision=taken.revision)


def filled(database: Database, *states: NodeState) -> None:
    """Nodes that came, were claimed and were saved as these states."""
    for state in states:
        ingest(database, int(state.node_id, 16), state.site)
    taken = {(one.site, one.node_id): one for one in take(database)}
    for state in states:
        assert save(database, state, taken[state.site, state.node_id])
