"""What somebody should look at: sites whose nodes are not usable or not seen, nodes with findings; large ones first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import Field

from capacity.fleet.model import Roll
from capacity.hs06.model import Finding
from capacity.service.views.common import View
from capacity.store.nodes import OddNode

SHOWN = 6
"""Entries of one kind on the overview; the list of sites has all."""


class Attention(View):
    """Something that somebody should look at: nodes of a site, or one node."""

    site: str
    node_id: str | None = None
    node_name: str | None = Field(
        default=None, description="host name if it was given, else a part of the id"
    )
    says: str
    hint: str | None = None
    nodes: int = 1


class AttentionGroup(View):
    """Things of one kind, largest first."""

    kind: str = Field(description="not usable, below pledge, stale, finding")
    hint: str = Field(description="what to do about all of them")
    entries: tuple[Attention, ...]
    more: int = Field(default=0, description="sites that are not shown here")
    sort: str = Field(default="name", description="order of the list of sites that begins with them")


def attention_of(sites: Sequence[Roll], odd: Sequence[OddNode]) -> tuple[AttentionGroup, ...]:
    """The kinds of which there is something.

    Args:
        sites: roll-ups of all sites.
        odd: nodes with a finding that is more than a notice, the most severe first.
    """
    findings = tuple(_finding(node) for node in odd[:SHOWN])
    groups = (
        _group(
            "not usable",
            "Nodes that have capacity which jobs cannot use. The page of the site lists the failing checks with their fixes.",
            sorted((site for site in sites if site.unusable_nodes), key=lambda site: -site.unusable_nodes),
            _unusable,
            "unusable",
        ),
        _group(
            "below pledge",
            "Even the upper end of the interval is below the pledge. Nodes that run no agent do not count: is every node covered?",
            sorted((site for site in sites if _short(site)), key=_ratio),
            _below,
            "pledge",
        ),
        _group(
            "stale",
            "Nodes that were not seen lately do not count. If they still exist, run the agent there.",
            sorted((site for site in sites if site.stale_nodes), key=lambda site: -site.stale_nodes),
            _stale,
            "stale",
        ),
        AttentionGroup(
            kind="finding",
            hint="Nodes that are not as they should be, the worst and largest first.",
            entries=findings,
        ),
    )
    return tuple(group for group in groups if group.entries)


def _group(
    kind: str, hint: str, sites: Sequence[Roll], entry: Callable[[Roll], Attention], sort: str
) -> AttentionGroup:
    return AttentionGroup(
        kind=kind,
        hint=hint,
        entries=tuple(entry(site) for site in sites[:SHOWN]),
        more=max(len(sites) - SHOWN, 0),
        sort=sort,
    )


def _unusable(site: Roll) -> Attention:
    reason = next(iter(site.unusable_reasons), "they fail a gate")
    return Attention(site=site.name, says=f"Most often: {reason}", nodes=site.unusable_nodes)


def _below(site: Roll) -> Attention:
    assert site.pledge_hs23 is not None
    says = f"At most {site.hs23.high:,.0f} of {site.pledge_hs23:,.0f} HS23.".replace(",", " ")
    return Attention(site=site.name, says=says, nodes=site.nodes)


def _stale(site: Roll) -> Attention:
    seen = f"{site.last_seen_at:%Y-%m-%d}" if site.last_seen_at else "never"
    return Attention(
        site=site.name,
        says=f"Of {site.nodes} nodes; the newest profile of any is of {seen}.",
        nodes=site.stale_nodes,
    )


def _finding(node: OddNode) -> Attention:
    worst = Finding.model_validate(node.worst)
    return Attention(
        site=node.site,
        node_id=node.node_id,
        node_name=node.hostname or node.node_id[:12],
        says=f"{worst.code}: {worst.says}",
        hint=worst.hint,
    )


def _short(site: Roll) -> bool:
    return site.pledge_hs23 is not None and site.hs23.high < site.pledge_hs23


def _ratio(site: Roll) -> float:
    return site.hs23.value / site.pledge_hs23 if site.pledge_hs23 else 0.0
