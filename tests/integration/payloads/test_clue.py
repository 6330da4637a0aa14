"""CLUE at a benchmark's size: the whole event set, the reference at high pile-up, equal bits of all variants."""

from __future__ import annotations

import tomllib

import pytest

from payloads.arrays import Arrays, one_event
from payloads.backends.device_code import PAYLOADS
from payloads.compiled import best_variant, open_kernel, simulate, variants
from payloads.kernels.clue.physics import differences, measure
from payloads.kernels.clue.reference import reconstruct

pytestmark = pytest.mark.lab

MANIFEST = tomllib.loads((PAYLOADS / "kernels/clue/manifest.toml").read_text())


def benchmark_events(seed: int) -> Arrays:
    run = MANIFEST["events"]
    return simulate("hgcal", run["pile_up"], seed, 0, run["count"])


@pytest.mark.parametrize("seed", [MANIFEST["events"]["seed"], 501])
def test_a_benchmark_is_within_its_ranges(seed: int) -> None:
    events = benchmark_events(seed)
    kernel = open_kernel(best_variant().name, "clue", events, MANIFEST["settings"])
    results = []
    for event in range(kernel.events):
        kernel.process(event)
        results.append(kernel.results())
    metrics = measure(events, results)
    allowed = MANIFEST["physics"]
    assert metrics.keys() == allowed.keys()
    wrong = {
        name: value
        for name, value in metrics.items()
        if not allowed[name]["low"] <= value <= allowed[name]["high"]
    }
    assert not wrong


def test_every_width_of_every_variant_gives_the_same_bits_at_full_size() -> None:
    events = benchmark_events(MANIFEST["events"]["seed"])
    digests = {
        (variant.name, lanes): open_kernel(variant.name, "clue", events, MANIFEST["settings"], lanes).measure(
            0, MANIFEST["events"]["count"]
        )[1]
        for variant in variants()
        if variant.usable
        for lanes in (1, 0)
    }
    assert len(set(digests.values())) == 1, digests


@pytest.mark.parametrize(("pile_up", "seed"), [(0, 1), (60, 5), (140, 5)])
def test_the_reference_agrees_at_every_pile_up(pile_up: float, seed: int) -> None:
    events = simulate("hgcal", pile_up, seed, 0, 1)
    kernel = open_kernel(best_variant().name, "clue", events, MANIFEST["settings"])
    kernel.process(0)
    expected = reconstruct(one_event(events, 0), MANIFEST["settings"])
    assert differences(expected, kernel.results()) is None
