"""How far the estimates of the shipped table are off where the table itself holds the truth: leave-one-out errors.

Errors are ln(published / estimated) per logical CPU; 0.08 is 8 %.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from capacity.hs06 import pooling, processors
from capacity.hs06.catalogue import Catalogue
from capacity.hs06.estimate import Estimator
from capacity.hs06.family import FamilyModel, Prediction
from capacity.hs06.model import CpuDescription, NodeEvidence
from capacity.hs06.rows import Row, describe


class Error(NamedTuple):
    """One configuration or row that was predicted without itself.

    Attributes:
        log_ratio: ln(published / estimated).
        sigma: what the estimate claimed.
    """

    cpu_model: str
    microarchitecture: str
    smt_on: bool
    logical_cpus: int
    site: str
    published_hs23_per_core: float
    estimated_hs23_per_core: float
    log_ratio: float
    sigma: float


class Report(NamedTuple):
    """Errors of one method."""

    what: str
    errors: tuple[Error, ...]

    @property
    def rms(self) -> float:
        """Root mean square of the relative errors."""
        return math.sqrt(math.fsum(e.log_ratio**2 for e in self.errors) / len(self.errors))

    @property
    def median(self) -> float:
        """Median of the absolute relative errors."""
        return sorted(abs(e.log_ratio) for e in self.errors)[len(self.errors) // 2]

    @property
    def coverage(self) -> float:
        """Share of the truths inside the 68 % interval."""
        return sum(abs(e.log_ratio) <= e.sigma for e in self.errors) / len(self.errors)

    @property
    def worst(self) -> Error:
        """The largest error."""
        return max(self.errors, key=lambda error: abs(error.log_ratio))

    def by_microarchitecture(self) -> dict[str, Report]:
        """A report for each micro-architecture."""
        found: dict[str, list[Error]] = defaultdict(list)
        for error in self.errors:
            found[error.microarchitecture].append(error)
        return {name: Report(name, tuple(errors)) for name, errors in sorted(found.items())}


def family_without_model(
    catalogue: Catalogue, *, refit: bool = False, only: Collection[str] | None = None
) -> Report:
    """The family model for each published configuration, fitted without its model (all sockets, SMT states and siblings).

    Args:
        catalogue: with the rows.
        refit: fit anew for each model, instead of taking its rows out of the normal equations at fixed robust weights.
        only: the names of processors to do this for; None = all.
    """
    errors = []
    for rows in _configurations(catalogue):
        first = rows[0]
        if only is not None and first.cpu_model not in only:
            continue
        if refit:
            silicon = processors.silicon_of(first.key)
            model = FamilyModel.fit(
                row for row in catalogue.rows if processors.silicon_of(row.key) != silicon
            )
        else:
            model = catalogue.family.without(first.key)
        found = model.of_core(describe(first), smt_on=bool(first.smt_on))
        if found is not None and first.physical_cores:
            per_cpu = found.log_score + math.log(first.physical_cores / first.logical_cpus)
            middle = sorted(row.hs23_per_core or 0.0 for row in rows)[len(rows) // 2]
            errors.append(_error(first, middle, Prediction(per_cpu, found.sigma)))
    return Report("family model, the model left out", tuple(errors))


def lookup_from_other_sites(catalogue: Catalogue) -> Report:
    """The catalogue for each row, all rows of its own site left out; rows that another site published with as many CPUs."""
    return Report(
        "same model, from other sites",
        _lookups(catalogue, lambda row, other: pooling.site_of(row) == pooling.site_of(other)),
    )


def lookup_without_row(catalogue: Catalogue) -> Report:
    """The catalogue for each row, only that row left out: other rows of its site may be twins, so this is the easier test."""
    return Report(
        "same model, the row left out", _lookups(catalogue, lambda row, other: row.number == other.number)
    )


def ladder_without_site(catalogue: Catalogue, sites: Collection[str]) -> Report:
    """The whole ladder for the nodes of sites, each from a table in which its site does not occur."""
    errors = []
    for site in sites:
        rest = Catalogue.of(
            (row for row in catalogue.rows if pooling.site_of(row) != site), catalogue.version
        )
        estimator = Estimator(rest, rest.family)
        for row in (
            row for rows in _configurations(catalogue) for row in rows if pooling.site_of(row) == site
        ):
            cpu = describe(row)
            estimate = estimator.estimate(NodeEvidence(cpu=cpu, scope="node", cores_present=row.logical_cpus))
            found = Prediction(math.log(estimate.hs23_per_core), estimate.sigma)
            errors.append(_error(row, row.hs23_per_core or 0.0, found))
    return Report("whole ladder, the site left out", tuple(errors))


def constant(catalogue: Catalogue, score: float = 10.0) -> Report:
    """What a constant per core is off by."""
    rows = [row for rows in _configurations(catalogue) for row in rows]
    errors = (_error(row, row.hs23_per_core or score, Prediction(math.log(score), 1.0)) for row in rows)
    return Report(f"constant {score:g}", tuple(errors))


def _lookups(catalogue: Catalogue, left_out: Callable[[Row, Row], bool]) -> tuple[Error, ...]:
    errors = []
    for rows in _configurations(catalogue, siblings=True):
        for row in rows:
            others = [other for other in rows if not left_out(row, other)]
            if not others or row.hs23_per_core is None:
                continue
            cpu: CpuDescription = describe(row)
            excluded = {other.number for other in catalogue.rows if left_out(row, other)}
            rung = catalogue.lookup(cpu, exclude=excluded)
            if rung.hs23_per_core and rung.sigma:
                errors.append(
                    _error(row, row.hs23_per_core, Prediction(math.log(rung.hs23_per_core), rung.sigma))
                )
    return tuple(errors)


def _configurations(catalogue: Catalogue, *, siblings: bool = False) -> list[list[Row]]:
    """Dedicated HS23 rows that count, by model (with its siblings if wanted), SMT state and CPU count."""
    found: dict[tuple[str, bool, int], list[Row]] = defaultdict(list)
    for row in catalogue.rows:
        if (
            row.left_out is None
            and row.hs23_total is not None
            and row.smt_on is not None
            and row.physical_cores
        ):
            key = processors.silicon_of(row.key) if siblings else row.key
            found[key, row.smt_on, row.logical_cpus].append(row)
    return list(found.values())


def _error(row: Row, published: float, estimate: Prediction) -> Error:
    return Error(
        row.cpu_model,
        processors.microarchitecture_of(describe(row)) or "stranger",
        bool(row.smt_on),
        row.logical_cpus,
        row.site,
        published,
        math.exp(estimate.log_score),
        math.log(published) - estimate.log_score,
        estimate.sigma,
    )


def reports(catalogue: Catalogue, *, refit: bool = False) -> Sequence[Report]:
    """All that are quick enough for a page; `python -m benchmarks.catalogue` adds the whole ladder."""
    return (
        lookup_from_other_sites(catalogue),
        lookup_without_row(catalogue),
        family_without_model(catalogue, refit=refit),
        constant(catalogue),
    )
