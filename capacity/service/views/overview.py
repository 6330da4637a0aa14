"""The overview: capacity of CMS with its interval, how much of the fleet has a figure, what needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from capacity.fleet.model import Roll
from capacity.hs06.model import Method
from capacity.service.views.attention import AttentionGroup, attention_of
from capacity.service.views.common import METHOD_TITLES, GpuCount, RollRow, View, gpu_counts, roll_row
from capacity.service.views.sums import Sums

MAX_SITES_SHOWN = 25
"""Sites on the overview, largest first; the list of sites has the rest."""


class Coverage(View):
    """How much of the fleet has a figure."""

    sites_known: int = Field(description="sites with nodes, a pledge or a description")
    sites_with_figure: int
    nodes: int
    nodes_with_figure: int
    stale_nodes: int
    unusable_nodes: int
    pending_nodes: int

    @property
    def node_share(self) -> float | None:
        """Nodes with a figure / nodes."""
        return self.nodes_with_figure / self.nodes if self.nodes else None

    @property
    def site_share(self) -> float | None:
        """Sites with a figure / sites known."""
        return self.sites_with_figure / self.sites_known if self.sites_known else None


class MethodShare(View):
    """How many nodes have their figure by one method."""

    method: Method
    title: str
    nodes: int


class OverviewView(View):
    """Everything the overview shows."""

    generated_at: datetime
    cms: RollRow
    coverage: Coverage
    attention: tuple[AttentionGroup, ...]
    methods: tuple[MethodShare, ...]
    sites: tuple[RollRow, ...] = Field(description="largest first, at most 25")
    sites_total: int
    federations: tuple[RollRow, ...]
    countries: tuple[RollRow, ...]
    gpus: tuple[GpuCount, ...] = Field(description="inventory; never added to HS06")
    calibration_version: str


def overview_of(sums: Sums) -> OverviewView:
    """Compose the overview."""
    return OverviewView(
        generated_at=sums.at,
        cms=roll_row(sums.cms),
        coverage=coverage_of(sums.cms, sums.sites, sums.sites_known),
        attention=attention_of(sums.sites, sums.odd),
        methods=tuple(
            MethodShare(method=method, title=METHOD_TITLES[method], nodes=sums.cms.methods[method.value])
            for method in Method
            if sums.cms.methods.get(method.value)
        ),
        sites=rows_of(sums.sites, MAX_SITES_SHOWN),
        sites_total=len(sums.sites),
        federations=rows_of(sums.federations),
        countries=rows_of(sums.countries),
        gpus=gpu_counts(sums.cms.gpus),
        calibration_version=sums.calibration_version,
    )


def largest_first(rolls: Sequence[Roll]) -> list[Roll]:
    """Roll-ups by capacity, then by name."""
    return sorted(rolls, key=lambda roll: (-roll.hs23.value, roll.name))


def coverage_of(cms: Roll, sites: Sequence[Roll], sites_known: int) -> Coverage:
    """How much of the fleet has a fresh figure.

    Args:
        cms: roll-up of everything.
        sites: roll-ups of the sites that have nodes.
        sites_known: sites that have nodes or were imported.
    """
    return Coverage(
        sites_known=max(sites_known, len(sites)),
        sites_with_figure=sum(1 for site in sites if site.hs23.value > 0),
        nodes=cms.nodes,
        nodes_with_figure=sum(cms.methods.values()),
        stale_nodes=cms.stale_nodes,
        unusable_nodes=cms.unusable_nodes,
        pending_nodes=cms.pending_nodes,
    )


def rows_of(rolls: Sequence[Roll], limit: int | None = None) -> tuple[RollRow, ...]:
    """Rows of a table of roll-ups, largest first."""
    return tuple(roll_row(roll) for roll in largest_first(rolls)[:limit])
