"""GPUs of a pilot's slot, measured in the time that the CPUs have left."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.bench import BenchRequest
from agent.bench_on_device import kernels_for, measure_on_devices
from agent.chosen_devices import UnusableDeviceError, chosen_gpus
from agent.config import Config
from agent.pilot.duration import shown
from agent.run import Look
from payloads.errors import PayloadError
from payloads.plan import BUDGETS_S
from probes.lock import LockError
from profiles.facts.gpu import AllocationKind, GpuFacts, GpuVendor
from profiles.payload_result import BackendLeftOut
from profiles.profile import CapabilityProfile

LEAST_KERNEL_S = 8.0
"""Events, physics, code and the CPUs beside each GPU: in less no pass comes to its end."""

GRANTING = frozenset({AllocationKind.ALL, AllocationKind.DEVICES})


def has_gpus(profile: CapabilityProfile) -> bool:
    """Whether the slot was granted a GPU that there are kernels for.

    In a batch slot an allocation has to say so: what can merely be seen there may be another job's.
    """
    facts = profile.facts.gpu
    if facts is None or not _there(facts):
        return False
    if facts.allocations:
        return any(one.kind in GRANTING and one.count != 0 for one in facts.allocations)
    return profile.facts.batch is None or profile.facts.batch.batch_system is None


def _there(facts: GpuFacts) -> bool:
    return bool(facts.nvml and facts.nvml.devices) or any(one.vendor is GpuVendor.AMD for one in facts.other)


def measure_gpus(
    seen: Look,
    request: BenchRequest,
    config: Config,
    room_s: float,
    on_start: Callable[[object], None],
) -> tuple[CapabilityProfile, list[str]]:
    """The profile with GPUs beside the CPUs, and what was not measured for lack of time.

    A GPU that cannot be used costs the profile nothing: it is among what was left out.

    Args:
        seen: with what the CPUs gave.
        request: of the CPUs.
        config: checked.
        room_s: for all of it.
        on_start: is given what can be interrupted.
    """
    profile = seen.profile
    try:
        gpus = chosen_gpus(("gpu:all",), None)
        kernels = kernels_for(request.kernels, named=False)
    except (UnusableDeviceError, PayloadError) as error:
        return _left_out(profile, str(error)), []
    number = min(math.floor(max(room_s, 0.0) / LEAST_KERNEL_S), len(kernels))
    missing = [kernel.name for kernel in kernels[number:]]
    reasons = (
        [f"no time to measure {', '.join(missing)} on GPUs: {shown(max(room_s, 0.0))} were left"]
        if missing
        else []
    )
    if number == 0:
        return profile, reasons
    budget_s = min(room_s, BUDGETS_S["default"])
    ours = replace(request, kernels=kernels[:number], budget_s=budget_s)
    try:
        done = measure_on_devices(seen, ours, gpus, config, on_start=on_start)
    except LockError as error:
        return profile, [f"not measured on GPUs: {error}"]
    return done.profile, reasons


def _left_out(profile: CapabilityProfile, why: str) -> CapabilityProfile:
    if profile.bench is None:
        return profile
    told: Sequence[BackendLeftOut] = (*profile.bench.left_out, BackendLeftOut(name="gpu", reason=why[:4096]))
    return profile.model_copy(
        update={"bench": profile.bench.model_copy(update={"left_out": tuple(told)[:64]})}
    )
