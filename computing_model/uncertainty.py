"""Uncertainty of a plan: probabilities and ranges of the assumptions carried to the needs by seeded samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from computing_model.cpu import khs06_years
from computing_model.errors import ModelError
from computing_model.inputs.uncertain import Between, Factor, Success
from computing_model.numbers import Array, leaves
from computing_model.parameters import Parameters
from computing_model.plan import Plan, plan

MAX_SAMPLES = 1_000_000
_CHUNK = 3_000
"""Samples computed at once: more bring nothing, and what a plan holds meanwhile stays within 100 MB."""
QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)

RESOURCES: dict[str, Callable[[Plan], Array]] = {
    "cpu_khs06_years": lambda made: made.shown(khs06_years(made.work.total_hs06_s)),
    "disk_pb": lambda made: made.shown(made.volumes.disk_total_pb),
    "tape_pb": lambda made: made.shown(made.volumes.tape_total_pb),
}
"""Resource, with its unit → need of the years shown, shape (years,) or (samples, years)."""


class Bands(NamedTuple):
    """Needs as distributions.

    Attributes:
        years: shown.
        quantiles: resource → shape (len(QUANTILES), years).
        covered: resource → share of samples in which the flat budget of the same sample covers the need; (years,).
            Tape is absent where no origin is given.
        samples: how many.
        seed: of the generator.
    """

    years: tuple[int, ...]
    quantiles: dict[str, Array]
    covered: dict[str, Array]
    samples: int
    seed: int


def expand(parameters: Parameters, prefix: str) -> tuple[str, ...]:
    """Keys of the numbers that a key or the beginning of keys stands for.

    Raises:
        ModelError: there is none.
    """
    known = dict(leaves(parameters))
    found = tuple(key for key in known if key == prefix or key.startswith(f"{prefix}."))
    if not found:
        raise ModelError(f"uncertain: there is no number {prefix!r} among the assumptions")
    return found


def draw(parameters: Parameters, samples: int, seed: int) -> dict[str, Array]:
    """Values of all uncertain numbers, shape (samples,) each; the same seed gives the same values.

    Lines of R&D that share a key multiply: 1 - Π(1 - r) over those that succeed, in place of the scenario's value.

    Raises:
        ModelError: no number has such a key, or the number of samples is out of bounds.
    """
    if not 1 <= samples <= MAX_SAMPLES:
        raise ModelError(f"samples: between 1 and {MAX_SAMPLES}, got {samples}")
    generator = np.random.Generator(np.random.Philox(seed))
    known = dict(leaves(parameters))
    left: dict[str, Array] = {}
    drawn: dict[str, Array] = {}
    for entry in parameters.uncertain:
        if isinstance(entry, Success):
            happens = generator.random(samples) < entry.probability
            for key in _keys(parameters, entry):
                left[key] = left.get(key, np.ones(samples)) * np.where(happens, 1 - entry.reduction, 1.0)
        elif isinstance(entry, Factor):
            factor = np.exp(_log_middle(entry) + _log_sigma(entry) * generator.standard_normal(samples))
            for key in _keys(parameters, entry):
                drawn[key] = drawn.get(key, known[key]) * factor
        else:
            values = generator.uniform(entry.low, entry.high, samples)
            for key in _keys(parameters, entry):
                drawn[key] = values
    return drawn | {key: 1 - value for key, value in left.items()}


def ends(
    parameters: Parameters, entry: Success | Factor | Between
) -> tuple[dict[str, float], dict[str, float]]:
    """What an entry alone makes of its numbers at its low and its high end; for `Success`: fails, succeeds.

    Other lines of R&D on the same key keep their weighted share, so that the change is the line's own.
    """
    known = dict(leaves(parameters))
    keys = _keys(parameters, entry)
    if isinstance(entry, Factor):
        return {key: known[key] * entry.low for key in keys}, {key: known[key] * entry.high for key in keys}
    if isinstance(entry, Between):
        return dict.fromkeys(keys, entry.low), dict.fromkeys(keys, entry.high)
    fails, succeeds = {}, {}
    for key in keys:
        others = 1.0
        for other in parameters.uncertain:
            if isinstance(other, Success) and other is not entry and key in _keys(parameters, other):
                others *= 1 - other.probability * other.reduction
        fails[key], succeeds[key] = 1 - others, 1 - others * (1 - entry.reduction)
    return fails, succeeds


def bands(parameters: Parameters, samples: int = 10_000, seed: int = 1) -> Bands:
    """Quantiles of each need and the chance that the flat budget covers it.

    Raises:
        ModelError: see `draw` and `plan`.
    """
    drawn = draw(parameters, samples, seed)
    needs: dict[str, list[Array]] = {name: [] for name in RESOURCES}
    covered: dict[str, Array] = {}
    years: tuple[int, ...] = ()
    for first, last in _chunks(samples):
        made = plan(parameters, {key: values[first:last] for key, values in drawn.items()})
        years = made.years
        supply = {
            "cpu_khs06_years": made.supply.cpu_khs06.middle,
            "disk_pb": made.supply.disk_pb.middle,
            "tape_pb": None if made.supply.tape_pb is None else made.supply.tape_pb.middle,
        }
        for name, need_of in RESOURCES.items():
            need = np.broadcast_to(need_of(made), (last - first, len(years)))
            needs[name].append(need.astype(np.float32))
            offer = supply[name]
            if offer is not None:
                covered[name] = covered.get(name, np.zeros(len(years))) + (need <= made.shown(offer)).sum(
                    axis=0
                )
    quantiles = {name: _quantiles(parts) for name, parts in needs.items()}
    return Bands(years, quantiles, {name: count / samples for name, count in covered.items()}, samples, seed)


def _quantiles(parts: list[Array]) -> Array:
    whole = np.concatenate(parts)
    result: Array = np.quantile(whole, QUANTILES, axis=0, overwrite_input=True).astype(float)
    return result


def _chunks(samples: int) -> Iterator[tuple[int, int]]:
    for first in range(0, samples, _CHUNK):
        yield first, min(first + _CHUNK, samples)


def _keys(parameters: Parameters, entry: Success | Factor | Between) -> tuple[str, ...]:
    return tuple(key for prefix in entry.keys for key in expand(parameters, prefix))


def _log_middle(entry: Factor) -> float:
    return float(np.log(entry.low * entry.high) / 2)


def _log_sigma(entry: Factor) -> float:
    return float(np.log(entry.high / entry.low) / 2)
