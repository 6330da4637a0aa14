"""eseeding at length: beside the reference on crowded events, and within its ranges on the events of a benchmark."""

from __future__ import annotations

import tomllib

import pytest

from payloads import compiled
from payloads.arrays import one_event
from payloads.backends.device_code import PAYLOADS
from payloads.kernels.eseeding import physics, reference

pytestmark = pytest.mark.lab

MANIFEST = tomllib.loads((PAYLOADS / "kernels/eseeding/manifest.toml").read_text())


@pytest.mark.parametrize("pile_up", [50, 140])
def test_crowded_events_have_the_seeds_of_the_reference(pile_up: int) -> None:
    events = compiled.simulate("electron", pile_up, 11, 0, 2)
    opened = compiled.open_kernel(compiled.best_variant().name, "eseeding", events, MANIFEST["settings"])
    for i in range(2):
        opened.process(i)
        expected = reference.reconstruct(one_event(events, i), MANIFEST["settings"])
        assert physics.differences(expected, opened.results()) is None


def test_events_of_a_benchmark_are_within_the_ranges() -> None:
    run = MANIFEST["events"]
    events = compiled.simulate(MANIFEST["section"], run["pile_up"], run["seed"], 0, run["count"])
    opened = compiled.open_kernel(compiled.best_variant().name, "eseeding", events, MANIFEST["settings"])
    results = []
    for event in range(opened.events):
        opened.process(event)
        results.append(opened.results())
    found = physics.measure(events, results)
    allowed = MANIFEST["physics"]
    assert [n for n, v in found.items() if not allowed[n]["low"] <= v <= allowed[n]["high"]] == []
