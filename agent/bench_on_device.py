"""`agent bench --device`: kernels on one GPU, as a profile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from agent.bench import Benched, BenchRequest, exclusively, options_of
from agent.config import Config
from agent.payload_results import MAX_TEXT, event_set, physics
from agent.run import Look
from payloads.backends.device_module import device_module
from payloads.backends.devices import Gpu, backends, ordinal_of
from payloads.catalogue import Kernel
from payloads.device_bench import DeviceBench, DeviceOutcome
from payloads.measured_kernel import Told
from payloads.sampling import interval
from profiles.payload_result import BenchInfo, PayloadResult


class UnusableDeviceError(Exception):
    """The device that was asked for cannot be used; the text says why, or which can."""


def find_gpu(text: str) -> Gpu:
    """The GPU that a user names.

    Raises:
        UnusableDeviceError: there is none of that name, or it cannot be used.
    """
    try:
        api, ordinal = ordinal_of(text)
    except ValueError as error:
        raise UnusableDeviceError(f"--device {error}") from error
    (backend,) = (one for one in backends() if one.api == api)
    if backend.reason is not None:
        raise UnusableDeviceError(f"--device {text}: {backend.reason}")
    if ordinal >= len(backend.gpus):
        known = ", ".join(f"{api}:{gpu.ordinal}" for gpu in backend.gpus)
        raise UnusableDeviceError(f"--device {text}: there is no such device; there are: {known}")
    gpu = backend.gpus[ordinal]
    if gpu.reason is not None:
        raise UnusableDeviceError(f"--device {text}: {gpu.name}: {gpu.reason}")
    return gpu


def kernels_for(chosen: Sequence[Kernel], *, named: bool) -> tuple[Kernel, ...]:
    """Those of the kernels that a device can run.

    Raises:
        UnusableDeviceError: one that was named has no launches for a device.
        NotBuiltError: the device backends were not compiled.
    """
    known = device_module().kernels
    without = [kernel.name for kernel in chosen if kernel.name not in known]
    if named and without:
        raise UnusableDeviceError(
            f"{', '.join(without)}: no launches for a device yet; there are for: {', '.join(known)}"
        )
    return tuple(kernel for kernel in chosen if kernel.name in known)


def measure_on_device(
    seen: Look,
    request: BenchRequest,
    gpu: Gpu,
    config: Config,
    *,
    on_start: Callable[[DeviceBench], None] = lambda _: None,
    told: Told = lambda _: None,
) -> Benched:
    """Measure on a GPU of a node that was looked at.

    Raises:
        LockError: another benchmark holds the node.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        options = options_of(request, seen, stack)
        bench = DeviceBench(request.kernels, gpu, options, told)
        on_start(bench)
        exclusively(stack, config)
        outcomes = bench.run()
    duration_s = time.monotonic() - began
    info = BenchInfo(mode=request.mode, budget_s=options.budget_s, duration_s=duration_s, copies=1)
    missing = [outcome.kernel.name for outcome in outcomes if outcome.reason is not None]
    reasons = [
        text
        for text in (seen.profile.limits.reason, f"not measured: {', '.join(missing)}" if missing else "")
        if text
    ]
    limits = seen.profile.limits.model_copy(
        update={
            "budget_s": seen.profile.limits.budget_s + options.budget_s,
            "duration_s": seen.profile.limits.duration_s + duration_s,
            "partial": bool(reasons),
            "reason": "; ".join(reasons)[:MAX_TEXT] or None,
        }
    )
    profile = seen.profile.model_copy(
        update={"payloads": tuple(_result(one) for one in outcomes), "bench": info, "limits": limits}
    )
    return Benched(profile, bench.interrupted_by, None)


def _result(found: DeviceOutcome) -> PayloadResult:
    manifest, about = found.kernel.manifest, found.about
    rate = interval([1 / seconds for seconds in found.end_to_end_s]) if found.end_to_end_s else None
    return PayloadResult(
        kernel=manifest.name,
        version=str(manifest.version),
        title=manifest.title,
        backend=found.gpu.api,
        device=found.gpu.name[:MAX_TEXT],
        isa=found.gpu.architecture,
        copies=1,
        threads_per_copy=about.get("threads", 1),
        events=manifest.events.count,
        end_to_end_s=tuple(found.end_to_end_s),
        kernel_only_s=tuple(found.kernel_only_s),
        events_per_s=None if rate is None else rate.median,
        events_per_s_low=None if rate is None else rate.low,
        events_per_s_high=None if rate is None else rate.high,
        event_set=event_set(found.kernel, found.events),
        physics=physics(found.verdict, manifest.reference.tolerance, found.reason),
        reason=None if found.reason is None else found.reason[:MAX_TEXT],
        failed=found.failed,
        remarks=tuple(sentence[:MAX_TEXT] for sentence in _remarks(found)[:64]),
        working_set_bytes=about.get("workspace_bytes"),
    )


def _remarks(found: DeviceOutcome) -> list[str]:
    said = list(found.said)
    if found.kernel_only_s:
        alone = 1 / interval(found.kernel_only_s).median
        said.append(
            f"{found.about['slots']} events in flight, driven by {found.about['threads']} threads of the host; "
            f"kernels alone, with no transfers: {alone:.4g} events/s"
        )
    return said
