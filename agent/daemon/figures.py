"""What the daemon says of itself on /metrics, beside what it says of the node."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

from agent.daemon.outlet import Outlet
from agent.daemon.picture import Picture
from agent.render.prometheus import PREFIX


@dataclass
class Figures:
    """Counts since the daemon began.

    Attributes:
        turns: of the loop.
        looks: of each probe.
        stuck: probes with a child that hangs and cannot be killed.
        delivered: profiles that the service took, by what it made of them.
        waiting: profiles in the spool after the last delivery; None = none ended yet.
        reload_ok: whether the last configuration that was read is in use.
        benches: benchmarks by how they ended.
        orphans: processes that others left to us.
        pages_restarts: of the process that serves the pages.
    """

    turns: int = 0
    looks: dict[str, int] = field(default_factory=dict)
    stuck: frozenset[str] = frozenset()
    delivered: dict[str, int] = field(
        default_factory=lambda: {"delivered": 0, "duplicates": 0, "set_aside": 0}
    )
    waiting: int | None = None
    reload_ok: bool = True
    benches: dict[str, int] = field(default_factory=dict)
    orphans: int = 0
    pages_restarts: int = 0


def families(
    figures: Figures, picture: Picture, outlets: Sequence[Outlet], due_s: Mapping[str, float], now_s: float
) -> list[Metric]:
    """As metrics; times are of the daemon's own process."""
    found: list[Metric] = [
        _counter("daemon_turns", "Turns of the loop.", (), [((), figures.turns)]),
        _counter(
            "daemon_looks", "Looks of each probe.", ("probe",), [((name,), n) for name, n in figures.looks.items()]
        ),
        _gauge(
            "probe_last_run_timestamp_seconds",
            "When a probe last ran, since 1970.",
            ("probe",),
            [((name,), seen.at.timestamp()) for name, seen in picture.seen.items()],
        ),
        _gauge(
            "probe_due_in_seconds",
            "Until a probe runs next, when the loop last turned.",
            ("probe",),
            [((name,), max(at - now_s, 0.0)) for name, at in due_s.items()],
        ),
        _gauge(
            "probe_stuck",
            "1 for a probe whose child hangs and cannot be killed.",
            ("probe",),
            [((name,), float(name in figures.stuck)) for name in picture.seen],
        ),
        _gauge("checks_in_doubt", "Verdicts seen once and not shown yet.", (), [((), len(picture.steady.doubts))]),
        _gauge(
            "daemon_config_last_reload_successful",
            "1 if the configuration that was last read is in use.",
            (),
            [((), float(figures.reload_ok))],
        ),
        _counter(
            "delivery_profiles",
            "Profiles by what the service made of them.",
            ("outcome",),
            [((outcome,), n) for outcome, n in figures.delivered.items()],
        ),
        _gauge(
            "spool_profiles",
            "Profiles that waited in the spool when a delivery last ended.",
            (),
            [] if figures.waiting is None else [((), figures.waiting)],
        ),
        _counter(
            "outlet_failures",
            "Attempts to tell somebody that failed.",
            ("outlet",),
            [((outlet.name,), outlet.failed_ever) for outlet in outlets],
        ),
        _gauge(
            "outlet_working",
            "1 if the last attempt did not fail.",
            ("outlet",),
            [((outlet.name,), float(outlet.reason is None)) for outlet in outlets],
        ),
        _counter(
            "daemon_benchmarks",
            "Benchmarks by how they ended.",
            ("outcome",),
            [((outcome,), n) for outcome, n in figures.benches.items()],
        ),
        _counter("daemon_orphans", "Processes that probes left behind and that have ended.", (), [((), figures.orphans)]),
        _counter("daemon_pages_restarts", "Restarts of the process that serves these pages.", (),
                 [((), figures.pages_restarts)]),
        *ProcessCollector(pid=os.getpid, registry=None).collect(),
    ]  # fmt: skip
    return [family for family in found if family.samples]


Samples = Sequence[tuple[tuple[str, ...], float]]


def _counter(name: str, says: str, labels: Sequence[str], samples: Samples) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}_{name}", says, labels=labels)
    for values, value in samples:
        family.add_metric(list(values), value)
    return family


def _gauge(name: str, says: str, labels: Sequence[str], samples: Samples) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", says, labels=labels)
    for values, value in samples:
        family.add_metric(list(values), value)
    return family
