"""The archspec name of a processor from facts already read, and why not a better one. A library for probes.

archspec's own detection reads the machine it runs on, which a replayed recording must not do. So only its
table of targets is used here, with the rules of compatibility of its detection.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

FAMILIES = {"x86_64": "x86_64", "aarch64": "aarch64", "ppc64le": "ppc64le", "ppc64": "ppc64"}
"""uname -m → root of archspec's tree."""


@dataclass(frozen=True, kw_only=True)
class Processor:
    """What archspec needs to know.

    Attributes:
        machine: as uname -m says.
        vendor: as archspec spells it ("AuthenticAMD", "ARM"); None if the processor does not say.
        features: flags of /proc/cpuinfo.
        generation: POWER only, 9 for POWER9.
        part: ARM only, "0xd0c".
    """

    machine: str
    vendor: str | None
    features: frozenset[str]
    generation: int = 0
    part: str | None = None


@dataclass(frozen=True, kw_only=True)
class Match:
    """The best target, and the next better ones with the features missing for each."""

    name: str
    next_targets: tuple[tuple[str, tuple[str, ...]], ...]


def arm_vendor(implementer: str) -> str | None:
    """Name of an ARM implementer code such as "0x41", None if archspec does not know it."""
    from archspec.cpu.schema import TARGETS_JSON  # noqa: PLC0415 - the agent must start without the table

    name = TARGETS_JSON["conversions"]["arm_vendors"].get(implementer)
    return None if name is None else str(name)


def match(processor: Processor) -> Match | None:
    """Find the best target; None for an architecture that we have no rule for."""
    from archspec.cpu import TARGETS  # noqa: PLC0415

    family = FAMILIES.get(processor.machine)
    if family is None:
        return None
    root = TARGETS[family]
    features = set(processor.features)
    if "ssse3" in features:
        features.add("sse3")  # Linux calls it pni; archspec adds it the same way
    tree = [target for target in TARGETS.values() if target == root or root in target.ancestors]
    fitting = [target for target in tree if _fits(target, processor, features, root)] or [root]
    best = _best(fitting, processor)
    return Match(name=str(best), next_targets=tuple(_next(tree, best, fitting, processor, features)))


def _fits(target: Any, processor: Processor, features: Collection[str], root: Any) -> bool:  # noqa: ANN401
    if processor.machine.startswith("ppc"):
        return bool(target.generation <= processor.generation)
    if processor.machine == "aarch64" and target.vendor == "generic" and target != root:
        return False  # nothing in /proc/cpuinfo proves a version of the architecture
    return target.vendor in (processor.vendor, "generic") and target.features <= features


def _depth(target: Any) -> tuple[int, int]:  # noqa: ANN401
    return len(target.ancestors), len(target.features)


def _best(fitting: list[Any], processor: Processor) -> Any:  # noqa: ANN401
    """The deepest target below the best generic one, so that one masked feature does not cost a level."""
    generic = max((target for target in fitting if target.vendor == "generic"), key=_depth)
    same_part = [target for target in fitting if processor.part and target.cpu_part == processor.part]
    candidates = [target for target in same_part or fitting if target > generic]
    return max(candidates, key=_depth, default=generic)


def _next(
    tree: list[Any],
    best: Any,  # noqa: ANN401
    fitting: list[Any],
    processor: Processor,
    features: Collection[str],
) -> list[tuple[str, tuple[str, ...]]]:
    if processor.machine in {"ppc64le", "ppc64"}:
        return []  # generations, not features: nothing can be missing
    found = []
    for target in tree:
        known_part = processor.part is not None and target.cpu_part not in ("", processor.part)
        if target in fitting or best not in target.parents or known_part:
            continue
        missing = tuple(sorted(target.features - set(features)))
        if missing and target.vendor in (processor.vendor, "generic"):
            found.append((str(target), missing))
    return sorted(found, key=lambda pair: (len(pair[1]), pair[0]))
