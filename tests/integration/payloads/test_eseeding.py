"""eseeding at length: beside the reference on crowded events, and within its ranges on the events of a benchmark."""

from __future__ import annotations

import pytest

from payloads import compiled
from payloads.arrays import one_event
from payloads.kernels.eseeding import physics, reference
from tests.unit.payloads.kernels import judged

pytestmark = pytest.mark.lab

KERNEL = "eseeding"
MANIFEST = judged.manifest_of(KERNEL)


@pytest.mark.parametrize("pile_up", [50, 140])
def test_crowded_events_have_the_seeds_of_the_reference(pile_up: int) -> None:
    events = compiled.simulate("electron", pile_up, 11, 0, 2)
    for i, found in enumerate(judged.results_of(KERNEL, events, MANIFEST["settings"])):
        expected = reference.reconstruct(one_event(events, i), MANIFEST["settings"])
        assert physics.differences(expected, found) is None


def test_events_of_a_benchmark_are_within_the_ranges() -> None:
    run = MANIFEST["events"]
    events = compiled.simulate(MANIFEST["section"], run["pile_up"], run["seed"], 0, run["count"])
    found = physics.measure(events, judged.results_of(KERNEL, events, MANIFEST["settings"]))
    assert judged.outside(KERNEL, found) == set()
