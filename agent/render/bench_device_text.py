"""The part of the screen of `agent bench` that shows kernels on GPUs: a table a GPU, never added to that of the CPUs."""

from __future__ import annotations

from collections.abc import Iterator

from agent.render.plain import one_line
from payloads.gpu_conditions import HARMLESS
from profiles.device_run import DeviceRate, DeviceRun
from profiles.payload_result import PayloadResult

HEAD = ("end to end", "kernels", "host busy", "CPUs", "ev/J", "physics")
WIDTHS = (14, 9, 9, 7, 7, 7)


def place_of(result: PayloadResult) -> str:
    """Where a result is of: `cpu`, or one GPU (`cuda:0`; its name, if it gave nothing)."""
    run = result.device_run
    return "cpu" if result.backend == "cpu" else result.device if run is None else run.place


def cells(result: PayloadResult, rate: str, verdict: str) -> tuple[str, ...]:
    """What stands under `HEAD`."""
    run = result.device_run
    if run is None:
        return (rate, "–", "–", "–", "–", verdict)
    per_joule = None if run.host_idle is None else run.host_idle.events_per_joule
    return (
        rate,
        _rate(run.kernel_only),
        _rate(run.host_busy),
        _number(run.worth_cpus),
        _number(per_joule),
        verdict,
    )


def heading(result: PayloadResult) -> str:
    """Which GPU the lines below it are of."""
    run = result.device_run
    if run is None:
        return f"Events per second on {result.device}"
    cut = ", a slice of it" if run.is_cut else ""
    known = [run.driver_version, f"CUDA {run.cuda_version}" if run.cuda_version else None]
    driver = f", driver {' for '.join(text for text in known if text)}" if any(known) else ""
    return f"Events per second on {run.place}, {result.device}{cut}{driver}"


def together(results: tuple[PayloadResult, ...]) -> Iterator[str]:
    """A line a kernel that was measured on several GPUs at the same time."""
    told = set()
    for result in results:
        run = result.device_run
        if run is None or run.together is None or result.kernel in told:
            continue
        told.add(result.kernel)
        alone = sum(
            one.events_per_s or 0.0
            for one in results
            if one.kernel == result.kernel and one.device_run is not None and one.device_run.together
        )
        share = f", {run.together.events_per_s / alone:.0%} of each alone" if alone else ""
        yield (
            f"{one_line(result.kernel, 40)}: {_number(run.together.events_per_s)} events/s of "
            f"{run.together.devices} GPUs together{share}"
        )


def details(result: PayloadResult) -> Iterator[tuple[str, str]]:
    """What -v adds: a word and what it is about."""
    run = result.device_run
    if run is None:
        return
    code = run.code
    yield "code", f"{code.form} for {code.architecture}, {_ORIGINS[code.origin]}, {code.compiler}"
    yield (
        "flight",
        f"{run.events_in_flight} events in flight, {run.host_threads} threads of the host; first result after {run.first_result_s:.2g} s",
    )
    if run.cpus is not None:
        yield (
            "CPUs",
            f"{_number(run.cpus.events_per_s)} events/s of {run.cpus.copies} copies of {run.cpus.variant}",
        )
    yield from _conditions(run)
    for entry in run.entries:
        blocks = "" if entry.blocks_per_multiprocessor is None else (
            f", {entry.blocks_per_multiprocessor} blocks of {entry.threads} a multiprocessor "
            f"({entry.occupancy or 0:.0%}, by {entry.limited_by})"
        )  # fmt: skip
        spills = f", {entry.local_bytes} B of local memory" if entry.local_bytes else ""
        yield "entry", f"{entry.name}: {entry.registers} registers{spills}{blocks}"
    for name, reason in run.missing.items():
        yield "missing", f"{name}: {reason}"


_ORIGINS = {"wheel": "from the wheel", "kept": "kept from an earlier run", "compiled": "compiled now"}


def _conditions(run: DeviceRun) -> Iterator[tuple[str, str]]:
    before = run.before
    if before is not None:
        told = [
            text
            for text in (
                None if before.sm_clock_mhz is None else f"{before.sm_clock_mhz} MHz",
                None if before.temperature_celsius is None else f"{before.temperature_celsius} °C",
                None if before.power_w is None else f"{before.power_w:.0f} W",
                None if before.processes is None else f"other processes: {before.processes}",
            )
            if text is not None
        ]
        if told:
            yield "before", ", ".join(told)
    during = None if run.host_idle is None else run.host_idle.during
    if during is not None:
        clocks = (
            f"{during.sm_clock_mhz_low} to {during.sm_clock_mhz_high} MHz"
            if during.sm_clock_mhz_low
            else None
        )
        heat = None if during.temperature_celsius_high is None else f"{during.temperature_celsius_high} °C"
        power = None if during.power_w is None else f"{during.power_w:.0f} W"
        bad = [reason for reason in during.throttle_reasons or () if reason not in HARMLESS]
        held = f"held down by {', '.join(bad)}" if bad else None
        told = [text for text in (clocks, heat, power, held) if text is not None]
        if told:
            yield "during", ", ".join(told)


def _rate(rate: DeviceRate | None) -> str:
    return "–" if rate is None else _number(rate.events_per_s)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
