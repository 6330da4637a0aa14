"""The state of a GPU while something is measured on it: clocks, heat, power, throttling, and who else uses it.

What is not told is None. One look takes a millisecond or so; a thread looks several times a second, since clocks fall within
seconds of a load.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Self

LOOK_EVERY_S = 0.1

PATIENCE_S = 2.0
"""For a look that is under way when the measurement ends; a library that hangs is left with its thread."""

LEAST_ENERGY_S = 0.5
"""A board's counter of energy moves some ten times a second: over less, its steps would be what is told."""

HARMLESS = frozenset({"gpu_idle", "applications_clocks_setting"})
"""Reasons for a clock below the highest that are no disturbance: no work, and what the site has set."""


@dataclass(frozen=True, kw_only=True)
class GpuSnapshot:
    """One moment.

    Attributes:
        at: monotonic clock, s.
        sm_clock_mhz: of the multiprocessors.
        memory_clock_mhz: of the memory.
        temperature_celsius: of the chip.
        power_w: of the whole board, as it averages it (over up to a second).
        energy_j: of the whole board since its driver was loaded; before Volta it is not told.
        throttle_reasons: why the clock is below its highest.
        processes: identifiers of all that compute on it, ours included; empty in many containers.
        memory_used_bytes: by all of them and the driver.
    """

    at: float
    sm_clock_mhz: int | None
    memory_clock_mhz: int | None
    temperature_celsius: int | None
    power_w: float | None
    energy_j: float | None
    throttle_reasons: tuple[str, ...] | None
    processes: tuple[int, ...] | None
    memory_used_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class GpuSpell:
    """What happened between the first and the last of some looks.

    Attributes:
        seconds: between them.
        sm_clock_mhz_low: least that was seen.
        sm_clock_mhz_high: greatest.
        temperature_celsius_high: greatest.
        energy_j: of the board, by its counter, else by its power; None for a spell too short to tell.
        throttle_reasons: all that were seen, sorted.
        processes_most: most processes at a time, ours included.
    """

    seconds: float
    sm_clock_mhz_low: int | None
    sm_clock_mhz_high: int | None
    temperature_celsius_high: int | None
    energy_j: float | None
    throttle_reasons: tuple[str, ...] | None
    processes_most: int | None


def spell_of(looks: Sequence[GpuSnapshot]) -> GpuSpell | None:
    """Some looks, in the order of time, as one spell; None if there are none."""
    if not looks:
        return None
    clocks = [one.sm_clock_mhz for one in looks if one.sm_clock_mhz is not None]
    reasons = [set(one.throttle_reasons) for one in looks if one.throttle_reasons is not None]
    return GpuSpell(
        seconds=looks[-1].at - looks[0].at,
        sm_clock_mhz_low=min(clocks, default=None),
        sm_clock_mhz_high=max(clocks, default=None),
        temperature_celsius_high=max(
            (one.temperature_celsius for one in looks if one.temperature_celsius is not None), default=None
        ),
        energy_j=_energy(looks),
        throttle_reasons=tuple(sorted(set().union(*reasons))) if reasons else None,
        processes_most=max((len(one.processes) for one in looks if one.processes is not None), default=None),
    )


def _energy(looks: Sequence[GpuSnapshot]) -> float | None:
    first, last = looks[0], looks[-1]
    if last.at - first.at < LEAST_ENERGY_S:
        return None
    if first.energy_j is not None and last.energy_j is not None:
        return last.energy_j - first.energy_j if last.energy_j > first.energy_j else None
    joules = 0.0
    for one, after in pairwise(looks):
        if one.power_w is None or after.power_w is None:
            return None
        joules += (one.power_w + after.power_w) / 2 * (after.at - one.at)
    return joules or None


class Watching:
    """Looks at a GPU until the context is left; a look that hangs costs the spell only.

    Args:
        look: at the GPU now; None = there is nobody to ask.

    Attributes:
        spell: what happened; None where nobody told, or while it lasts.
    """

    def __init__(self, look: Callable[[], GpuSnapshot] | None) -> None:
        self.spell: GpuSpell | None = None
        self._look = look
        self._looks: list[GpuSnapshot] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if self._look is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._look is None:
            return
        self._over.set()
        self._thread.join(PATIENCE_S)
        if not self._thread.is_alive():
            self.spell = spell_of(self._looks)

    def _watch(self) -> None:
        assert self._look is not None
        ended = False
        while not ended:
            ended = self._over.is_set()  # once more after the end
            self._looks.append(self._look())
            self._over.wait(LOOK_EVERY_S)


def remarks(before: GpuSnapshot | None, during: GpuSpell | None) -> list[str]:
    """What a reader of the figures must know about how they came about, one sentence each.

    Args:
        before: the GPU before it was given work.
        during: while it was measured.
    """
    said = []
    if before is not None and before.processes:
        number = len(before.processes)
        said.append(
            f"{number} other {'process was' if number == 1 else 'processes were'} on the GPU before we came"
        )
    elif during is not None and (during.processes_most or 0) > 1:
        said.append(f"up to {during.processes_most} processes were on the GPU while it was measured")
    if during is not None:
        bad = [name for name in during.throttle_reasons or () if name not in HARMLESS]
        if bad:
            said.append(f"the GPU held its clock down: {', '.join(bad)}")
    return said
