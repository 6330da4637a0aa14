"""The part of a pilot that looks at the node and measures it, as far as the time goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from agent.config import Config
from agent.pilot.plan import ENDING_S, Mode, Times, plan_bench
from agent.pilot.stage import Part
from agent.run import Look, Request, look
from probes.lock import LockError
from probes.spec import Probe
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile

BASIS = ("batch", "cores", "cpu", "memory")
"""Probes that take a second, ask nobody outside, and say which node and what slot this is."""

NO_PAYLOADS = "not benchmarked: this installation has no payloads"

MAX_REASON = 4096


@dataclass(frozen=True)
class Task:
    """What to look at, and until when.

    Attributes:
        probes: all that are wanted.
        config: checked.
        times: how the time is shared out.
        began: of the pilot, on the monotonic clock.
    """

    probes: Sequence[Probe]
    config: Config
    times: Times
    began: float

    @property
    def left_s(self) -> float:
        """Until the hand-over begins."""
        return self.began + self.times.measure_s - time.monotonic()


def measure_node(task: Task, part: Part) -> None:
    """Look, say what was found, measure what fits, say that, too."""
    try:
        found = _look(task, part, task.probes, min(task.times.probe_s, max(task.left_s, 0.1)))
    except LockError as error:
        part.fail(str(error))
        return
    profile = found.profile
    part.say(write_profile(profile).encode())
    if part.stopped is not None or task.config.pilot.bench == "none":
        return
    reasons: list[str] = []
    if found.profile.facts.cores is None:
        reasons.append("not benchmarked: it is not known what was granted")
    else:
        profile, reasons = _bench(task, part, found)
    part.say(write_profile(with_reasons(profile, reasons, task.times.total_s)).encode())


def look_briefly(task: Task, part: Part, why: Sequence[str]) -> None:
    """A shorter look, after a longer one has died of `why`; without any probe there is a profile that says just that."""
    found = _look(task, part, task.probes, max(task.left_s, 1.0))
    part.say(write_profile(with_reasons(found.profile, why, task.times.total_s)).encode())


def with_reasons(profile: CapabilityProfile, reasons: Sequence[str], budget_s: float) -> CapabilityProfile:
    """The profile with more reasons why it is partial, and the budget of the whole pilot."""
    before = [profile.limits.reason] if profile.limits.reason else []
    whole = "; ".join(dict.fromkeys([*before, *reasons]))[:MAX_REASON]
    limits = profile.limits.model_copy(
        update={"partial": bool(whole), "reason": whole or None, "budget_s": budget_s}
    )
    return profile.model_copy(update={"limits": limits})


def _look(task: Task, part: Part, probes: Sequence[Probe], budget_s: float) -> Look:
    traffic = task.config.traffic
    # The runner's budget begins after the wait for its turn, ours does not.
    jitter_s = min(traffic.jitter_s, budget_s / 3)
    config = task.config.model_copy(
        update={
            "budget_s": budget_s - jitter_s,
            "lock_wait_s": min(task.config.lock_wait_s, budget_s / 3),
            "traffic": traffic.model_copy(update={"jitter_s": jitter_s}),
        }
    )
    found = look(Request(probes=probes, config=config), on_start=_listener(part))
    part.on_stop = lambda _: None
    return found


def _listener(part: Part) -> Callable[[object], None]:
    def listen(running: object) -> None:
        interrupt = running.interrupt  # type: ignore[attr-defined]
        part.on_stop = interrupt
        if part.stopped is not None:  # the signal came while nothing was running
            interrupt(part.stopped)

    return listen


def _bench(task: Task, part: Part, found: Look) -> tuple[CapabilityProfile, list[str]]:
    """The profile with what was measured, and what was not for which reason."""
    if find_spec("payloads") is None or find_spec("numpy") is None:
        return found.profile, [NO_PAYLOADS]
    # Only here: numpy alone takes a tenth of a second, which a pilot that only probes need not spend.
    from agent.bench import BenchRequest, measure  # noqa: PLC0415
    from agent.bench_commands import place_of  # noqa: PLC0415
    from agent.pilot.measure_gpus import has_gpus, measure_gpus  # noqa: PLC0415
    from payloads.catalogue import ManifestError, UnknownKernelError, choose, kernels  # noqa: PLC0415
    from payloads.compiled import NO_KERNELS, variants  # noqa: PLC0415
    from payloads.plan import BUDGETS_S  # noqa: PLC0415

    settings = task.config.pilot
    try:
        known = kernels()
        wanted = choose(known, settings.kernels)
    except (UnknownKernelError, ManifestError) as error:
        return found.profile, [f"not benchmarked: {error}"]
    if not variants():
        return found.profile, [f"not benchmarked: {NO_KERNELS}"]
    by_name = {kernel.name: kernel for kernel in wanted}
    each_s: dict[Mode, float] = {mode: total_s / max(len(known), 1) for mode, total_s in BUDGETS_S.items()}
    plan = plan_bench(task.left_s, list(settings.kernels or by_name), settings.bench, each_s)
    if plan.mode is None:
        return found.profile, list(plan.reasons)
    bench = task.config.bench
    request = BenchRequest(
        kernels=[by_name[name] for name in plan.kernels],
        mode=plan.mode,
        budget_s=plan.budget_s,
        place=place_of(None, task.config),
        cache_max_bytes=bench.cache_max_bytes,
        memory_per_copy_bytes=bench.memory_per_copy_bytes,
    )
    waiting = task.config.model_copy(update={"lock_wait_s": min(task.config.lock_wait_s, task.left_s / 3)})
    try:
        done = measure(found, request, waiting, on_start=_listener(part))
    except LockError as error:
        return found.profile, [f"not benchmarked: {error}"]
    reasons = list(plan.reasons)
    if not settings.gpus or part.stopped is not None or not has_gpus(done.profile):
        return done.profile, reasons
    # So that it is there whatever a GPU's driver does.
    part.say(write_profile(with_reasons(done.profile, reasons, task.times.total_s)).encode())
    profile, more = measure_gpus(
        found._replace(profile=done.profile), request, waiting, task.left_s - ENDING_S, _listener(part)
    )
    return profile, reasons + more
