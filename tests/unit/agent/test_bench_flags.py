"""Flags of `agent bench` that do not go together, and the kernels of a result that a reader asked for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agent.bench_commands import selected
from agent.bench_flags import contradiction
from payloads.catalogue import UnknownKernelError
from tests.unit.agent.bench_examples import profile, result


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"--quick": True, "--thorough": True}, "--quick and --thorough do not go together"),
        ({"--list": True, "--show": "last"}, "--show and --list do not go together"),
        ({"--json": True, "--format": "html"}, "--json and --format html do not go together"),
        ({"--show": "last", "--budget": 9.0}, "leave --budget out"),
        ({"--show": "last", "--variant": ("a",), "--copies": 1}, "leave --variant and --copies out"),
        ({"--show": ""}, "--show has no name"),
        ({"--list": True, "--json": True}, "leave --json out"),
        ({"--device": "gpu:0", "--copies": 2}, "--device measures on a GPU: leave --copies out"),
        ({"--device": "gpu:0", "--show": "last"}, "--show and --device do not go together"),
        ({"--backend": "cuda", "--variant": ("a",)}, "--backend measures on a GPU: leave --variant out"),
        ({"--backend": "cuda", "--show": "last"}, "--show and --backend do not go together"),
        (
            {"--device": ("gpu:0",), "--backend": "cuda", "--copies": 1},
            "--device measures on a GPU: leave --copies out",
        ),
        ({"--list-backends": True, "KERNEL": ("clue",)}, "leave KERNEL out"),
    ],
)
def test_what_would_be_ignored_in_silence_is_said(given: Mapping[str, object], told: str) -> None:
    assert told in (contradiction(given) or "")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"--quick": True, "--budget": 20.0, "--json": True, "--format": "json", "KERNEL": ("clue",)},
        {"--show": "last", "KERNEL": ("clue",), "--cache": "x", "--output": "y", "--format": "html"},
        {"--list": True, "KERNEL": ("clue",)},
        {"--backend": "cpu", "--copies": 2, "--variant": ("a",)},
        {"--backend": "cuda", "--device": ("gpu:all",), "--quick": True},
        {"--list-backends": True, "--set": ("a=b",)},
    ],
)
def test_flags_that_go_together(given: Mapping[str, object]) -> None:
    assert contradiction(given) is None


def test_named_kernels_of_a_result() -> None:
    whole = profile(result("clue"), result("mkfit"))
    assert selected(whole, ()) == whole
    found = selected(whole, ("mkfit",))
    assert [one.kernel for one in found.payloads] == ["mkfit"]
    assert found.bench == whole.bench


def test_a_kernel_that_a_result_does_not_hold() -> None:
    with pytest.raises(UnknownKernelError, match="no kernel 'mkfit'; it holds: clue"):
        selected(profile(result("clue")), ("clue", "mkfit"))
