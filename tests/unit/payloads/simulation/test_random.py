"""Random numbers: known answers of the generator, and the shapes of what is drawn from it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from scipy import stats

simulation: Any = importlib.import_module("payloads._simulation")

# Random123 1.14, tests/kat_vectors: philox4x32-10
KNOWN = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN)
def test_philox_gives_the_published_answers(counter: list[int], key: list[int], block: list[int]) -> None:
    assert simulation.philox(counter, key) == block


@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("uniform", stats.uniform()),
        ("normal", stats.norm()),
        ("exponential", stats.expon()),
    ],
)
def test_draws_follow_their_distribution(name: str, distribution: Any) -> None:
    assert stats.kstest(simulation.draws(name, 7, 0, 20000), distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [0.02, 0.7, 1.9, 30.0])
def test_gamma_draws_follow_their_distribution(shape: float) -> None:
    values = simulation.draws("gamma", 7, 1, 20000, shape)
    assert stats.kstest(values, stats.gamma(shape).cdf).pvalue > 1e-3


@pytest.mark.parametrize("mean", [0.3, 12.0, 200.0])
def test_poisson_draws_have_mean_and_variance_of_poisson(mean: float) -> None:
    values = np.array(simulation.draws("poisson", 7, 2, 20000, mean))
    assert values.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / len(values)))
    assert values.var() == pytest.approx(mean, rel=5 * np.sqrt((2 + 1 / mean) / len(values)))


def test_items_have_sequences_of_their_own() -> None:
    first, second = (simulation.draws("uniform", 7, item, 1000) for item in (0, 1))
    assert not set(first) & set(second)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.15
