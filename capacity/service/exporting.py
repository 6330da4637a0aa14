"""Exports of what the database knows: gathers the snapshot that a format wants and renders it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from capacity.errors import BadInputError, NotFoundError
from capacity.exports import FORMATS, SiteFigures, Snapshot, classad, mjf_files
from capacity.fleet.model import FleetSettings, NodeState
from capacity.fleet.places import by_name
from capacity.fleet.staleness import is_stale
from capacity.service import fleet_view
from capacity.service.fleet_view import Fleet
from capacity.store import nodes, sites
from capacity.store.database import Database

MOST_NODES = 60_000
"""Of one export; they are in memory together, so larger fleets are exported site by site."""

_PAGE = 1000


class Export(NamedTuple):
    """What is handed out.

    Attributes:
        filename: without a directory.
        media_type: of HTTP.
        body: the content; of a format of several files a JSON object of path → content.
        files: those files; empty for all other formats.
    """

    filename: str
    media_type: str
    body: bytes
    files: Mapping[str, str]


def export(
    database: Database,
    name: str,
    now: datetime,
    settings: FleetSettings,
    site: str | None = None,
    node_id: str | None = None,
) -> Export:
    """One format of everything, of a site, or of a node.

    Args:
        database: of the service.
        name: of the format, a key of `exports.FORMATS`.
        now: decides what is stale.
        settings: of the fleet's rules.
        site: only this one.
        node_id: only this node of the site; needed for the formats of a single node.

    Raises:
        BadInputError: no such format, or it does not go with what was asked for.
        NotFoundError: no such site or node.
        UnavailableError: the database cannot be asked.
    """
    form = FORMATS.get(name)
    if form is None:
        raise BadInputError(f"{name[:40]!r} cannot be exported: use one of {', '.join(FORMATS)}")
    if (form.of == "node") != (node_id is not None) or (node_id is not None and site is None):
        wanted = "a site and a node" if form.of == "node" else "all sites or one site, not a node"
        raise BadInputError(f"the format {name} is of {wanted}")
    with database.reading() as session:
        if site is not None and sites.info(session, site) is None:
            raise NotFoundError(
                f"there is no site {site[:64]}: no profile came from it, and nobody described it"
            )
        if site is not None and node_id is not None:
            return _of_node(session, name, site, node_id)
        snapshot = _snapshot(session, now, settings, site, with_nodes=form.of == "nodes")
    assert form.render is not None
    body = form.render(snapshot)
    place = f"-{site}" if site is not None else ""
    return Export(
        filename=f"sitecap{place}-{name}.{form.suffix}",
        media_type=form.media_type,
        body=body if isinstance(body, bytes) else body.encode(),
        files={},
    )


def _of_node(session: Session, name: str, site: str, node_id: str) -> Export:
    state = nodes.state(session, site, node_id)
    if state is None:
        raise NotFoundError(f"there is no node {node_id[:32]} of {site[:64]}, or it was not looked at yet")
    form = FORMATS[name]
    filename = f"sitecap-{state.node_id}-{name}.{form.suffix}"
    if name == "mjf":
        files = mjf_files(state)
        return Export(filename, form.media_type, (json.dumps(files, indent=1) + "\n").encode(), files)
    return Export(filename, form.media_type, classad(state).encode(), {})


def _snapshot(
    session: Session, now: datetime, settings: FleetSettings, site: str | None, *, with_nodes: bool
) -> Snapshot:
    found = fleet_view.fleet(session, now, settings, site)
    names = [site] if site is not None else sorted(found.totals)
    return Snapshot(
        at=now,
        sites=tuple(_figures(found, name) for name in names),
        nodes=tuple(_nodes(session, now, settings, site)) if with_nodes else (),
    )


def _figures(found: Fleet, name: str) -> SiteFigures:
    info = found.sites.get(name) or by_name(name)
    members = [one for one in found.sites.values() if one.federation == info.federation]
    return SiteFigures(info=info, roll=fleet_view.of_site(found, name), shares_federation=len(members) > 1)


def _nodes(session: Session, now: datetime, settings: FleetSettings, site: str | None) -> list[NodeState]:
    found: list[NodeState] = []
    after: tuple[str, str] | None = None
    while page := nodes.states_in_order(session, site, after, _PAGE):
        found += [_lean(one, stale=is_stale(one.last_seen_at, now, settings)) for one in page]
        if len(found) > MOST_NODES:
            raise BadInputError(f"there are more than {MOST_NODES} nodes: export site by site")
        after = (page[-1].site, page[-1].node_id)
    return found


def _lean(state: NodeState, *, stale: bool) -> NodeState:
    """A state without what no format of many nodes shows: looks, gates, scores, the derivation."""
    evidence, estimate = state.evidence, state.estimate
    return state.model_copy(
        update={
            "stale": stale,
            "slots": (),
            "boots": (),
            "gates": (),
            "evidence": evidence and evidence.model_copy(update={"scores": (), "measured": (), "gpus": ()}),
            "estimate": estimate and estimate.model_copy(update={"rungs": (), "steps": ()}),
        }
    )
