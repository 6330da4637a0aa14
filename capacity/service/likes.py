"""Nodes that can be compared: the same CPU model anywhere in the fleet, seen lately."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from capacity.fleet.model import FleetSettings, NodeState
from capacity.fleet.outliers import LikeNode, Outlier, outliers
from capacity.fleet.staleness import fresh_after
from capacity.store import nodes
from capacity.store.nodes import NodeFilter, NodeSummary

MOST_LIKES = 500
"""Nodes that one node is compared with; the median of so many does not move any more."""


class Likes:
    """Answers for one moment; each CPU model is asked for once.

    Args:
        session: a transaction.
        now: decides what is stale.
        settings: of the fleet's rules.
    """

    def __init__(self, session: Session, now: datetime, settings: FleetSettings) -> None:
        self._session = session
        self._bound = fresh_after(now, settings)
        self._known: dict[str, list[LikeNode]] = {}

    def outlier(self, node: LikeNode) -> Outlier | None:
        """Whether a node is far from the median of its likes; None if it is not, or if there are too few."""
        if node.cpu_key not in self._known:
            which = NodeFilter(cpu_key=node.cpu_key, seen_after=self._bound)
            found = nodes.summaries(self._session, which, limit=MOST_LIKES)
            self._known[node.cpu_key] = [like for one in found if (like := of_summary(one)) is not None]
        others = [
            one
            for one in self._known[node.cpu_key]
            if (one.site, one.node_id) != (node.site, node.node_id) and one.logical_cpus == node.logical_cpus
        ]
        return next((one for one in outliers([*others, node]) if one.node == node), None)


def of_summary(summary: NodeSummary) -> LikeNode | None:
    """What a node is compared by; None if it has no figure yet or its processor is not known."""
    if summary.cpu_key is None or summary.logical_cpus is None or summary.hs23_per_core is None:
        return None
    return LikeNode(
        summary.site, summary.node_id, summary.cpu_key, summary.logical_cpus, summary.hs23_per_core
    )


def of_state(state: NodeState, cpu_key: str | None) -> LikeNode | None:
    """The same of a state that is not saved yet."""
    cpus = state.evidence.cpu.logical_cpus if state.evidence is not None else None
    if cpu_key is None or cpus is None or state.estimate is None:
        return None
    return LikeNode(state.site, state.node_id, cpu_key, cpus, state.estimate.hs23_per_core)
