"""What a benchmark run gave, as the part of the profile that holds it."""

from __future__ import annotations

from collections.abc import Sequence

from payloads.catalogue import Kernel
from payloads.conditions import Snapshot, together
from payloads.outcome import BenchOutcome, EventsOutcome, KernelOutcome, Series, VariantOutcome
from payloads.plan import Options
from payloads.verify import Verdict
from profiles.cpulist import text_of
from profiles.facts.cpu import CpuFacts
from profiles.payload_result import (
    BackendLeftOut,
    BenchInfo,
    Conditions,
    ConditionsDuring,
    EventSet,
    PayloadResult,
    PhysicsMetric,
    PhysicsVerdict,
    RateSeries,
    VariantResult,
)
from profiles.profile import CapabilityProfile

MAX_TEXT = 4096


def bench_info(outcome: BenchOutcome, options: Options) -> BenchInfo:
    """How the payloads were run."""
    return BenchInfo(
        mode=options.mode,
        budget_s=options.budget_s,
        duration_s=outcome.duration_s,
        copies=outcome.copies,
        left_out=tuple(
            BackendLeftOut(name=one.name, reason=one.reason[:MAX_TEXT]) for one in outcome.left_out[:64]
        ),
        reason=None if outcome.not_built is None else outcome.not_built[:MAX_TEXT],
    )


def payload_results(outcome: BenchOutcome, profile: CapabilityProfile) -> tuple[PayloadResult, ...]:
    """One result a kernel, in the order in which they were asked for; those that failed with their reason."""
    cpu = profile.facts.cpu
    device = (cpu.model_name or cpu.archspec_name) if cpu is not None else None
    share = _cache_share(cpu)
    return tuple(_result(found, outcome, device or "unknown processor", share) for found in outcome.kernels)


def _cache_share(cpu: CpuFacts | None) -> int | None:
    """Bytes of the last-level cache that one processor has, if all that share it are loaded."""
    caches = [cache for cache in (cpu.caches or ()) if cache.kind != "instruction"] if cpu is not None else []
    last = max(caches, key=lambda cache: cache.level, default=None)
    return None if last is None else last.size_bytes // max(last.shared_by_cpus, 1)


def _remarks(found: KernelOutcome, working_set: int | None, cache_share: int | None) -> list[str]:
    said = list(found.said)
    if working_set is not None and cache_share is not None and working_set < cache_share:
        said.append(
            f"its working set of {working_set / 1e6:.0f} MB fits into a core's share of the cache, "
            f"{cache_share / 1e6:.0f} MB: that is faster than CMSSW would be"
        )
    return said


def _result(
    found: KernelOutcome, outcome: BenchOutcome, device: str, cache_share: int | None
) -> PayloadResult:
    manifest = found.kernel.manifest
    best = found.best
    full = None if best is None else best.series.get(outcome.copies)
    right = best is not None and best.right
    rate = full.rate if full is not None and full.samples and right else None
    one = best.series.get(1) if best is not None and right else None
    return PayloadResult(
        kernel=manifest.name,
        version=str(manifest.version),
        title=manifest.title,
        backend="cpu",
        device=device[:MAX_TEXT],
        isa=None if best is None else best.about.get("isa"),
        compiler=None if best is None else best.about.get("compiler"),
        flags=tuple(best.about["flags"].split()) if best is not None and "flags" in best.about else (),
        copies=outcome.copies,
        threads_per_copy=1,
        cpus=text_of(outcome.cpus)[:MAX_TEXT],
        events=manifest.events.count,
        events_per_s=None if rate is None else rate.median,
        events_per_s_low=None if rate is None else rate.low,
        events_per_s_high=None if rate is None else rate.high,
        one_copy_events_per_s=one.rate.median if one is not None and one.samples else None,
        baseline_events_per_s=_baseline(found.variants, outcome.copies),
        variant=None if best is None else best.name,
        variants=tuple(_variant(variant) for variant in found.variants[:16]),
        event_set=event_set(found.kernel, found.events),
        physics=physics(None if best is None else best.verdict, manifest.reference.tolerance, found.reason),
        reason=None if found.reason is None else found.reason[:MAX_TEXT],
        failed=found.failed,
        remarks=tuple(
            sentence[:MAX_TEXT] for sentence in _remarks(found, _working_set(best), cache_share)[:64]
        ),
        memory_per_copy_bytes=None if best is None else best.memory_bytes,
        working_set_bytes=_working_set(best),
        before=_conditions(found.before),
        during=_during(found),
        after=_conditions(found.after),
    )


def _baseline(variants: Sequence[VariantOutcome], copies: int) -> float | None:
    for variant in variants:
        series = variant.series.get(copies)
        if variant.role == "baseline" and variant.right and series is not None and series.samples:
            return series.rate.median
    return None


def _working_set(best: VariantOutcome | None) -> int | None:
    if best is None or best.event_bytes is None or best.workspace_bytes is None:
        return None
    return best.event_bytes + best.workspace_bytes


def _variant(variant: VariantOutcome) -> VariantResult:
    return VariantResult(
        name=variant.name,
        role=variant.role,
        isa=variant.about.get("isa"),
        lanes=variant.about.get("lanes"),
        compiler=variant.about.get("compiler"),
        flags=variant.about.get("flags"),
        physics_right=None if variant.verdict is None else variant.verdict.right,
        digest=variant.digest,
        # what was measured before the physics was found wrong is no throughput
        series=tuple(_series(one) for one in variant.series.values() if one.samples) if variant.right else (),
        stages_s=dict(list(variant.stages.items())[:64]),
        memory_per_copy_bytes=variant.memory_bytes,
        reason=_why(variant),
    )


def _why(variant: VariantOutcome) -> str | None:
    wrong = variant.verdict.reason if variant.verdict is not None and not variant.verdict.right else None
    said = [text for text in (variant.reason, wrong) if text]
    return ": ".join(said)[:MAX_TEXT] or None


def _series(series: Series) -> RateSeries:
    rate = series.rate
    return RateSeries(
        copies=series.copies,
        events_per_s=rate.median,
        low=rate.low,
        high=rate.high,
        samples=tuple(series.counted),
        set_aside=tuple(series.set_aside),
        slowest_over_mean=series.slowest_over_mean,
        preempted=series.preempted,
        major_faults=series.major_faults,
    )


def event_set(kernel: Kernel, events: EventsOutcome | None) -> EventSet | None:
    """What a kernel was measured on; None where that was not reached."""
    if events is None:
        return None
    chosen = kernel.manifest
    return EventSet(
        section=chosen.section,
        simulation_version=events.simulation_version,
        pile_up=chosen.events.pile_up,
        seed=chosen.events.seed,
        count=chosen.events.count,
        digest=events.digest,
        size_bytes=events.size_bytes,
        origin="cache" if events.origin == "cache" else "made",
    )


def physics(verdict: Verdict | None, tolerance: str, reason: str | None) -> PhysicsVerdict:
    """A verdict as the profile has it; where there is none, `reason` says why."""
    if verdict is None:
        return PhysicsVerdict(right=False, tolerance=tolerance, reason=f"not judged: {reason}"[:MAX_TEXT])
    return PhysicsVerdict(
        right=verdict.right,
        summary={metric.name: metric.value for metric in verdict.metrics[:64] if metric.value is not None},
        metrics=_metrics(verdict),
        tolerance=tolerance,
        reason=verdict.reason,
    )


def _metrics(verdict: Verdict) -> tuple[PhysicsMetric, ...]:
    return tuple(
        PhysicsMetric(
            name=metric.name,
            value=metric.value,
            low=None if metric.allowed is None else metric.allowed.low,
            high=None if metric.allowed is None else metric.allowed.high,
            unit="1" if metric.allowed is None else metric.allowed.unit,
            means=None if metric.allowed is None else metric.allowed.means,
            right=metric.right,
        )
        for metric in verdict.metrics[:64]
    )


def _conditions(snapshot: Snapshot | None) -> Conditions | None:
    if snapshot is None:
        return None
    return Conditions(
        load_1min=snapshot.load_1min,
        cpu_mhz=snapshot.cpu_mhz,
        throttle_events=snapshot.throttle_events,
        quota_throttled_periods=snapshot.throttled_periods,
    )


def _during(found: KernelOutcome) -> ConditionsDuring | None:
    series = [one for variant in found.variants for one in variant.series.values()]
    whole = together([spell for one in series for spell in one.spells])
    if whole is None:
        return None
    wanted_s = sum(one.copy_seconds for one in series)
    used_s = sum(one.copies_cpu_s for one in series)
    return ConditionsDuring(
        seconds=whole.wall_s,
        others_cpus=whole.others_cpus,
        steal_share=whole.steal_share,
        own_share=used_s / wanted_s if wanted_s else None,
        throttle_events=whole.throttle_events,
        quota_throttled_periods=whole.throttled_periods,
        quota_throttled_s=whole.throttled_s,
        cpu_mhz_low=whole.cpu_mhz_low,
        cpu_mhz_high=whole.cpu_mhz_high,
    )
