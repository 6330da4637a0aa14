"""pflow at length: beside the reference at every pile-up, and within its ranges on the events of a benchmark and others."""

from __future__ import annotations

import pytest

from payloads import compiled
from payloads.arrays import Arrays, one_event
from payloads.kernels.pflow import physics, reference
from tests.unit.payloads.kernels import judged

pytestmark = pytest.mark.lab

KERNEL = "pflow"
MANIFEST = judged.manifest_of(KERNEL)


def sample(name: str, section: str, seed: int) -> Arrays:
    run = MANIFEST[name]
    return compiled.simulate(section, run["pile_up"], seed, 0, run["count"])


@pytest.mark.parametrize(
    ("section", "pile_up"),
    [("calorimeters", 0), ("calorimeters", 60), ("calorimeters", 140), ("singles", 60)],
)
def test_events_have_the_candidates_of_the_reference(section: str, pile_up: int) -> None:
    events = compiled.simulate(section, pile_up, 11, 0, 1)
    (found,) = judged.results_of(KERNEL, events, MANIFEST["settings"])
    expected = reference.reconstruct(one_event(events, 0), MANIFEST["settings"])
    assert physics.differences(expected, found) is None


@pytest.mark.parametrize("other", [0, 501])
def test_events_of_a_benchmark_are_within_the_ranges(other: int) -> None:
    events = sample("events", MANIFEST["section"], other or MANIFEST["events"]["seed"])
    singles = sample("singles", MANIFEST["singles"]["section"], other or MANIFEST["singles"]["seed"])
    found = physics.measure(events, judged.results_of(KERNEL, events, MANIFEST["settings"]))
    found |= physics.measure_singles(singles, judged.results_of(KERNEL, singles, MANIFEST["settings"]))
    assert judged.outside(KERNEL, found) == set()


def test_every_width_of_every_variant_gives_the_same_bits_at_full_size() -> None:
    run = MANIFEST["events"]
    events = sample("events", MANIFEST["section"], run["seed"])
    digests = judged.digests_of(KERNEL, events, run["count"])
    assert len(set(digests.values())) == 1, digests
