"""Questions about nodes: of one (`states`), and of many (`lists`)."""

from capacity.store.nodes.lists import (
    SORTS,
    NodeFilter,
    NodeSummary,
    SiteTotals,
    attention,
    site_gpus,
    site_totals,
    summaries,
    summary,
)
from capacity.store.nodes.states import (
    CLAIM,
    PastEstimate,
    PendingNode,
    estimate_history,
    mark_pending,
    save,
    state,
    states,
    states_in_order,
    take,
    take_pending,
)

__all__ = [
    "CLAIM",
    "SORTS",
    "NodeFilter",
    "NodeSummary",
    "PastEstimate",
    "PendingNode",
    "SiteTotals",
    "attention",
    "estimate_history",
    "mark_pending",
    "save",
    "site_gpus",
    "site_totals",
    "state",
    "states",
    "states_in_order",
    "summaries",
    "summary",
    "take",
    "take_pending",
]
