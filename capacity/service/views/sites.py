"""The list of sites, sortable and paged; the page of one site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from capacity.fleet.model import CheckView, Interval, Roll, SiteInfo
from capacity.hs06.model import Method
from capacity.service.views.common import (
    Against,
    GpuCount,
    Paging,
    RollRow,
    View,
    against,
    age_s,
    gpu_counts,
    log_interval,
    roll_row,
)
from capacity.service.views.history import HistoryDay
from capacity.store.nodes import NodeSummary

PAGE_ROWS = 100
"""Sites or nodes on a page."""


class SiteSort(StrEnum):
    """Columns that the list of sites can be ordered by; numbers largest first, names from A."""

    NAME = "name"
    CAPACITY = "capacity"
    PER_CORE = "per-core"
    NODES = "nodes"
    UNUSABLE = "unusable"
    STALE = "stale"
    PLEDGE = "pledge"
    CONSTANT = "constant"


class SitesView(View):
    """Everything the list of sites shows."""

    generated_at: datetime
    sort: SiteSort
    search: str = Field(description="part of the name asked for; empty = all")
    page: int = Field(description="from 1")
    pages: int
    total: int
    sites: tuple[RollRow, ...]


class NodeRow(View):
    """A node in the list of its site."""

    node_id: str
    hostname: str | None
    cpu: str | None = Field(description="its CPU model, as it is looked up")
    logical_cpus: int | None
    granted_cores: float | None
    hs23_per_core: Interval | None
    hs23_granted: float | None
    method: Method | None
    provisional: bool | None
    usable: bool | None
    unusable_reason: str | None
    stale: bool
    pending: bool
    findings: int
    last_seen_at: datetime
    last_seen_ago_s: float

    @property
    def name(self) -> str:
        """Host name if it was given, else the beginning of the pseudonym."""
        return self.hostname or self.node_id[:12]


class FailingCheck(View):
    """A check that fails on nodes of this page, with its remedy."""

    id: str
    status: str
    summary: str = Field(description="as the first of the nodes says it")
    hint: str | None
    nodes: int
    example_node_id: str


class NodeChecks(NamedTuple):
    """Failing checks of one node's latest look."""

    node_id: str
    checks: tuple[CheckView, ...]


class ReasonCount(View):
    """Why nodes are not usable."""

    reason: str
    nodes: int


class SiteNodes(NamedTuple):
    """One page of a site's nodes with what belongs to them."""

    rows: tuple[NodeRow, ...]
    next: str | None
    checks: tuple[FailingCheck, ...]


class SiteView(View):
    """Everything the page of a site shows."""

    generated_at: datetime
    name: str
    federation: str | None
    country: str | None
    tier: int | None
    row: RollRow
    usable: Against | None = Field(description="usable capacity against the pledge of the site")
    reasons: tuple[ReasonCount, ...]
    checks: tuple[FailingCheck, ...] = Field(description="of the nodes listed here")
    nodes: tuple[NodeRow, ...]
    paging: Paging
    history: tuple[HistoryDay, ...]
    gpus: tuple[GpuCount, ...]


_KEYS: dict[SiteSort, Callable[[RollRow], float]] = {
    SiteSort.CAPACITY: lambda row: row.roll.hs23.value,
    SiteSort.PER_CORE: lambda row: row.roll.hs23_per_core.value if row.roll.hs23_per_core else -1,
    SiteSort.NODES: lambda row: row.roll.nodes,
    SiteSort.UNUSABLE: lambda row: row.roll.unusable_nodes,
    SiteSort.STALE: lambda row: row.roll.stale_nodes,
    SiteSort.PLEDGE: lambda row: _ratio(row.pledge),
    SiteSort.CONSTANT: lambda row: _ratio(row.constant),
}


def sites_view(rolls: Sequence[Roll], sort: SiteSort, search: str, page: int, now: datetime) -> SitesView:
    """One page of the list of sites.

    Args:
        rolls: all sites.
        sort: column to order by.
        search: part of the name, any case.
        page: from 1; one beyond the last shows the last.
        now: for the reader.
    """
    wanted = search.strip().lower()
    rows = [roll_row(roll) for roll in rolls if wanted in roll.name.lower()]
    key = _KEYS.get(sort)
    rows.sort(key=(lambda row: (-key(row), row.roll.name)) if key else (lambda row: row.roll.name))
    pages = max(-(-len(rows) // PAGE_ROWS), 1)
    shown = min(page, pages)
    start = (shown - 1) * PAGE_ROWS
    return SitesView(
        generated_at=now,
        sort=sort,
        search=search.strip(),
        page=shown,
        pages=pages,
        total=len(rows),
        sites=tuple(rows[start : start + PAGE_ROWS]),
    )


def _ratio(held: Against | None) -> float:
    return held.ratio.value if held is not None and held.ratio is not None else -1


def node_row(node: NodeSummary, *, stale: bool, now: datetime) -> NodeRow:
    """A node as a row of its site's list."""
    return NodeRow(
        node_id=node.node_id,
        hostname=node.hostname,
        cpu=node.cpu_key,
        logical_cpus=node.logical_cpus,
        granted_cores=node.granted_cores,
        hs23_per_core=log_interval(node.hs23_per_core, node.sigma) if node.hs23_per_core else None,
        hs23_granted=node.hs23_granted,
        method=Method(node.method) if node.method else None,
        provisional=node.provisional,
        usable=node.usable,
        unusable_reason=node.unusable_reason,
        stale=stale,
        pending=node.pending_since is not None,
        findings=node.findings,
        last_seen_at=node.last_seen_at,
        last_seen_ago_s=age_s(node.last_seen_at, now),
    )


def failing_checks(nodes: Iterable[NodeChecks]) -> tuple[FailingCheck, ...]:
    """Checks that fail on some nodes: critical ones first, then by how many nodes they concern."""
    found: dict[str, FailingCheck] = {}
    for node in nodes:
        for check in {check.id: check for check in node.checks}.values():
            before = found.get(check.id)
            found[check.id] = FailingCheck(
                id=check.id,
                status=check.status if before is None else max(check.status, before.status, key=_severity),
                summary=before.summary if before else check.summary,
                hint=before.hint if before else check.hint,
                nodes=(before.nodes if before else 0) + 1,
                example_node_id=before.example_node_id if before else node.node_id,
            )
    return tuple(sorted(found.values(), key=lambda check: (-_severity(check.status), -check.nodes, check.id)))


def site_view(
    info: SiteInfo,
    roll: Roll,
    listed: SiteNodes,
    history: tuple[HistoryDay, ...],
    *,
    first: bool,
    now: datetime,
) -> SiteView:
    """Compose the page of a site.

    Args:
        info: where it belongs.
        roll: its sums.
        listed: one page of its nodes.
        history: its capacity by day.
        first: whether that is the first page.
        now: for the reader.
    """
    row = roll_row(roll)
    return SiteView(
        generated_at=now,
        name=info.name,
        federation=info.federation,
        country=info.country,
        tier=info.tier,
        row=row,
        usable=against(roll.hs23_usable, roll.pledge_hs23),
        reasons=reason_counts(roll.unusable_reasons),
        checks=listed.checks,
        nodes=listed.rows,
        paging=Paging(
            size=PAGE_ROWS, shown=len(listed.rows), total=roll.nodes, next=listed.next, first=first
        ),
        history=history,
        gpus=gpu_counts(roll.gpus),
    )


def _severity(status: str) -> int:
    return {"CRITICAL": 2, "WARNING": 1}.get(status, 0)


def reason_counts(reasons: dict[str, int]) -> tuple[ReasonCount, ...]:
    """Why nodes are not usable, most frequent reason first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ReasonCount(reason=reason, nodes=nodes) for reason, nodes in ordered)
