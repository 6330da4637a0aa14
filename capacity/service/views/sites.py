"""The list of sites, sortable and paged; the page of one site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from capacity.fleet.model import Interval, NodeState, Roll
from capacity.hs06.model import Method
from capacity.service.views.common import Against, Paging, RollRow, View, age_s, roll_row, scaled
from capacity.service.views.overview import GpuCount, gpu_counts

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
    cpu_model: str | None
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


class ReasonCount(View):
    """Why nodes are not usable."""

    reason: str
    nodes: int


class HistoryDay(View):
    """What the nodes of a site were said to be worth at the end of a day (UTC)."""

    day: date
    hs23: float = Field(description="sum of the last figure of every node by then")
    nodes: int


class SiteView(View):
    """Everything the page of a site shows."""

    generated_at: datetime
    name: str
    federation: str | None
    country: str | None
    tier: int | None
    row: RollRow
    federation_pledge_hs23: float | None = Field(description="of the whole federation; null = none known")
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


def node_row(state: NodeState, *, pending: bool, now: datetime) -> NodeRow:
    """A node as a row of its site's list."""
    estimate = state.estimate
    cpu = state.evidence.cpu if state.evidence else None
    return NodeRow(
        node_id=state.node_id,
        hostname=state.hostname,
        cpu_model=cpu.model_name if cpu else None,
        logical_cpus=cpu.logical_cpus if cpu else None,
        granted_cores=state.granted_cores,
        hs23_per_core=scaled(estimate, estimate.hs23_per_core) if estimate else None,
        hs23_granted=state.hs23_granted,
        method=estimate.method if estimate else None,
        provisional=estimate.provisional if estimate else None,
        usable=state.usable,
        unusable_reason=state.unusable_reason,
        stale=state.stale,
        pending=pending,
        findings=len(state.findings) + (len(estimate.findings) if estimate else 0),
        last_seen_at=state.last_seen_at,
        last_seen_ago_s=age_s(state.last_seen_at, now),
    )


def failing_checks(states: Iterable[NodeState]) -> tuple[FailingCheck, ...]:
    """Checks that fail on some nodes: critical ones first, then by how many nodes they concern."""
    found: dict[str, FailingCheck] = {}
    for state in states:
        for check in {check.id: check for slot in state.slots[:1] for check in slot.checks}.values():
            before = found.get(check.id)
            found[check.id] = FailingCheck(
                id=check.id,
                status=check.status if before is None else max(check.status, before.status, key=_severity),
                summary=before.summary if before else check.summary,
                hint=before.hint if before else check.hint,
                nodes=(before.nodes if before else 0) + 1,
                example_node_id=before.example_node_id if before else state.node_id,
            )
    return tuple(sorted(found.values(), key=lambda check: (-_severity(check.status), -check.nodes, check.id)))


def _severity(status: str) -> int:
    return {"CRITICAL": 2, "WARNING": 1}.get(status, 0)


def reason_counts(reasons: dict[str, int]) -> tuple[ReasonCount, ...]:
    """Why nodes are not usable, most frequent reason first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ReasonCount(reason=reason, nodes=nodes) for reason, nodes in ordered)


def site_gpus(roll: Roll) -> tuple[GpuCount, ...]:
    """The site's inventory of accelerators."""
    return gpu_counts(roll.gpus)
