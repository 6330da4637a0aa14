"""Events and results that the tests of a kernel share.

A module that asks for them says ``KERNEL``, and ``CROWDED_EVENTS``: how many of the benchmark's events are `crowded`. `small` are
the first of the reference's events, or those that ``SMALL`` names: pile-up, seed, how many.
"""

from __future__ import annotations

from types import ModuleType

import pytest

from payloads.arrays import Array, Arrays, one_event
from payloads.compiled import simulate
from payloads.parts import FOLDER, load_part
from tests.unit.payloads.kernels import judged


@pytest.fixture(scope="module")
def module(request: pytest.FixtureRequest) -> ModuleType:
    asked: ModuleType = request.module
    return asked


@pytest.fixture(scope="module")
def small(module: ModuleType) -> dict[str, Array]:
    manifest = judged.manifest_of(module.KERNEL)
    otherwise = (manifest["reference"]["pile_up"], manifest["reference"]["seed"], 1)
    pile_up, seed, count = getattr(module, "SMALL", otherwise)
    return simulate(manifest["section"], pile_up, seed, 0, count)


@pytest.fixture(scope="module")
def small_results(module: ModuleType, small: Arrays) -> list[dict[str, Array]]:
    return judged.results_of(module.KERNEL, small)


@pytest.fixture(scope="module")
def expected(module: ModuleType, small: Arrays) -> dict[str, Array]:
    """What the reference makes of the first of `small`."""
    reference = load_part(FOLDER / module.KERNEL, "reference")
    made: dict[str, Array] = reference.reconstruct(
        one_event(small, 0), judged.manifest_of(module.KERNEL)["settings"]
    )
    return made


@pytest.fixture(scope="module")
def crowded(module: ModuleType) -> dict[str, Array]:
    manifest = judged.manifest_of(module.KERNEL)
    run = manifest["events"]
    return simulate(manifest["section"], run["pile_up"], run["seed"], 0, module.CROWDED_EVENTS)


@pytest.fixture(scope="module")
def crowded_results(module: ModuleType, crowded: Arrays) -> list[dict[str, Array]]:
    return judged.results_of(module.KERNEL, crowded)
