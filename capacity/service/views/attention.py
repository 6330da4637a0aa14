"""What somebody should look at: sites whose nodes are not usable or not seen, nodes with findings, large first."""

from __future__ import annotations

from collections.abc import Sequence

from capacity.fleet.model import NodeState, Roll
from capacity.service.views.overview import Attention

MOST_OF_A_KIND = 8
"""Entries of one kind on the overview; the pages of the sites have all."""
_SERIOUS = {"problem": 0, "warning": 1, "notice": 2}


def attention_of(sites: Sequence[Roll], odd: Sequence[NodeState]) -> tuple[Attention, ...]:
    """The entries, by kind and then by size.

    Args:
        sites: roll-ups of all sites.
        odd: states of some nodes with findings.
    """
    unusable = sorted((site for site in sites if site.unusable_nodes), key=lambda site: -site.unusable_nodes)
    stale = sorted((site for site in sites if site.stale_nodes), key=lambda site: -site.stale_nodes)
    below = sorted((site for site in sites if _short(site)), key=_ratio)
    return (
        *(_unusable(site) for site in unusable[:MOST_OF_A_KIND]),
        *(_below(site) for site in below[:MOST_OF_A_KIND]),
        *(_stale(site) for site in stale[:MOST_OF_A_KIND]),
        *(entry for state in odd[:MOST_OF_A_KIND] if (entry := _finding(state)) is not None),
    )


def _unusable(site: Roll) -> Attention:
    reason = next(iter(site.unusable_reasons), None)
    return Attention(
        kind="not usable",
        site=site.name,
        says=f"Most often: {reason}" if reason else "They fail a gate.",
        hint="The site’s page lists the failing checks with their fixes.",
        nodes=site.unusable_nodes,
    )


def _below(site: Roll) -> Attention:
    assert site.pledge_hs23 is not None
    return Attention(
        kind="below pledge",
        site=site.name,
        says=f"Even the upper end of its interval ({site.hs23.high:,.0f} HS23) is below the pledge of {site.pledge_hs23:,.0f} HS23.",
        hint="Nodes that run no agent do not count: is every node covered?",
        nodes=site.nodes,
    )


def _stale(site: Roll) -> Attention:
    return Attention(
        kind="stale",
        site=site.name,
        says="They were not seen lately, so they do not count.",
        hint="If they still exist, run the agent there; if not, this goes away by itself.",
        nodes=site.stale_nodes,
    )


def _finding(state: NodeState) -> Attention | None:
    found = [*state.findings, *(state.estimate.findings if state.estimate else ())]
    if not found:
        return None
    worst = min(found, key=lambda one: _SERIOUS[one.level])
    return Attention(
        kind="finding",
        site=state.site,
        node_id=state.node_id,
        says=f"{worst.code}: {worst.says}",
        hint=worst.hint,
    )


def _short(site: Roll) -> bool:
    return site.pledge_hs23 is not None and site.hs23.high < site.pledge_hs23


def _ratio(site: Roll) -> float:
    return site.hs23.value / site.pledge_hs23 if site.pledge_hs23 else 0.0
