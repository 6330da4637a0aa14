"""From profiles that came in to what their nodes are worth: pending nodes are absorbed, estimated and saved in batches.

Any number of services may do this on one database: a node is claimed by one of them, and a save counts only if nobody
changed the node meanwhile. What crashes half-way is done again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from capacity.fleet import identity, merge, outliers
from capacity.fleet.model import FleetSettings, NodeState
from capacity.hs06.cpu_name import normalise
from capacity.hs06.model import Estimate, Finding, NodeEvidence
from capacity.service.likes import Likes, of_state
from capacity.service.runs import Runs
from capacity.store import nodes, profiles, sharing
from capacity.store.database import Database
from capacity.store.nodes import PendingNode
from capacity.store.profiles import StoredProfile
from profiles.reading import ProfileError, read_profile

MOST_PROFILES = 200
"""Absorbed of one node in one go; a node with more stays pending, so that it does not hold up the others."""

_SAVED_TOGETHER = 4
"""Nodes of one transaction. Their rows are locked until its end, and whoever hands in a profile of one of them waits."""

_log = logging.getLogger(__name__)


class Estimates(Protocol):
    """What makes an estimate of evidence."""

    def estimate(self, evidence: NodeEvidence) -> Estimate:
        """What the node is worth."""
        ...


class _Work(NamedTuple):
    node: PendingNode
    documents: Sequence[StoredProfile]
    shared_with: set[tuple[str, str]]


def refresh_pending(
    database: Database,
    estimator: Estimates,
    now: datetime,
    limit: int,
    settings: FleetSettings | None = None,
) -> int:
    """Look again at nodes that have new profiles, those that wait longest first.

    Args:
        database: of the service.
        estimator: what makes estimates of evidence.
        now: by the service's clock.
        limit: most nodes.
        settings: of the fleet's rules.

    Returns:
        How many nodes were claimed; fewer than `limit` means that none is left.

    Raises:
        UnavailableError: the database cannot be asked; the nodes stay pending.
    """
    with database.session() as session:
        claimed = nodes.take_pending(session, limit, now)
    _refresh(database, estimator, now, claimed, settings or FleetSettings())
    return len(claimed)


def refresh_node(
    database: Database,
    estimator: Estimates,
    now: datetime,
    site: str,
    node_id: str,
    settings: FleetSettings | None = None,
) -> NodeState | None:
    """Look at one node now if it is pending, for a page that wants it; None if there is no such node.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    with database.session() as session:
        claimed = nodes.take(session, site, node_id, now)
    if claimed is not None:
        _refresh(database, estimator, now, [claimed], settings or FleetSettings())
    with database.reading() as session:
        return nodes.state(session, site, node_id)


def _refresh(
    database: Database,
    estimator: Estimates,
    now: datetime,
    claimed: Sequence[PendingNode],
    settings: FleetSettings,
) -> None:
    if not claimed:
        return
    with database.reading() as session:
        shared = sharing.elsewhere(session, [(node.site, node.node_id) for node in claimed])
        work = [
            _Work(
                node,
                profiles.documents_of_node(session, node.site, node.node_id, node.absorbed, MOST_PROFILES),
                shared.get((node.site, node.node_id), set()),
            )
            for node in claimed
        ]
    states = [_state_of(one, now, settings) for one in work]
    keys = [_cpu_key(state) for state in states]
    with database.reading() as session:
        runs, likes = Runs(session), Likes(session, now, settings)
        done = [
            _compared(_estimated(merge.with_measured(state, runs.of(state, key)), estimator), key, likes)
            for state, key in zip(states, keys, strict=True)
        ]
    # In the order in which profiles that come in lock their nodes, so that neither blocks the other for good.
    ready = sorted(
        zip(work, done, keys, strict=True), key=lambda each: (each[0].node.site, each[0].node.node_id)
    )
    for start in range(0, len(ready), _SAVED_TOGETHER):
        with database.session() as session:
            for one, state, key in ready[start : start + _SAVED_TOGETHER]:
                absorbed = one.documents[-1].sequence if one.documents else one.node.absorbed
                nodes.save(session, state, key, now, absorbed=absorbed, revision=one.node.revision)


def _cpu_key(state: NodeState) -> str | None:
    model = state.evidence.cpu.model_name if state.evidence is not None else None
    return normalise(model) if model else None


def _compared(state: NodeState, cpu_key: str | None, likes: Likes) -> NodeState:
    """With a finding if the node is far from its likes."""
    node = of_state(state, cpu_key)
    odd = likes.outlier(node) if node is not None else None
    return state if odd is None else merge.with_findings(state, [outliers.finding(odd)])


def _state_of(work: _Work, now: datetime, settings: FleetSettings) -> NodeState:
    """What is known of a node with its new profiles."""
    node = work.node
    state = node.state
    key = merge.Key(node.site, node.node_id)
    for document in work.documents:
        try:
            profile = read_profile(document.document)
            state = merge.absorb(state, profile, document.seen_at, now, settings, key)
        except ProfileError as error:
            _log.warning("profile %s of %s left out: %s", document.id, node.site, error)
        except Exception:
            # Whatever one document does to the rules, the node's other profiles still count.
            _log.exception("profile %s of %s left out", document.id, node.site)
    if state is None:
        state = _nothing_known(work)
    state = merge.rejudged(state, now, settings)
    return merge.with_findings(state, _shared(work))


def _nothing_known(work: _Work) -> NodeState:
    """A node none of whose profiles can be used: it is there, and that is all."""
    _log.error("node %s of %s has no profile that can be used", work.node.node_id, work.node.site)
    seen = [document.seen_at for document in work.documents] or [work.node.pending_since]
    return NodeState(
        site=work.node.site, node_id=work.node.node_id, first_seen_at=min(seen), last_seen_at=max(seen)
    )


def _estimated(state: NodeState, estimator: Estimates) -> NodeState:
    if state.evidence is None:
        return state
    try:
        return merge.with_estimate(state, estimator.estimate(state.evidence))
    except Exception as error:
        # A node that cannot be estimated is shown as such; the rest of the batch goes on.
        _log.exception("no estimate of node %s of %s", state.node_id, state.site)
        says = f"its capacity could not be estimated ({type(error).__name__}): see the log of the service"
        return merge.with_findings(
            merge.with_estimate(state, None), [Finding(code="estimate-failed", level="problem", says=says)]
        )


def _shared(work: _Work) -> list[Finding]:
    found = []
    for kind in ("boot", "id"):
        sites = {site for name, site in work.shared_with if name == kind}
        finding = identity.across_sites(kind, sites | {work.node.site}) if sites else None
        if finding is not None:
            found.append(finding)
    return found[:1]  # who shares a boot mostly shares the id as well
