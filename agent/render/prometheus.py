"""Profile → metrics in Prometheus' text format: for node_exporter's textfile collector, and for the daemon's own page.

Names follow Prometheus' conventions: base units, `_total` only for what only grows, `_info` for what is only labels. There
are no timestamps of samples, which the textfile collector refuses; when a look was is a metric of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.render.bench_device_text import place_of
from profiles.checks import Status
from profiles.profile import CapabilityProfile

PREFIX = "cms_agent"

VALUES = {Status.OK: 0, Status.WARNING: 1, Status.CRITICAL: 2, Status.UNKNOWN: 3}
"""As monitoring plug-ins count; a check that was skipped has no sample."""


def render(profile: CapabilityProfile) -> str:
    """The metrics of one profile, with a final newline."""
    return text_of(families(profile))


def text_of(found: Sequence[Metric]) -> str:
    """Metric families as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(found))
    return generate_latest(registry).decode("utf-8")


def families(profile: CapabilityProfile) -> list[Metric]:
    """What a profile says that can be drawn over time."""
    site = profile.site.name if profile.site is not None else ""
    memory = profile.facts.memory
    found: list[Metric] = [
        _labelled("build_info", "Version of the agent and of its profiles; always 1.", ("version", "schema"),
                  [((profile.agent.version, profile.schema_version), 1)]),
        _labelled("site_info", "CMS name of the site, empty if not known; always 1.", ("site",), [((site,), 1)]),
        _single("last_run_timestamp_seconds", "When the node was last looked at, since 1970.",
                profile.created_at.timestamp()),
        _single("profile_partial", "1 if something that was asked for is missing in the profile.",
                float(profile.limits.partial)),
        _labelled("check_status", "Verdict of a check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; none if skipped.",
                  ("check", "probe"),
                  [((check.id, check.probe), VALUES[check.status]) for check in profile.checks if check.status in VALUES]),
        _labelled("check_duration_seconds", "Wall time of the look that a verdict rests on.", ("check", "probe"),
                  [((check.id, check.probe), check.duration_s) for check in profile.checks]),
        _labelled("probe_finished", "1 if the last look of a probe came to its end.", ("probe",),
                  [((run.name,), float(run.outcome == "finished")) for run in profile.limits.probes]),
        _labelled("probe_duration_seconds", "Wall time of the last look of a probe.", ("probe",),
                  [((run.name,), run.duration_s) for run in profile.limits.probes]),
        _single("cores_granted", "Cores that a job may use here.", profile.scope.cores_granted),
        _single("cores_present", "Logical processors of the node.", profile.scope.cores_present),
        _single("memory_granted_bytes", "Memory that a job may use here.",
                None if memory is None else memory.effective_bytes),
        _labelled("payload_events_per_second", "Throughput of a benchmark kernel: of all copies on CPUs, or end to end on a GPU.",
                  ("kernel", "backend", "device"),
                  [((one.kernel, one.backend, place_of(one)), one.events_per_s) for one in profile.payloads]),
    ]  # fmt: skip
    return [family for family in found if family.samples]


def _single(name: str, says: str, value: float | None) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", says)
    if value is not None:
        family.add_metric([], value)
    return family


def _labelled(
    name: str, says: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float | None]]
) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", says, labels=labels)
    # One sample for one set of labels: a second would make the whole page invalid.
    for values, value in {tuple(values): value for values, value in samples}.items():
        if value is not None:
            family.add_metric(list(values), value)
    return family


class _Given(Collector):
    def __init__(self, found: Sequence[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found
