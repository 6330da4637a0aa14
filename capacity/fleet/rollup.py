"""Sums of capacity with honest intervals: node → site → federation → country → CMS.

What is independent from node to node averages out in a large sum, an error that many nodes share does not. So a figure's
sigma is split: what repeats of one HS23 run differ by stands for itself; all beyond it is shared with the nodes that have the same
source (a row of the catalogue, a calibration, the constant, HS06 of that model brought to HS23), and a part of it with all nodes,
since all published scores may be off together. Shared parts add linearly, all else in quadrature.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from capacity.fleet.model import Interval, Pledge, Roll, Total
from capacity.hs06.catalogue import FLOOR

CONSTANT_HS23_PER_CORE = 10.0
"""What CMS's capacity table says of every site that typed nothing (MonitoringScripts, capacity_admin.py)."""

OWN_SIGMA = 0.02
"""What is independent from node to node; HS23 that was measured on the node itself is known better than that.

Repeats of HS23 on like nodes spread by 0.5 % (22 identical nodes), 0.7 % in the median and 2.5 % at the 90th percentile of the
HEPiX table. Everything else - the row of the table, the family model, a calibration, how loaded slots are at a site - is
wrong alike for nodes of one kind, so it must not average out. Nor must what makes a figure out of a run that was not HS23 on the
whole node: HS06 and HS23 of one model disagree by 7 % (benchmarks.md d, 27 configurations), on each node of it alike.
"""

COMMON_SIGMA = FLOOR
"""What is wrong alike for all figures that are not HS23 measured on the node itself, whatever their source.

The references disagree with one another by 4 % (benchmarks.md d), and nothing says that this averages out over models: no sum of
such figures is claimed to be better, however many models are in it.
"""

MOST_REASONS = 20
"""That a roll-up lists, the most frequent first: some reasons hold a figure and are another on every node."""

RollKind = Literal["site", "federation", "country", "cms"]


def roll(
    kind: RollKind,
    name: str,
    totals: Iterable[Total],
    pledges: Sequence[Pledge] = (),
    gpus: dict[str, int] | None = None,
) -> Roll:
    """Everything below one name added up. Stale nodes are counted, their capacity is not.

    Args:
        kind: of the name.
        name: of the site, federation or country; "CMS".
        totals: the groups below it.
        pledges: promises that this sum is held against; of several years the latest counts.
        gpus: devices of fresh nodes.
    """
    groups = list(totals)
    fresh = [group for group in groups if not group.stale]
    counted = [group for group in fresh if group.method is not None]
    usable = [group for group in counted if group.usable is True]
    worth = interval(counted)
    cores = sum(group.granted_cores for group in counted)
    provisional = sum(group.hs23 for group in counted if group.provisional)
    year = max((pledge.year for pledge in pledges), default=None)
    reasons = _count((group.unusable_reason, group.nodes) for group in fresh if group.usable is not True)
    promised = [pledge.cpu_hs23 for pledge in pledges if pledge.year == year]
    return Roll(
        kind=kind,
        name=name,
        nodes=_nodes(groups),
        stale_nodes=_nodes(group for group in groups if group.stale),
        unusable_nodes=_nodes(group for group in fresh if group.usable is False),
        unverified_nodes=_nodes(group for group in fresh if group.usable is None),
        pending_nodes=_nodes(group for group in fresh if group.method is None),
        granted_cores=cores,
        usable_cores=sum(group.granted_cores for group in usable),
        unusable_cores=sum(group.granted_cores for group in counted if group.usable is False),
        hs23=worth,
        hs23_usable=interval(usable),
        constant_10_hs23=CONSTANT_HS23_PER_CORE * cores,
        hs23_per_core=_per_core(worth, cores),
        gpus=gpus or {},
        pledge_hs23=sum(promised) if promised else None,
        pledge_year=year,
        provisional_share=provisional / worth.value if worth.value > 0 else 0.0,
        last_seen_at=_latest(groups),
        unusable_reasons=dict(list(reasons.items())[:MOST_REASONS]),
        methods=_count((group.method, group.nodes) for group in counted),
    )


def interval(totals: Iterable[Total]) -> Interval:
    """Σ hs23 with its 68 % interval, symmetric in the logarithm."""
    value = 0.0
    independent_sq = 0.0
    common = 0.0
    shared: dict[tuple[str | None, ...], float] = defaultdict(float)
    for group in totals:
        if group.hs23 <= 0:
            continue
        value += group.hs23
        sigma = group.hs23_sigma / group.hs23
        if sigma <= 0:
            continue
        own = min(sigma, OWN_SIGMA)
        beyond_sq = sigma**2 - own**2
        common_sq = min(beyond_sq, COMMON_SIGMA**2)
        common += group.hs23 * math.sqrt(common_sq)
        shared[_source(group)] += group.hs23 * math.sqrt(beyond_sq - common_sq)
        independent_sq += group.hs23_sigma_sq * (own / sigma) ** 2
    if value <= 0:
        return Interval(value=0.0, low=0.0, high=0.0)
    relative = math.sqrt(independent_sq + common**2 + sum(error**2 for error in shared.values())) / value
    return Interval(value=value, low=value * math.exp(-relative), high=value * math.exp(relative))


def _source(group: Total) -> tuple[str | None, ...]:
    """What nodes must have in common to be wrong together."""
    if group.provisional or group.method == "payload":
        return ("calibration", group.calibration_version)
    if group.method == "default":
        return ("default",)
    return (group.method, group.cpu_key)


def _per_core(worth: Interval, cores: float) -> Interval | None:
    if cores <= 0:
        return None
    return Interval(value=worth.value / cores, low=worth.low / cores, high=worth.high / cores)


def _nodes(groups: Iterable[Total]) -> int:
    return sum(group.nodes for group in groups)


def _latest(groups: Iterable[Total]) -> datetime | None:
    return max((group.last_seen_at for group in groups if group.last_seen_at is not None), default=None)


def _count(pairs: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    counted: dict[str, int] = defaultdict(int)
    for name, number in pairs:
        if name is not None:
            counted[name] += number
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
