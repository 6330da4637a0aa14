"""The compiled modules: which there are, which this processor runs, and why the others not."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from payloads.arrays import Array, Arrays
from payloads.errors import NotBuiltError

# Instruction sets from widest to plainest: module, what CMS calls it, archspec's name of what it asks of a processor.
# The scalar one is the yardstick of vectorisation; a baseline is what CMSSW ships to every site.
_KNOWN = (
    ("x86_64_v4", "x86_64_v4"),
    ("x86_64_v3", "x86_64_v3"),
    ("x86_64_v2", "x86_64_v2"),
    ("power9", "power9le"),
    ("power8", "power8le"),
    ("neon", "armv8.1a"),
    ("scalar", None),
)
BASELINES = ("x86_64_v2", "neon", "power8")

NO_KERNELS = "no kernels were compiled: install a C++17 compiler (Debian: g++) and install sitecap again"


class Opened(Protocol):
    """A kernel on a set of events in one thread (payloads/host/payload.h)."""

    events: int
    workspace_bytes: int

    def process(self, event: int) -> None:
        """Reconstruct one event."""

    def results(self) -> dict[str, Array]:
        """Copies of the result of the last event, by name."""
        ...

    def digest(self) -> int:
        """Of the bits of the last result, 64 bits."""
        ...

    def measure(self, first: int, count: int) -> tuple[float, int]:
        """Wall seconds for ``count`` events from ``first`` on, and the digest of all their results."""
        ...

    def stages(self, event: int) -> dict[str, float]:
        """Seconds of one event by stage."""
        ...


@dataclass(frozen=True)
class Variant:
    """One compiled module of the CPU backend.

    Attributes:
        name: ``x86_64_v3``, ``neon``, ``scalar`` …
        usable: whether this processor runs it.
        reason: why not; None if usable.
    """

    name: str
    usable: bool
    reason: str | None = None

    @property
    def is_baseline(self) -> bool:
        """Whether CMSSW ships its binaries for this instruction set."""
        return self.name in BASELINES


class CpuModule(Protocol):
    """A compiled variant (payloads/backends/cpu/module.cpp)."""

    isa: str
    lanes: int
    flags: str
    compiler: str
    kernels: list[str]

    def open(self, kernel: str, events: dict[str, Array], settings: dict[str, float], lanes: int) -> Opened:
        """See ``open_kernel``."""
        ...

    def reference_loop_s(self) -> float:
        """Seconds of the loop that stands for the core's speed now (payloads/host/reference_loop.h)."""
        ...


class SimulationModule(Protocol):
    """The compiled simulation (payloads/simulation/module.cpp)."""

    version: int
    sections: list[str]

    def simulate(
        self, section: str, pile_up: float, seed: int, first_event: int, events: int
    ) -> dict[str, Array]:
        """See ``payloads.compiled.simulate``."""
        ...

    def digest(self, arrays: dict[str, Array]) -> int:
        """Of names and bits of all arrays, 64 bits."""
        ...


def _module(name: str) -> object:
    try:
        return importlib.import_module(f"payloads.{name}")
    except ImportError as error:
        raise NotBuiltError(
            f"the compiled module payloads.{name} is not there ({error}): install a C++17 compiler (Debian: g++) and "
            "install sitecap again, or install the wheel"
        ) from error


def simulation() -> SimulationModule:
    """The module that makes events.

    Raises:
        NotBuiltError: it was not compiled.
    """
    return cast("SimulationModule", _module("_simulation"))


def simulate(
    section: str, pile_up: float, seed: int, first_event: int = 0, events: int = 1
) -> dict[str, Array]:
    """Events of one section of the detector, made now; ``payloads.events`` keeps them.

    Raises:
        NotBuiltError: the simulation was not compiled.
        ValueError: no such section, or a number out of range.
    """
    return simulation().simulate(section, pile_up, seed, first_event, events)


def load(variant: str) -> CpuModule:
    """The module of one instruction set. The caller has asked ``variants`` whether the processor runs it.

    Raises:
        NotBuiltError: it was not compiled.
    """
    return cast("CpuModule", _module(f"_cpu_{variant}"))


def open_kernel(
    variant: str, kernel: str, events: Arrays, settings: Mapping[str, float] | None = None, lanes: int = 0
) -> Opened:
    """A kernel of one variant on these events; ``lanes`` is 1, or 0 for the width of the variant.

    Raises:
        NotBuiltError: the variant was not compiled.
        ValueError: the kernel does not take these events or settings.
    """
    return load(variant).open(kernel, dict(events), dict(settings or {}), lanes)


@functools.cache
def variants() -> tuple[Variant, ...]:
    """All compiled variants, widest first, with those that this processor cannot run."""
    import archspec.cpu  # noqa: PLC0415 - takes 50 ms, and only benches ask

    host = archspec.cpu.host()
    found = []
    for name, needs in _KNOWN:
        if importlib.util.find_spec(f"payloads._cpu_{name}") is None:
            continue
        target = archspec.cpu.TARGETS.get(needs) if needs else None
        if target is None or host >= target or (name == "neon" and host.family.name == "aarch64"):
            found.append(Variant(name, usable=True))
        else:
            missing = sorted(set(target.features) - set(host.features))
            found.append(Variant(name, usable=False, reason=f"this processor lacks {', '.join(missing[:6])}"))
    return tuple(found)


def best_variant() -> Variant:
    """The widest variant that this processor runs.

    Raises:
        NotBuiltError: none was compiled.
    """
    for variant in variants():
        if variant.usable:
            return variant
    raise NotBuiltError(NO_KERNELS)
