"""Our own elementary functions beside NumPy's in a wider type: errors in units in the last place."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from payloads.arrays import Array

simulation: Any = importlib.import_module("payloads._simulation")
rng = np.random.default_rng(20261122)

# name, lowest and highest argument, NumPy's function
OF_ONE_ARGUMENT = [
    ("sine", -1000.0, 1000.0, np.sin),
    ("cosine", -1000.0, 1000.0, np.cos),
    ("exponential", -80.0, 80.0, np.exp),
    ("logarithm", 1e-6, 1e6, np.log),
]


def errors(values: Array, truth: Array, kind: Any) -> Array:
    """Errors in units in the last place of the type; of results near zero, in those of 1e-2."""
    wide = truth.astype(np.longdouble)
    unit = np.spacing(np.maximum(np.abs(wide), 1e-2).astype(kind)).astype(np.longdouble)
    error: Array = np.abs(values.astype(np.longdouble) - wide) / unit
    return error


@pytest.mark.parametrize(("name", "low", "high", "function"), OF_ONE_ARGUMENT)
def test_single_precision_is_within_two_units(name: str, low: float, high: float, function: Any) -> None:
    x = rng.uniform(low, high, 20000).astype(np.float32).astype(np.float64)
    values = np.array(simulation.in_single(name, x.tolist(), x.tolist()))
    assert errors(values, function(x), np.float32).max() <= 2.0


@pytest.mark.parametrize(("name", "low", "high", "function"), OF_ONE_ARGUMENT)
def test_double_precision_is_within_a_few_units(name: str, low: float, high: float, function: Any) -> None:
    x = np.concatenate([rng.uniform(low, high, 20000), rng.uniform(max(low, 1e-3), 1.0, 20000)])
    values = np.array(simulation.in_double(name, x.tolist(), x.tolist()))
    assert errors(values, function(x.astype(np.longdouble)), np.float64).max() <= 4.0


@pytest.mark.parametrize(
    ("name", "high", "function"),
    [("hyperbolic_sine", 20.0, np.sinh), ("inverse_hyperbolic_sine", 1e4, np.arcsinh)],
)
def test_rapidities_are_good_to_1e_minus_13(name: str, high: float, function: Any) -> None:
    x = np.concatenate([rng.uniform(-high, high, 20000), rng.uniform(-0.2, 0.2, 20000), [0.0]])
    values = np.array(simulation.in_double(name, x.tolist(), x.tolist()))
    np.testing.assert_allclose(values, function(x), rtol=1e-13)


def test_angles_are_right_in_all_quadrants_and_on_the_axes() -> None:
    x, y = rng.normal(size=(2, 20000)).astype(np.float32).astype(np.float64)
    x[:4], y[:4] = [1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]
    truth = np.arctan2(y, x)
    single = np.array(simulation.in_single("arc_tangent", x.tolist(), y.tolist()))
    double = np.array(simulation.in_double("arc_tangent", x.tolist(), y.tolist()))
    assert errors(single, truth, np.float32).max() <= 3.0
    assert errors(double, np.arctan2(y.astype(np.longdouble), x), np.float64).max() <= 3.0
    assert simulation.in_double("arc_tangent", [0.0], [0.0]) == [0.0]


def test_powers_are_good_to_1e_minus_13() -> None:
    base, exponent = rng.uniform(0.01, 100.0, 5000), rng.uniform(-5.0, 5.0, 5000)
    values = np.array(simulation.in_double("power", base.tolist(), exponent.tolist()))
    np.testing.assert_allclose(values, base**exponent, rtol=1e-13)


def test_exponentials_stop_at_the_borders_of_their_range() -> None:
    low, high = simulation.in_double("exponential", [-5000.0, 5000.0], [0.0, 0.0])
    assert 0.0 < low < 1e-300
    assert 1e300 < high < np.inf


def test_unknown_functions_are_refused() -> None:
    with pytest.raises(ValueError, match="no function 'tangent'"):
        simulation.in_double("tangent", [1.0], [1.0])
