"""Published rows of one model → one figure: sites are witnesses, the family model (without that model) is one more.

The model of the errors: a model of processor has a true mean, known beforehand as well as the family model knows it; each
site's machines differ from it by `SITE_SIGMA` (BIOS, memory, cooling, who measured), and so will the node in question.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from capacity.hs06.design import HS06_RATIO
from capacity.hs06.family import Prediction
from capacity.hs06.model import CpuDescription
from capacity.hs06.rows import Row

SITE_SIGMA = 0.04
"""Spread of one configuration between sites; two sites differ by √2 of it, 5.7 % (HEPiX table: 6 %)."""
COUNT_SIGMA = 0.03
"""More, where the number of sockets differs."""
SIBLING_SIGMA = 0.02
"""More, where a variant on the same silicon was measured (EPYC 7302P for a 7302)."""
HS06_FLOOR = 0.07
"""A score that was converted from HS06 is not known better than this (benchmarks.md d)."""
_UNPAIRED_HS06_SIGMA = 0.15
_MEMORY_ALIKE = 4 / 3
"""Memory sizes within this factor are taken for the same population; half of the channels gives a factor of two."""
_MEMORY_EFFECT = 0.05
"""How much populations differ beforehand: half of the channels cost 8 and 16 % (Gold 6140, HEPiX SL6 table)."""
_MEMORY_NOISE = 0.03
"""Spread of nodes of one site and configuration, of which such a comparison has two or three."""
_OUTLYING = 1.5
"""Sigmas from which on a site's weight falls (Huber)."""


class Pool(NamedTuple):
    """A pooled score.

    Attributes:
        log_score: ln(HS23 per CPU).
        sigma: of a further node of this configuration.
        rows: that count.
        family_weight: share of the family model in it.
        memory_shift: part of log_score that is due to memory like the node's.
    """

    log_score: float
    sigma: float
    rows: tuple[Row, ...]
    family_weight: float
    memory_shift: float


class _Witness(NamedTuple):
    score: float
    sigma: float
    rows: tuple[Row, ...]


def pool(candidates: Iterable[Row], key: str, cpu: CpuDescription, family: Prediction | None) -> Pool:
    """Pool rows of one model and SMT state.

    Args:
        candidates: at least one row.
        key: of the node's processor.
        cpu: the node; rows of one site with memory like its own and unlike it tell what that memory is worth.
        family: ln(HS23 per CPU) by a family model that has not seen these rows.
    """
    sites = _by_site(candidates)
    witnesses = [_witness(group, key, cpu) for group in sites]
    prior, prior_precision = (family.log_score, 1 / family.sigma**2) if family else (0.0, 0.0)
    weights = _weights(witnesses)
    total = math.fsum(weights) + prior_precision
    told = math.fsum(p * w.score for p, w in zip(weights, witnesses, strict=True))
    shift = _memory_shift(sites, cpu)
    middle = (told + prior_precision * prior) / total + shift
    return Pool(
        middle,
        math.sqrt(_between(witnesses, weights) + 1 / total),
        tuple(row for w in witnesses for row in w.rows),
        prior_precision / total,
        shift,
    )


def per_cpu(row: Row) -> float:
    """HS23 per CPU of a row; of an HS06 row by the mean ratio of its table."""
    if row.hs23_per_core is not None:
        return row.hs23_per_core
    return (row.hs06_total or 0.0) / row.logical_cpus * HS06_RATIO.get(row.table, HS06_RATIO["SL6"])[0]


def site_of(row: Row) -> str:
    """`IHEP` and `IHEP-new`, `CA-UVic-Cloud` and `CA_UVic_Cloud` are one site."""
    return row.site.split(" ")[0].replace("_", "-").removesuffix("-new")


def _weights(witnesses: Sequence[_Witness]) -> list[float]:
    """Precisions, less for sites that are far from where the sites agree (Huber)."""
    middle = _median([w.score for w in witnesses])
    weights: list[float] = []
    for _ in range(10):
        far = [abs(w.score - middle) / w.sigma for w in witnesses]
        weights = [
            min(1.0, _OUTLYING / f if f else 1.0) / w.sigma**2 for f, w in zip(far, witnesses, strict=True)
        ]
        middle = math.fsum(p * w.score for p, w in zip(weights, witnesses, strict=True)) / math.fsum(weights)
    return weights


def _between(witnesses: Sequence[_Witness], weights: Sequence[float]) -> float:
    """Variance between sites; the known one counts as three sites, as two that agree by chance prove little."""
    total = math.fsum(weights)
    mean = math.fsum(p * w.score for p, w in zip(weights, witnesses, strict=True)) / total
    seen = math.fsum(p * (w.score - mean) ** 2 for p, w in zip(weights, witnesses, strict=True)) / total
    n = len(witnesses)
    return (3 * SITE_SIGMA**2 + n * seen) / (3 + n - 1)


def _by_site(candidates: Iterable[Row]) -> list[list[Row]]:
    sites: dict[str, list[Row]] = defaultdict(list)
    for row in candidates:
        sites[site_of(row)].append(row)
    return list(sites.values())


def _witness(group: Sequence[Row], key: str, cpu: CpuDescription) -> _Witness:
    """One site's rows of the model: their median, whatever their memory."""
    first = group[0]
    variance = SITE_SIGMA**2
    variance += COUNT_SIGMA**2 if first.logical_cpus != cpu.logical_cpus else 0.0
    variance += SIBLING_SIGMA**2 if first.key != key else 0.0
    if first.table != "HS23":
        variance += max(HS06_RATIO.get(first.table, (0.0, _UNPAIRED_HS06_SIGMA))[1], HS06_FLOOR) ** 2
    return _Witness(_median([math.log(per_cpu(row)) for row in group]), math.sqrt(variance), tuple(group))


def _memory_shift(sites: Iterable[Sequence[Row]], cpu: CpuDescription) -> float:
    """Ln of what nodes populated like this one score above their site's others; 0 where no site published both.

    Within a site all else is equal, so the comparison holds even where the scores themselves are of HS06.
    """
    shifts = []
    for group in sites:
        alike = [math.log(per_cpu(row)) for row in group if _alike(row, cpu)]
        if alike and len(alike) < len(group):
            shifts.append(_median(alike) - _median([math.log(per_cpu(row)) for row in group]))
    known = len(shifts) / (_MEMORY_NOISE**2)
    return math.fsum(shifts) / len(shifts) * known / (known + 1 / _MEMORY_EFFECT**2) if shifts else 0.0


def _alike(row: Row, cpu: CpuDescription) -> bool:
    memory = cpu.memory_bytes / 2**30 if cpu.memory_bytes else None
    return bool(
        memory and row.memory_gib and max(memory / row.memory_gib, row.memory_gib / memory) < _MEMORY_ALIKE
    )


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
