"""CMS's site capacity list, SiteCapacity.json, as SiteSupport keeps it and feeds it into MONIT as `scap15min`.

Names and meaning: CMSCompOps/MonitoringScripts, capacity/capacity_admin.py. A key that is not known is left out and not
written as 0: that program fills in what is missing, and keeps what a site's admin typed. Keys that begin with `sitecap_`
are ours.
"""

from __future__ import annotations

import json
from typing import Any

from capacity.exports.model import PRODUCER, SiteFigures, Snapshot, rounded


def render(snapshot: Snapshot) -> str:
    """The list as JSON; sites without a figure are not in it, so that they keep what they have."""
    entries = [entry(site, snapshot) for site in snapshot.sites if site.roll.hs23_per_core is not None]
    return json.dumps(entries, indent=1) + "\n"


def entry(site: SiteFigures, snapshot: Snapshot) -> dict[str, Any]:
    """One site; it must have a figure per core."""
    roll = site.roll
    per_core = roll.hs23_per_core
    assert per_core is not None
    found: dict[str, Any] = {"name": site.info.name}
    if site.info.federation is not None:
        found["wlcg_federation_name"] = site.info.federation
        if not site.shares_federation:
            found["wlcg_federation_fraction"] = 1.0
    if roll.pledge_hs23 is not None:
        found["hs06_pledge"] = round(roll.pledge_hs23)
    return found | {
        "hs06_per_core": rounded(per_core.value),
        # What nobody looked at is not taken away from a site; what is known to be broken is.
        "core_usable": int(roll.granted_cores - roll.unusable_cores),
        "when": snapshot.at.strftime("%Y-%b-%d %H:%M:%S"),
        "who": PRODUCER,
        "sitecap_hs06_per_core_low": rounded(per_core.low),
        "sitecap_hs06_per_core_high": rounded(per_core.high),
        "sitecap_provisional_share": rounded(roll.provisional_share),
        "sitecap_nodes": roll.nodes - roll.stale_nodes,
        "sitecap_unverified_nodes": roll.unverified_nodes,
    }
