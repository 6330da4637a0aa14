"""From the database to a node's or a site's view: a bounded number of questions, never the whole fleet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from capacity.errors import NotFoundError
from capacity.fleet.model import CheckView, FleetSettings
from capacity.fleet.staleness import is_stale
from capacity.hs06.model import Method
from capacity.service import fleet_view, tokens
from capacity.service.estimators import Estimators, version_in_use
from capacity.service.refresh import refresh_node
from capacity.service.views.access import TokenRowView, TokensView
from capacity.service.views.common import log_interval
from capacity.service.views.history import KEPT_ON_PAGES, day_of, shown
from capacity.service.views.node import HistoryRow, NodeView, node_view, waiting_view
from capacity.service.views.sites import (
    PAGE_ROWS,
    NodeChecks,
    NodeRow,
    SiteNodes,
    SiteView,
    failing_checks,
    node_row,
    site_view,
)
from capacity.store import history, nodes, profiles, site_pages
from capacity.store.database import Database
from capacity.store.nodes import NodeFilter, PastEstimate
from profiles.profile import CapabilityProfile
from profiles.reading import ProfileError, read_profile

HISTORY_ROWS = 100


def site(
    database: Database, name: str, after: str | None, settings: FleetSettings, now: datetime
) -> SiteView:
    """The page of a site.

    Raises:
        NotFoundError: it has no node and nobody described it.
        UnavailableError: the database cannot be asked.
    """
    with database.reading() as session:
        found = fleet_view.fleet(session, now, settings, name)
        kept = history.days(session, "site", name, (now - KEPT_ON_PAGES).date())
        active = version_in_use(session)
    info = found.sites.get(name)
    if info is None:
        raise NotFoundError(f"no node of {name} has sent a profile: see the list of sites")
    listed = site_nodes(database, name, after, settings, now)
    roll = fleet_view.of_site(found, name)
    days = shown(kept, day_of(roll, now, active))
    return site_view(info, roll, listed, days, first=after is None, now=now)


def node(
    database: Database,
    estimators: Estimators,
    site: str,
    node_id: str,
    settings: FleetSettings,
    now: datetime,
) -> NodeView:
    """The page of a node; one that waits is evaluated now.

    Raises:
        NotFoundError: no profile of such a node came.
        UnavailableError: the database cannot be asked.
    """
    with database.reading() as session:
        summary = nodes.summary(session, site, node_id)
        state = nodes.state(session, site, node_id)
    if summary is not None and summary.pending_since is not None:
        state = refresh_node(database, estimators.current(), now, site, node_id, settings)
    if state is None:
        if summary is None:
            raise NotFoundError(f"no node {node_id} of {site} has sent a profile: see the list of its site")
        return waiting_view(summary, now)
    with database.reading() as session:
        past = nodes.estimate_history(session, state.site, state.node_id, HISTORY_ROWS)
        document = profiles.document(session, state.slots[0].profile_id) if state.slots else None
    fresh = state.model_copy(update={"stale": is_stale(state.last_seen_at, now, settings)})
    return node_view(fresh, [_history(one) for one in past], _parsed(document), now)


def site_nodes(
    database: Database, site: str, after: str | None, settings: FleetSettings, now: datetime
) -> SiteNodes:
    """The nodes of a site, those with findings first, a page at a time, and the checks that fail on them.

    Args:
        database: of the service.
        site: its name.
        after: node id of the last line of the page before.
        settings: of the fleet's rules.
        now: for ages.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    with database.reading() as session:
        found = nodes.summaries(
            session, NodeFilter(site=site), "findings", (site, after) if after else None, PAGE_ROWS + 1
        )
        listed = found[:PAGE_ROWS]
        failing = site_pages.latest_checks(session, [(one.site, one.node_id) for one in listed])
    rows: tuple[NodeRow, ...] = tuple(
        node_row(one, stale=is_stale(one.last_seen_at, now, settings), now=now) for one in listed
    )
    return SiteNodes(
        rows=rows,
        next=listed[-1].node_id if len(found) > PAGE_ROWS else None,
        checks=failing_checks(
            NodeChecks(one.node_id, tuple(CheckView.model_validate(check) for check in one.checks))
            for one in failing
        ),
    )


def token_list(database: Database, now: datetime) -> TokensView:
    """All tokens, newest first.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    rows: Sequence[TokenRowView] = [
        TokenRowView(**{**one._asdict(), "role": one.role.value}, state=one.state(now))
        for one in tokens.all_tokens(database)
    ]
    return TokensView(generated_at=now, tokens=tuple(rows))


def _history(past: PastEstimate) -> HistoryRow:
    return HistoryRow(
        at=past.at,
        method=Method(past.method),
        hs23_per_core=log_interval(past.hs23_per_core, past.sigma),
        hs23_granted=past.hs23_granted,
        granted_cores=past.granted_cores,
        catalogue_version=past.catalogue_version,
        calibration_version=past.calibration_version,
        profile_id=past.profile_id,
    )


def _parsed(document: bytes | None) -> CapabilityProfile | None:
    """The latest document; None if it is archived, or an older version let in what this one cannot read."""
    if document is None:
        return None
    try:
        return read_profile(document)
    except ProfileError:
        return None
