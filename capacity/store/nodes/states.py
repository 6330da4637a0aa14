"""Nodes: what was derived of each, and which wait for that.

A refresher claims pending nodes, reads their new profiles, and saves what it made of them. Claims hold no lock, so
that ingestion never waits for an estimate; a save counts only if nobody changed the node in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import case, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from capacity.fleet import attention
from capacity.fleet.model import NodeState
from capacity.store.identity import canonical
from capacity.store.tables import EstimateRow, NodeRow

CLAIM = timedelta(minutes=2)
"""A refresher that has not saved by then is taken for dead."""


class PendingNode(NamedTuple):
    """A node with profiles that its state does not know."""

    site: str
    node_id: str
    state: NodeState | None
    absorbed: int  # its state knows the profiles up to this sequence
    revision: int
    pending_since: datetime


def take_pending(session: Session, limit: int, now: datetime) -> list[PendingNode]:
    """Claim nodes that wait, longest first; no other refresher gets them before `CLAIM` has passed."""
    free = or_(
        NodeRow.claimed_until.is_(None), NodeRow.claimed_until < now, NodeRow.claimed_until > now + CLAIM
    )
    waiting = session.execute(
        select(NodeRow.site, NodeRow.node_id)
        .where(NodeRow.pending_since.is_not(None), free)
        .order_by(NodeRow.pending_since)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return [found for site, node_id in waiting if (found := _claim(session, site, node_id, now)) is not None]


def take(session: Session, site: str, node_id: str, now: datetime) -> PendingNode | None:
    """Claim one node, for a page that wants it now; None if it does not wait."""
    return _claim(session, site, canonical(session, site, node_id), now)


def _claim(session: Session, site: str, node_id: str, now: datetime) -> PendingNode | None:
    found = session.execute(
        update(NodeRow)
        .where(NodeRow.site == site, NodeRow.node_id == node_id, NodeRow.pending_since.is_not(None))
        .values(claimed_until=now + CLAIM)
        .returning(NodeRow.state, NodeRow.absorbed, NodeRow.revision, NodeRow.pending_since)
    ).one_or_none()
    if found is None:
        return None
    state = _state(found.state)
    # A state that this version cannot read is made again from the first profile on.
    absorbed = found.absorbed if state is not None else 0
    return PendingNode(site, node_id, state, absorbed, found.revision, found.pending_since)


def state(session: Session, site: str, node_id: str) -> NodeState | None:
    """What is known of a node, also under an id that it had before; None = not seen, or not yet looked at."""
    found = session.scalar(
        select(NodeRow.state).where(
            NodeRow.site == site, NodeRow.node_id == canonical(session, site, node_id)
        )
    )
    return _state(found)


def states(session: Session, keys: Sequence[tuple[str, str]]) -> list[NodeState]:
    """The states of several nodes (site, node id), where there are any."""
    found = session.scalars(select(NodeRow.state).where(tuple_(NodeRow.site, NodeRow.node_id).in_(keys)))
    return [one for value in found if (one := _state(value)) is not None]


def states_in_order(
    session: Session, site: str | None, after: tuple[str, str] | None, limit: int
) -> list[NodeState]:
    """States in order of site and node id, after the one named; every site if `site` is None."""
    statement = select(NodeRow.state).where(NodeRow.state.is_not(None))
    if site is not None:
        statement = statement.where(NodeRow.site == site)
    if after is not None:
        statement = statement.where(tuple_(NodeRow.site, NodeRow.node_id) > after)
    found = session.scalars(statement.order_by(NodeRow.site, NodeRow.node_id).limit(limit))
    return [one for value in found if (one := _state(value)) is not None]


def _state(value: Any) -> NodeState | None:  # noqa: ANN401 - JSON
    if value is None:
        return None
    try:
        return NodeState.model_validate(value)
    except ValidationError:
        return None


def save(
    session: Session,
    state: NodeState,
    cpu_key: str | None,
    now: datetime,
    *,
    absorbed: int,
    revision: int,
) -> bool:
    """Keep what was made of a node; the estimate goes into the history if it changed.

    Args:
        session: the transaction.
        state: of the node under the id it is kept under.
        cpu_key: its CPU model, normalised.
        now: when the estimate was made.
        absorbed: sequence of the last profile that the state knows; the node stays pending if more came.
        revision: of the `PendingNode` that this was made from.

    Returns:
        False if the node was changed or joined with another one since; nothing is kept then.
    """
    before = session.execute(
        select(*_ESTIMATED).where(
            NodeRow.site == state.site, NodeRow.node_id == state.node_id, NodeRow.revision == revision
        )
    ).one_or_none()
    if before is None:
        return False
    columns = _columns(state, cpu_key)
    kept = session.scalars(
        update(NodeRow)
        .where(NodeRow.site == state.site, NodeRow.node_id == state.node_id, NodeRow.revision == revision)
        .values(
            state=state.model_dump(mode="json"),
            absorbed=absorbed,
            revision=revision + 1,
            claimed_until=None,
            pending_since=case((NodeRow.newest > absorbed, NodeRow.pending_since), else_=None),
            **columns,
        )
        .returning(NodeRow.revision)
    ).one_or_none()
    if kept is None:
        return False
    after = tuple(columns[column.key] for column in _ESTIMATED)
    if state.estimate is not None and tuple(before) != after:
        session.add(_history(state, now))
    return True


_ESTIMATED = (
    NodeRow.method,
    NodeRow.hs23_per_core,
    NodeRow.sigma,
    NodeRow.hs23_granted,
    NodeRow.granted_cores,
    NodeRow.calibration_version,
    NodeRow.catalogue_version,
)


def _columns(state: NodeState, cpu_key: str | None) -> dict[str, Any]:
    """What stands in columns of its own."""
    estimate = state.estimate
    cpu = state.evidence.cpu if state.evidence else None
    findings = [*state.findings, *(estimate.findings if estimate else ())]
    worst = attention.worst(findings)
    checks = state.slots[0].checks if state.slots else ()
    return {
        "hostname": state.hostname and state.hostname[:255],
        "cpu_key": cpu_key and cpu_key[:120],
        "arch": cpu and cpu.arch and cpu.arch[:16],
        "logical_cpus": cpu and cpu.logical_cpus,
        "granted_cores": state.granted_cores,
        "hs23_per_core": estimate and estimate.hs23_per_core,
        "hs23_granted": state.hs23_granted,
        "sigma": estimate and estimate.sigma,
        "method": estimate and estimate.method.value,
        "provisional": estimate and estimate.provisional,
        "calibration_version": estimate and estimate.calibration_version,
        "catalogue_version": estimate and estimate.catalogue_version,
        "usable": state.usable,
        "unusable_reason": state.unusable_reason,
        "findings": len(findings),
        "severity": attention.severity(worst),
        "worst": worst and worst.model_dump(mode="json"),
        "checks": [check.model_dump(mode="json") for check in checks] or None,
        "gpus": dict(
            Counter(f"{gpu.name} ({gpu.mig_profile})" if gpu.mig_profile else gpu.name for gpu in state.gpus)
        )
        or None,
    }


def _history(state: NodeState, now: datetime) -> EstimateRow:
    estimate = state.estimate
    assert estimate is not None
    return EstimateRow(
        site=state.site,
        node_id=state.node_id,
        at=now,
        profile_id=state.slots[0].profile_id if state.slots else None,
        method=estimate.method.value,
        hs23_per_core=estimate.hs23_per_core,
        sigma=estimate.sigma,
        hs23_granted=state.hs23_granted,
        granted_cores=state.granted_cores,
        catalogue_version=estimate.catalogue_version,
        calibration_version=estimate.calibration_version,
    )


def mark_pending(session: Session, now: datetime, site: str | None = None, node_id: str | None = None) -> int:
    """Have nodes looked at again, such as under another calibration; the number of nodes. None = all."""
    statement = update(NodeRow)
    if site is not None:
        statement = statement.where(NodeRow.site == site)
        if node_id is not None:
            statement = statement.where(NodeRow.node_id == canonical(session, site, node_id))
    found = session.scalars(
        statement.values(
            pending_since=func.coalesce(NodeRow.pending_since, now), revision=NodeRow.revision + 1
        ).returning(NodeRow.revision)
    )
    return len(found.all())


class PastEstimate(NamedTuple):
    """What a node was said to be worth at a moment, by which calibration."""

    at: datetime
    profile_id: str | None
    method: str
    hs23_per_core: float
    sigma: float
    hs23_granted: float | None
    granted_cores: float | None
    catalogue_version: str
    calibration_version: str | None


def estimate_history(session: Session, site: str, node_id: str, limit: int = 100) -> list[PastEstimate]:
    """Estimates of a node, latest first; one entry for each time that it changed."""
    columns = [getattr(EstimateRow, name) for name in PastEstimate._fields]
    found = session.execute(
        select(*columns)
        .where(EstimateRow.site == site, EstimateRow.node_id == canonical(session, site, node_id))
        .order_by(EstimateRow.at.desc(), EstimateRow.id.desc())
        .limit(limit)
    )
    return [PastEstimate(*row) for row in found]
