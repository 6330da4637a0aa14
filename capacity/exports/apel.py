"""APEL accounting: what a site's CEs have to say about the speed of its cores.

Type and value go into client.cfg, section spec_updater (`manual_specN = CE,HEPscore23,11.6`), and from there into records of
version 0.4 as `ServiceLevel: {HEPscore23: 11.6}`. For a cluster of mixed models WLCG takes the mean of the factors per core,
each weighted by its share of the capacity (HEPiX, accounting migration, example 2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from capacity.exports.model import SiteFigures, Snapshot, iso, one_line
from capacity.fleet.model import NodeState

TYPE = "HEPscore23"


def render(snapshot: Snapshot) -> str:
    """A section of client.cfg for each site that has a figure; the name of the CE is the admin's to fill in."""
    by_site: dict[str, list[NodeState]] = defaultdict(list)
    for node in snapshot.nodes:
        by_site[node.site].append(node)
    sections = []
    for site in snapshot.sites:
        factor = factor_of(by_site[site.info.name])
        if factor is not None:
            sections.append(_section(site, factor, snapshot))
    return "\n".join(sections)


def factor_of(nodes: Sequence[NodeState]) -> float | None:
    """HS23 per core of a cluster: Σ capacity × factor / Σ capacity, over fresh nodes; None without any."""
    weighted = capacity = 0.0
    for node in nodes:
        if node.estimate is not None and node.hs23_granted is not None and not node.stale:
            weighted += node.hs23_granted * node.estimate.hs23_per_core
            capacity += node.hs23_granted
    return weighted / capacity if capacity > 0 else None


def service_level(factor: float) -> str:
    """The field of a record of version 0.4."""
    return f"{{{TYPE}: {factor:.2f}}}"


def _section(site: SiteFigures, factor: float, snapshot: Snapshot) -> str:
    roll = site.roll
    spread = roll.hs23.high / roll.hs23.value if roll.hs23.value > 0 else 1.0
    low, high = factor / spread, factor * spread
    lines = [
        f"# {one_line(site.info.name)}, {iso(snapshot.at)}: {factor:.2f} HS23 per core, 68 % interval {low:.2f} to {high:.2f},",
        f"# from {roll.nodes - roll.stale_nodes} nodes with {roll.granted_cores:g} cores. Put in the CE's own name.",
    ]
    if roll.provisional_share > 0:
        lines.append(
            f"# {roll.provisional_share:.0%} of it hangs on a provisional calibration: do not account by it yet."
        )
    lines += [
        f"# In records of version 0.4: ServiceLevel: {service_level(factor)}",
        "[spec_updater]",
        f"site_name = {one_line(site.info.name)}",
        f"manual_spec1 = CE_NAME,{TYPE},{factor:.2f}",
        "",
    ]
    return "\n".join(lines)
