"""What a site's page asks beside its list of nodes and its sums: failing checks of some nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from capacity.store.tables import NodeRow


class NodeChecks(NamedTuple):
    """Failing checks of one node, as its latest look found them."""

    node_id: str
    checks: tuple[dict[str, Any], ...]


def latest_checks(session: Session, keys: Sequence[tuple[str, str]]) -> list[NodeChecks]:
    """Failing checks (`CheckView` as JSON) of the latest look at some nodes.

    Args:
        session: the transaction.
        keys: site and node id of each.
    """
    found = session.execute(
        select(NodeRow.node_id, NodeRow.checks)
        .where(tuple_(NodeRow.site, NodeRow.node_id).in_(keys), NodeRow.state.is_not(None))
        .order_by(NodeRow.site, NodeRow.node_id)
    )
    return [NodeChecks(node_id, tuple(checks or ())) for node_id, checks in found]
