"""What a run on GPUs gave, as the part of the profile that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.payload_results import MAX_TEXT, event_set, physics
from payloads.device_outcome import DeviceOutcome, Passes
from profiles.device_run import (
    DeviceCode,
    DeviceRate,
    DeviceRun,
    EntryPoint,
    GpuConditions,
    GpuConditionsDuring,
    LoadedCpus,
    Together,
)
from profiles.payload_result import PayloadResult

MAX_SAMPLES = 1024


def device_result(found: DeviceOutcome) -> PayloadResult:
    """One kernel on one GPU; its throughput is that end to end with the host's cores idle."""
    manifest = found.kernel.manifest
    whole, alone = found.passes.get("end_to_end"), found.passes.get("kernel_only")
    rate = None if whole is None else whole.rate
    code = found.about.get("code")
    return PayloadResult(
        kernel=manifest.name,
        version=str(manifest.version),
        title=manifest.title,
        backend=found.gpu.api,
        device=found.gpu.name[:MAX_TEXT],
        isa=found.gpu.architecture,
        compiler=None if code is None else code["compiler"][:MAX_TEXT],
        copies=1,
        threads_per_copy=found.about.get("threads", 1),
        events=manifest.events.count,
        end_to_end_s=() if whole is None else whole.event_s[:MAX_SAMPLES],
        kernel_only_s=() if alone is None else alone.event_s[:MAX_SAMPLES],
        events_per_s=None if rate is None else rate.median,
        events_per_s_low=None if rate is None else rate.low,
        events_per_s_high=None if rate is None else rate.high,
        event_set=event_set(found.kernel, found.events),
        physics=physics(found.verdict, manifest.reference.tolerance, found.reason),
        reason=None if found.reason is None else found.reason[:MAX_TEXT],
        failed=found.failed,
        remarks=tuple(sentence[:MAX_TEXT] for sentence in found.said[:64]),
        working_set_bytes=found.about.get("workspace_bytes"),
        device_run=_run(found) if found.about else None,
    )


def _run(found: DeviceOutcome) -> DeviceRun:
    about = found.about
    cut = bool(about["is_cut"])
    rates = {kind: _rate(passes, cut=cut) for kind, passes in found.passes.items()}
    together = None
    if "together" in rates and found.together_events_per_s is not None:
        together = Together(
            devices=found.together, events_per_s=found.together_events_per_s, own=rates["together"]
        )
    return DeviceRun(
        place=found.gpu.place,
        driver_version=about["driver_version"],
        cuda_version=about["cuda_version"],
        memory_bytes=found.gpu.memory_bytes,
        multiprocessors=about["multiprocessors"],
        is_cut=about["is_cut"],
        code=DeviceCode.model_validate(about["code"]),
        events_in_flight=about["slots"],
        host_threads=about["threads"],
        first_result_s=about["first_result_s"],
        kernel_only=rates.get("kernel_only"),
        host_idle=rates.get("end_to_end"),
        host_busy=rates.get("host_busy"),
        together=together,
        cpus=_cpus(found),
        worth_cpus=found.worth_cpus,
        entries=tuple(EntryPoint.model_validate(one) for one in about["entries"][:256]),
        before=_conditions(about["before"]),
        after=_conditions(found.after),
        missing={name: reason[:MAX_TEXT] for name, reason in found.missing.items()},
    )


def _cpus(found: DeviceOutcome) -> LoadedCpus | None:
    if found.cpus is None:
        return None
    rate = found.cpus.rate
    return LoadedCpus(
        variant=found.cpus.variant,
        copies=found.cpus.copies,
        events_per_s=rate.median,
        low=rate.low,
        high=rate.high,
    )


def _rate(passes: Passes, *, cut: bool) -> DeviceRate:
    """The power of a board that is cut is that of all its slices, so that none of them has any of its own."""
    rate = passes.rate
    during = None
    if passes.during is not None:
        told = passes.during
        energy_j, seconds = told["energy_j"], told["seconds"]
        during = GpuConditionsDuring(
            seconds=seconds,
            sm_clock_mhz_low=told["sm_clock_mhz_low"],
            sm_clock_mhz_high=told["sm_clock_mhz_high"],
            temperature_celsius_high=told["temperature_celsius_high"],
            power_w=energy_j / seconds if energy_j else None,
            throttle_reasons=told["throttle_reasons"],
            processes_most=told["processes_most"],
        )
    return DeviceRate(
        events_per_s=rate.median,
        low=rate.low,
        high=rate.high,
        passes=len(passes.event_s),
        events_per_joule=None if cut else passes.events_per_joule,
        during=during,
    )


def _conditions(told: Mapping[str, Any] | None) -> GpuConditions | None:
    if told is None:
        return None
    processes = told["processes"]
    return GpuConditions(
        sm_clock_mhz=told["sm_clock_mhz"],
        memory_clock_mhz=told["memory_clock_mhz"],
        temperature_celsius=told["temperature_celsius"],
        power_w=told["power_w"],
        throttle_reasons=told["throttle_reasons"],
        processes=None if processes is None else len(processes),
        memory_used_bytes=told["memory_used_bytes"],
    )
