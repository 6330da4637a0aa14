"""The compiled modules: which are there, which may run, what is said of those that may not."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import platform

import archspec.cpu
import pytest

from payloads import compiled
from payloads.arrays import event_count, one_event
from payloads.errors import NotBuiltError

OF_THIS_MACHINE = {
    "x86_64": {"scalar", "x86_64_v2", "x86_64_v3", "x86_64_v4"},
    "aarch64": {"scalar", "neon"},
    "ppc64le": {"scalar", "power8", "power9"},
}


@pytest.fixture
def asked_anew() -> None:
    compiled.variants.cache_clear()


def test_the_installation_has_a_module_for_each_instruction_set_of_this_architecture() -> None:
    found = {variant.name for variant in compiled.variants()}
    assert found == OF_THIS_MACHINE[platform.machine()]


def test_widest_first_and_the_scalar_one_runs_everywhere() -> None:
    lanes = [compiled.load(variant.name).lanes for variant in compiled.variants() if variant.usable]
    assert lanes == sorted(lanes, reverse=True)
    assert compiled.variants()[-1].name == "scalar"
    assert compiled.variants()[-1].usable
    assert sum(variant.is_baseline for variant in compiled.variants()) == 1


@pytest.mark.skipif(platform.machine() != "x86_64", reason="asks for instruction sets of x86")
@pytest.mark.usefixtures("asked_anew")
def test_an_older_processor_gets_the_baseline_and_hears_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archspec.cpu, "host", lambda: archspec.cpu.TARGETS["nehalem"])
    by_name = {variant.name: variant for variant in compiled.variants()}
    compiled.variants.cache_clear()
    assert by_name["x86_64_v2"].usable
    assert not by_name["x86_64_v3"].usable
    assert by_name["x86_64_v3"].reason is not None
    assert "avx2" in by_name["x86_64_v3"].reason


@pytest.mark.usefixtures("asked_anew")
def test_without_compiled_modules_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str, package: str | None = None) -> importlib.machinery.ModuleSpec | None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", none)
    with pytest.raises(NotBuiltError, match=r"install a C\+\+17 compiler"):
        compiled.best_variant()
    compiled.variants.cache_clear()


def test_a_module_that_is_absent_is_named() -> None:
    with pytest.raises(NotBuiltError, match=r"payloads\._cpu_vax is not there"):
        compiled.load("vax")


def test_events_keep_their_bits_wherever_a_run_begins() -> None:
    section = compiled.simulation().sections[0]
    whole = compiled.simulate(section, 5.0, 3, 0, 3)
    second = compiled.simulate(section, 5.0, 3, 1, 1)
    assert event_count(whole) == 3
    for name, column in one_event(second, 0).items():
        assert (column == one_event(whole, 1)[name]).all(), name


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere", 5.0, 1, 0, 1), "no section 'nowhere'"),
        (("pixel", -1.0, 1, 0, 1), "pile_up"),
        (("pixel", float("nan"), 1, 0, 1), "pile_up"),
        (("pixel", 5.0, 1, 0, 0), "at least one event"),
    ],
)
def test_a_simulation_that_makes_no_sense_is_refused(
    arguments: tuple[str, float, int, int, int], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        compiled.simulate(*arguments)
