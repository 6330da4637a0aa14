"""How good the shipped table's estimates are where the truth is known. Bars of issue 5; no timing here."""

from __future__ import annotations

import math

from capacity.hs06 import validation
from capacity.hs06.catalogue import Catalogue
from capacity.hs06.estimate import Estimator
from capacity.hs06.rows import describe
from tests.unit.capacity.hs06.nodes import node

CATALOGUE = Catalogue.shipped()


def test_same_model_from_other_sites() -> None:
    report = validation.lookup_from_other_sites(CATALOGUE)
    assert len(report.errors) >= 60
    assert report.rms <= 0.06
    assert 0.60 <= report.coverage <= 0.76


def test_same_model_with_one_row_left_out() -> None:
    report = validation.lookup_without_row(CATALOGUE)
    assert len(report.errors) >= 120
    assert report.rms <= 0.06
    # Twins in one rack agree better than sites do, and the interval is that of another site's node.
    assert 0.60 <= report.coverage <= 0.80


def test_family_model_with_the_model_left_out() -> None:
    report = validation.family_without_model(CATALOGUE)
    assert len(report.errors) >= 120
    assert report.rms <= 0.08
    assert 0.60 <= report.coverage <= 0.76


def test_leaving_out_at_fixed_weights_is_close_to_fitting_anew() -> None:
    """On a tenth of the models, as each fit takes a while; `python -m benchmarks.catalogue --refit` does all."""
    quick = {
        (e.cpu_model, e.smt_on, e.logical_cpus): e for e in validation.family_without_model(CATALOGUE).errors
    }
    models = sorted({e.cpu_model for e in quick.values()})[::10]
    slow = validation.family_without_model(CATALOGUE, refit=True, only=models).errors
    assert len(slow) >= 9
    apart = [abs(quick[e.cpu_model, e.smt_on, e.logical_cpus].log_ratio - e.log_ratio) for e in slow]
    assert max(apart) <= 0.04
    assert sum(apart) / len(apart) <= 0.01


def test_every_well_filled_family_is_within_ten_percent() -> None:
    parts = validation.family_without_model(CATALOGUE).by_microarchitecture()
    large = {name: part.rms for name, part in parts.items() if len(part.errors) >= 5}
    assert len(large) >= 9
    assert max(large.values()) <= 0.10, large


def test_families_of_few_models_know_that_they_know_little() -> None:
    parts = validation.family_without_model(CATALOGUE).by_microarchitecture().values()
    thin = [error for part in parts if len(part.errors) <= 5 for error in part.errors]
    assert len(thin) >= 20
    assert sum(abs(error.log_ratio) <= error.sigma for error in thin) / len(thin) >= 0.60
    assert math.sqrt(sum((error.log_ratio / error.sigma) ** 2 for error in thin) / len(thin)) <= 1.3


def test_it_beats_the_constant_tenfold() -> None:
    assert validation.constant(CATALOGUE).rms > 5 * validation.family_without_model(CATALOGUE).rms


def test_sites_that_never_published_are_estimated_within_their_intervals() -> None:
    report = validation.ladder_without_site(CATALOGUE, ("IHEP", "DESY-HH", "PIC", "CC-IN2P3", "GridKa"))
    assert len(report.errors) >= 70
    assert report.rms <= 0.08
    assert 0.60 <= report.coverage <= 0.76


def test_published_virtual_machines_are_inside_their_widened_intervals() -> None:
    estimator = Estimator.shipped()
    machines = [row for row in CATALOGUE.rows if row.virtual]
    assert len(machines) == 3
    for row in machines:
        estimate = estimator.estimate(node(describe(row)))
        assert estimate.low <= (row.hs23_per_core or 0) <= estimate.high, row.cite
