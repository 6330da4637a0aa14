"""The twins written by hand for CUDA: they compile, have the bits of our kernels, and the command that compares says what it must."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.native_cuda import __main__ as native_cuda
from benchmarks.native_cuda import build, cases, compare
from payloads import compiled
from payloads.backends import cubin, nvrtc
from payloads.backends.devices import backends
from tests.unit.payloads.device.conftest import Node

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[4]
DEPRECATED = re.compile(r"nvrtc: warning: Architectures prior to .* are deprecated.*\n?")
CLUE, MKFIT = cases.CASES


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twins' launches, compiled."""
    return build.compile_twins(tmp_path_factory.mktemp("twins"), ("-O1",))


@pytest.fixture(scope="module")
def twins(library: Path) -> Any:
    return build.load_twins(library)


@pytest.mark.parametrize("contracted", [False, True])
@pytest.mark.parametrize("architecture", ["sm_70", "sm_90"])
@pytest.mark.parametrize("kernel", ["clue", "mkfit"])
def test_nvrtc_compiles_them_without_spills(kernel: str, architecture: str, contracted: bool) -> None:
    code = build.twin_code(kernel, architecture, contracted=contracted)
    assert not DEPRECATED.sub("", code.log)
    own = {name: entry for name, entry in cubin.entries(code.code).items() if name.startswith("native_")}
    assert len(own) == (11 if kernel == "clue" else 1)
    for name, entry in own.items():
        assert entry.local_bytes == 0, name
        assert entry.registers <= (64 if kernel == "clue" else 128), name


def test_contraction_is_another_program() -> None:
    exact, contracted = (build.twin_code("mkfit", "sm_90", contracted=one).code for one in (False, True))
    assert exact != contracted


@pytest.mark.parametrize("kernel", ["clue", "mkfit"])
def test_their_text_includes_nothing_of_ours(kernel: str) -> None:
    """But for the words that a C++ compiler lacks."""
    text = (build.HERE / f"{kernel}.cu").read_text()
    assert re.findall(r"^#include .*$", text, re.MULTILINE) == [
        '#include "benchmarks/native_cuda/emulated_words.h"'
    ]
    assert "sitecap::" not in text


@pytest.mark.parametrize("order", [0, 1, 11, 12])
@pytest.mark.parametrize(
    "settings",
    [{}, {"kappa": 20.0}, {"threshold_sigma": 6.0}, {"critical_gev": 0.1, "outlier_factor": 3.0}],
)
def test_clue_has_the_bits_of_our_kernel(twins: Any, settings: dict[str, float], order: int) -> None:
    events = compiled.simulate("hgcal", 5, 5, 0, 3)
    whole = {"link": 0.0, **settings}
    wanted = compiled.open_kernel("scalar", "clue", events, whole).measure(0, 3)[1]
    opened = twins.Emulated(order=order, poison=0x7F).open("clue", events, whole, slots=2)
    assert opened.digest_of(0, 3) == wanted


def test_clue_gives_the_same_columns(twins: Any) -> None:
    events = compiled.simulate("hgcal", 5, 6, 0, 1)
    ours = compiled.open_kernel("scalar", "clue", events, {"link": 0.0})
    twin = twins.Emulated(order=3).open("clue", events, {"link": 0.0})
    ours.process(0)
    twin.process(0)
    wanted, found = ours.results(), twin.results()
    assert found.keys() == wanted.keys()
    assert len(wanted["cluster_x"]) > 100
    for name, column in wanted.items():
        np.testing.assert_array_equal(column, found[name], err_msg=name)


def test_clue_of_an_event_with_hardly_anything(twins: Any) -> None:
    events = dict(compiled.simulate("hgcal", 0, 5, 0, 1))
    events["rechit_sigma_noise"] = np.full_like(events["rechit_sigma_noise"], 100.0)
    settings = {"link": 0.0}
    wanted = compiled.open_kernel("scalar", "clue", events, settings).measure(0, 1)[1]
    assert twins.Emulated().open("clue", events, settings).digest_of(0, 1) == wanted


@pytest.mark.parametrize("order", [0, 1, 11])
@pytest.mark.parametrize("layers", [1.0, 20.0])
def test_mkfit_has_the_bits_of_our_kernel(twins: Any, layers: float, order: int) -> None:
    events = compiled.simulate("tracker", 3, 7, 0, 3)
    settings = {"bare_layers": layers}
    wanted = compiled.open_kernel("scalar", "mkfit", events, settings).measure(0, 3)[1]
    opened = twins.Emulated(order=order, poison=0x7F).open("mkfit", events, settings, slots=2)
    assert opened.digest_of(0, 3) == wanted


@pytest.mark.parametrize(
    ("kernel", "section", "said"),
    [("clue", "hgcal", "set link to 0"), ("mkfit", "tracker", "set bare_layers")],
)
def test_more_than_a_twin_has_is_refused(twins: Any, kernel: str, section: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        twins.Emulated().open(kernel, compiled.simulate(section, 0, 5, 0, 1), {})


def test_an_event_with_more_seeds() -> None:
    events = compiled.simulate("tracker", 1, 7, 0, 1)
    more = cases.with_seeds(events, 3)
    seeds = len(events["seed_x"])
    assert more["seed_offset"].tolist() == [0, 3 * seeds]
    assert len(more["seed_covariance_value"]) == 3 * 21 * seeds
    np.testing.assert_array_equal(more["seed_phi"][seeds : 2 * seeds], events["seed_phi"])
    assert more["hit_x"] is events["hit_x"]


def _command(library: Path, place: Path, *more: str) -> tuple[subprocess.CompletedProcess[str], Any]:
    """The command in a process that has the node's driver; the twins' launches are compiled already."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom benchmarks.native_cuda import __main__ as command\n"
        f"command.compile_twins = lambda folder: Path({str(library)!r})\n"
        "sys.exit(command.main(sys.argv[1:]))"
    )
    arguments = [
        "--rounds",
        "2",
        "--seconds",
        "0",
        "--pile-up",
        "1",
        "--json",
        str(place / "found.json"),
        *more,
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=300, check=False, cwd=REPOSITORY,
    )  # fmt: skip
    path = place / "found.json"
    return done, json.loads(path.read_text()) if path.exists() else None


def test_the_command_on_a_gpu(
    node: Node, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose driver runs every program with the same compiler: the contracted twin is not another one there."""
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvcc
    node()
    done, found = _command(library, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (found["device"], found["wrong"]) == ("Fake H100", [])
    for one, kernel in zip(found["found"], ("clue", "mkfit"), strict=True):
        assert one["kernel"] == kernel
        assert len(set(one["digests"].values())) == 1
        assert list(one["seconds"]) == ["ours", "twin", "twin contracted"]
        assert all(len(rounds) == 2 and min(rounds) > 0 for rounds in one["seconds"].values())
        assert one["difference"] == 0.0
        assert one["missing"] == {
            "ours by nvcc": "there is no nvcc on PATH (it comes with NVIDIA's CUDA toolkit)"
        }
    assert "goal: at most 5 %, aim 2 %; equal bits" in done.stdout
    assert "ours by nvcc    not run: there is no nvcc on PATH" in done.stdout


def test_a_gpu_that_is_lost(
    node: Node, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    node("lost", after=5)
    done, found = _command(library, tmp_path, "clue")
    assert (done.returncode, found) == (1, None)
    assert done.stderr.startswith("native-cuda: cuda device 0 (Fake H100) failed to ")
    assert done.stderr.count("\n") == 1


def test_without_a_gpu_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for backend in backends():
        if any(gpu.reason is None for gpu in backend.gpus):
            pytest.skip(f"this machine has a GPU: {backend.gpus[0].name}")
    assert native_cuda.main([]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("native-cuda: no GPU can be used here: --device cuda:0: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cleu"], "there is no twin of 'cleu'; there are: clue, mkfit"),
        (["--rounds", "0"], "give at least one round"),
        (["--seconds", "nan"], "seconds that are not negative"),
        (["--device", "hip:0"], "--device hip:0 is none of NVIDIA's, write cuda:0"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert native_cuda.main(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_loss_is_that_of_rounds_side_by_side() -> None:
    # the GPU is twice as slow in the second round, for both
    lost = compare.loss([1.05, 2.1, 1.02], [1.0, 2.0, 1.0])
    assert lost["median"] == pytest.approx(0.05)
    assert (lost["low"], lost["high"]) == (pytest.approx(0.02), pytest.approx(0.05))


def test_what_is_wrong() -> None:
    good = {"digests": {"ours": "a", "twin": "a", "twin contracted": "c"}, "difference": 1e-6}
    assert compare.wrong(CLUE, good) == []
    other = {"digests": {"ours": "a", "twin": "b", "ours by nvcc": "c"}, "difference": float("nan")}
    assert compare.wrong(CLUE, other) == [
        "clue: twin has other bits (b) than ours (a)",
        "clue: ours by nvcc has other bits (c) than ours (a)",
        "clue: the contracted twin is nan off, more than 1e-03",
    ]


def test_differences_of_results() -> None:
    def clusters(cluster: list[int], seed: list[int]) -> dict[str, Any]:
        return {"rechit_cluster": np.array(cluster), "cluster_seed": np.array(seed)}

    # another number for the same cluster is no difference; a rechit less in one is
    assert CLUE.difference(clusters([0, 0, 1, -1], [1, 2]), clusters([1, 1, 0, -1], [2, 1])) == 0.0
    assert CLUE.difference(clusters([0, 0, 1, -1], [1, 2]), clusters([0, -1, 1, -1], [1, 2])) == 0.25
    one = np.eye(6)[np.tril_indices(6)]
    other = one.copy()
    other[1] = 0.5
    assert MKFIT.difference({"covariance": one}, {"covariance": other}) == 0.5


def test_nvcc_makes_the_entries_of_nvrtc(tmp_path: Path) -> None:
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc on PATH (it comes with NVIDIA's CUDA toolkit)")
    for kernel in ("clue", "mkfit"):
        made = cubin.entries(build.nvcc_code(kernel, "sm_90", tmp_path))
        assert made.keys() == cubin.entries(nvrtc.compile_kernel(kernel, "sm_90").code).keys()


def test_a_compiler_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(build.CannotBuildError, match=r"ended with 1: .*unrecognized command.line option"):
        build.compile_twins(tmp_path, ("-fno-such-thing",))


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.CannotBuildError, match=r"need a C\+\+ compiler"):
        build.compile_twins(tmp_path)
