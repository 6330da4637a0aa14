"""`agent bench --device`, `--backend`: kernels on GPUs, as a profile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from agent.bench import Benched, BenchRequest, exclusively, options_of
from agent.chosen_devices import UnusableDeviceError
from agent.config import Config
from agent.device_results import device_result
from agent.payload_results import MAX_TEXT
from agent.run import Look
from payloads.backends.device_module import device_module
from payloads.backends.devices import Gpu
from payloads.catalogue import Kernel
from payloads.device_bench import DeviceBench
from payloads.measured_kernel import Told
from profiles.payload_result import BenchInfo


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


def measure_on_devices(
    seen: Look,
    request: BenchRequest,
    gpus: Sequence[Gpu],
    config: Config,
    *,
    on_start: Callable[[DeviceBench], None] = lambda _: None,
    told: Told = lambda _: None,
) -> Benched:
    """Measure on GPUs of a node that was looked at; what its CPUs gave already stays, the GPUs' results behind it.

    Raises:
        LockError: another benchmark holds the node.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        options = options_of(request, seen, stack)
        bench = DeviceBench(request.kernels, gpus, options, told)
        on_start(bench)
        exclusively(stack, config)
        outcomes = bench.run()
    duration_s = time.monotonic() - began
    missing = list(dict.fromkeys(outcome.kernel.name for outcome in outcomes if outcome.reason is not None))
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
    results = sorted(outcomes, key=lambda outcome: list(gpus).index(outcome.gpu))
    payloads = (*seen.profile.payloads, *map(device_result, results))
    info = _info(seen.profile.bench, request, options.budget_s, duration_s)
    profile = seen.profile.model_copy(update={"payloads": payloads, "bench": info, "limits": limits})
    return Benched(profile, bench.interrupted_by, None)


def _info(before: BenchInfo | None, request: BenchRequest, budget_s: float, duration_s: float) -> BenchInfo:
    if before is None:
        return BenchInfo(mode=request.mode, budget_s=budget_s, duration_s=duration_s, copies=1)
    return before.model_copy(
        update={"budget_s": before.budget_s + budget_s, "duration_s": before.duration_s + duration_s}
    )
