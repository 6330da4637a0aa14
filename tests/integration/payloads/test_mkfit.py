"""mkfit at length: beside the reference on a crowded event, and within its ranges on the events of a benchmark."""

from __future__ import annotations

import tomllib

import pytest

from payloads import compiled
from payloads.arrays import one_event
from payloads.backends.device_code import PAYLOADS
from payloads.kernels.mkfit import physics, reference

pytestmark = pytest.mark.lab

MANIFEST = tomllib.loads((PAYLOADS / "kernels/mkfit/manifest.toml").read_text())


def test_a_crowded_event_has_the_tracks_of_the_reference() -> None:
    events = compiled.simulate("tracker", 20, 11, 0, 1)
    opened = compiled.open_kernel(compiled.best_variant().name, "mkfit", events, MANIFEST["settings"])
    opened.process(0)
    expected = reference.reconstruct(one_event(events, 0), MANIFEST["settings"])
    assert physics.differences(expected, opened.results()) is None


@pytest.mark.parametrize("variant", [v.name for v in compiled.variants() if v.usable])
def test_events_of_a_benchmark_are_within_the_ranges(variant: str) -> None:
    run = MANIFEST["events"]
    events = compiled.simulate(MANIFEST["section"], run["pile_up"], run["seed"], 0, run["count"])
    opened = compiled.open_kernel(variant, "mkfit", events, MANIFEST["settings"])
    results = []
    for event in range(opened.events):
        opened.process(event)
        results.append(opened.results())
    found = physics.measure(events, results)
    allowed = MANIFEST["physics"]
    assert [n for n, v in found.items() if not allowed[n]["low"] <= v <= allowed[n]["high"]] == []
