"""Capacity of sites for Prometheus, text format 0.0.4: gauges only, bounded labels (one series a site, and a GPU model)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from capacity.exports.model import SiteFigures, Snapshot, one_line
from capacity.fleet.model import Roll


class _Sites(Collector):
    def __init__(self, sites: tuple[SiteFigures, ...]) -> None:
        self._sites = sites

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield self._family(
            "sitecap_site_capacity_hs23", "Pledgeable CPU of fresh nodes, HS23.", lambda r: r.hs23.value
        )
        yield self._family(
            "sitecap_site_capacity_low_hs23", "Lower end of its 68 % interval.", lambda r: r.hs23.low
        )
        yield self._family(
            "sitecap_site_capacity_high_hs23", "Upper end of its 68 % interval.", lambda r: r.hs23.high
        )
        yield self._family(
            "sitecap_site_usable_hs23", "Of nodes that pass all gates, HS23.", lambda r: r.hs23_usable.value
        )
        yield self._family(
            "sitecap_site_hs23_per_core",
            "HS23 per logical CPU.",
            lambda r: None if r.hs23_per_core is None else r.hs23_per_core.value,
        )
        yield self._family("sitecap_site_pledge_hs23", "Pledge for the year, HS23.", lambda r: r.pledge_hs23)
        yield self._family(
            "sitecap_site_cores", "Logical CPUs granted on fresh nodes.", lambda r: r.granted_cores
        )
        yield self._family(
            "sitecap_site_provisional_ratio",
            "Share that hangs on a provisional calibration.",
            lambda r: r.provisional_share,
        )
        yield self._nodes()
        yield self._gpus()

    def _family(self, name: str, says: str, value: Callable[[Roll], float | None]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, says, labels=["site"])
        for site in self._sites:
            found = value(site.roll)
            if found is not None:
                family.add_metric([site.info.name], found)
        return family

    def _nodes(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily("sitecap_site_nodes", "Nodes by state.", labels=["site", "state"])
        for site in self._sites:
            roll = site.roll
            usable = roll.nodes - roll.stale_nodes - roll.unusable_nodes - roll.unverified_nodes
            states = {
                "usable": usable,
                "unusable": roll.unusable_nodes,
                "unverified": roll.unverified_nodes,
                "stale": roll.stale_nodes,
            }
            for state, number in states.items():
                family.add_metric([site.info.name, state], number)
        return family

    def _gpus(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "sitecap_site_gpus",
            "GPUs and MIG instances of fresh nodes; never part of HS23.",
            labels=["site", "device"],
        )
        for site in self._sites:
            for device, number in sorted(site.roll.gpus.items())[:50]:
                family.add_metric([site.info.name, one_line(device, 80)], number)
        return family


def render(snapshot: Snapshot) -> str:
    """The exposition."""
    registry = CollectorRegistry()
    registry.register(_Sites(snapshot.sites))
    return generate_latest(registry).decode()
