"""Names of machines that more than one site reports: hardware that is shared, moved, cloned, or claimed wrongly."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from capacity.store.tables import NodeKeyRow


def elsewhere(
    session: Session, nodes: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Other sites that know these nodes (site, node id) by one of their names.

    Returns:
        (site, node id) → {(kind of name: id or boot, other site)}; nodes that are known nowhere else are left out.
    """
    wanted = set(nodes)
    if not wanted:
        return {}
    here, there = aliased(NodeKeyRow), aliased(NodeKeyRow)
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    rows = session.execute(
        select(here.site, here.node_id, here.kind, there.site)
        .join(there, (there.kind == here.kind) & (there.key == here.key) & (there.site != here.site))
        .where(here.node_id.in_({node_id for _, node_id in wanted}))
    )
    for site, node_id, kind, other in rows:
        if (site, node_id) in wanted:
            found.setdefault((site, node_id), set()).add((kind, other))
    return found
