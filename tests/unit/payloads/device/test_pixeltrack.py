"""pixeltrack on a device: where it does not do what the CPU does, and pixels that threads join side by side."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from payloads import _device, compiled
from tests.gpu_fake.driver import HERE, PAYLOADS
from tests.unit.payloads.kernels import pixel_toy as toy

pytestmark = pytest.mark.slow

Events = dict[str, Any]
MODULE_ROWS, MODULE_COLUMNS = 160, 416


@pytest.fixture(scope="module")
def events() -> Events:
    return compiled.simulate("pixel", 10, 3, 0, 1)


def _found(events: Events, order: int, **settings: float) -> dict[str, Any]:
    opened = _device.Emulated(block_threads=64, order=order).open("pixeltrack", events, settings)
    opened.process(0)
    return opened.results()


def _counts(found: dict[str, Any]) -> dict[str, int]:
    return {
        "doublets": int(found["count_doublets"][0]),
        "links": int(found["count_links"][0]),
        "tuples": len(found["tuple_offset"]) - 1,
    }


@pytest.mark.parametrize("what", ["doublets", "links", "tuples"])
def test_what_there_is_no_room_for_is_left_out_from_the_end_and_counted(events: Events, what: str) -> None:
    whole = _found(events, 0)
    room = _counts(whole)[what] // 3
    found = _found(events, 5, **{f"max_{what}": room})
    kept = _counts(found)[what]
    assert 0.8 * room < kept <= room
    assert kept + found[f"overflow_{what}"][0] == _counts(whole)[what]
    again = _found(events, 1, **{f"max_{what}": room})
    for name, column in found.items():
        np.testing.assert_array_equal(column, again[name], err_msg=name)
    if what == "tuples":
        np.testing.assert_array_equal(found["tuple_offset"], whole["tuple_offset"][: kept + 1])
        np.testing.assert_array_equal(found["tuple_hit"], whole["tuple_hit"][: found["tuple_offset"][-1]])


@pytest.mark.parametrize("share", [0.05, 0.3, 0.42, 0.9])
def test_clusters_of_any_shape(events: Events, share: float) -> None:
    """Pixels by chance in the corners of two neighbouring modules, from single ones to one cluster of all, out of order."""
    random = np.random.default_rng(7)
    near = [np.argwhere(random.random((60, 40)) < share) for _ in range(2)]
    places = [
        random.permutation(near[0]),
        random.permutation(near[1] + (MODULE_ROWS - 60, MODULE_COLUMNS - 40)),
    ]
    fired = np.concatenate(places).astype(np.uint16)
    cut = {
        **events,
        "digi_module": np.repeat(np.array([3, 4], np.uint16), [len(places[0]), len(places[1])]),
        "digi_row": fired[:, 0].copy(),
        "digi_column": fired[:, 1].copy(),
        "digi_adc": random.integers(20, 400, len(fired)).astype(np.uint16),
        "digi_offset": np.array([0, len(fired)], np.int32),
    }
    cpu = compiled.open_kernel("scalar", "pixeltrack", cut)
    cpu.process(0)
    assert len(cpu.results()["cluster_module"]) > 1
    for order in (0, 1, 9):
        found = _found(cut, order)
        for name, column in cpu.results().items():
            np.testing.assert_array_equal(column, found[name], err_msg=name)


def test_the_phase_2_detector() -> None:
    """More layers, longer tracks, other pixels."""
    particles = toy.make_particles(30, np.random.default_rng(4), max_eta=3.5, min_pt=1.0)
    sample = toy.make_events(toy.phase2(), [particles])
    cpu = compiled.open_kernel("scalar", "pixeltrack", sample, {"phase": 2.0})
    cpu.process(0)
    assert np.diff(cpu.results()["tuple_offset"]).max() > 6
    found = _found(sample, 3, phase=2.0)
    for name, column in cpu.results().items():
        np.testing.assert_array_equal(column, found[name], err_msg=name)


def test_threads_that_join_side_by_side_find_the_same_sets(tmp_path: Path) -> None:
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler: install g++")
    program = tmp_path / "joining"
    options = ["-std=c++17", "-O2", "-pthread", "-Wall", "-Wextra", "-Wno-psabi", "-Werror", f"-I{PAYLOADS}",
               f"-I{PAYLOADS / 'include'}"]  # fmt: skip
    subprocess.run([compiler, *options, "-o", program, HERE / "joining.cpp"], check=True, timeout=300)
    done = subprocess.run([program], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "500 of 500\n", done.stdout + done.stderr
