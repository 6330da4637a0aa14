"""`agent bench` as a user meets it: whole processes around a kernel that tests can break."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agent.bench import _places
from probes.lock import NodeLock, state_directory
from profiles.reading import read_profile, write_profile
from profiles.schema import schema_text
from tests.unit.agent.bench_examples import profile, result

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
AGENT = [sys.executable, "-I", str(ROOT / "tests/unit/payloads/toy/agent.py"), "bench"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}


def bench(*arguments: str, env: dict[str, str], **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*AGENT, *arguments], capture_output=True, text=True, timeout=300, env=env, **more)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The error as the user reads it."""
    assert "Traceback" not in done.stderr + done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith("agent: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def broken(tmp_path: Path) -> Any:
    """A folder of kernels whose toy has other settings."""

    def make(**settings: float) -> str:
        import shutil

        folder = tmp_path / "kernels"
        shutil.copytree(ROOT / "tests/unit/payloads/toy/toy", folder / "toy")
        path = folder / "toy" / "manifest.toml"
        lines = "\n".join(f"{key} = {float(value)}" for key, value in settings.items())
        path.write_text(path.read_text().replace("shift = 0.0", lines))
        return str(folder)

    return make


def test_a_run_measures_shows_and_is_found_again(environment: dict[str, str], tmp_path: Path) -> None:
    done = bench("--budget", "60", "--json", "-o", str(tmp_path / "a.json"), env=environment)
    assert done.returncode == 0, done.stderr
    assert "toy: x86_64_v3" in done.stderr
    assert "repeat 1/" in done.stderr
    assert "left" in done.stderr
    document = (tmp_path / "a.json").read_bytes()
    jsonschema.validate(json.loads(document), json.loads(schema_text()))
    found = read_profile(document)
    (one,) = found.payloads
    assert one.physics.right
    assert one.events_per_s is not None
    assert one.one_copy_events_per_s is not None
    assert one.event_set is not None
    assert one.event_set.digest is not None
    assert one.variants[0].series
    assert found.facts.cores is not None
    assert found.bench is not None
    assert [left.name for left in found.bench.left_out] == ["x86_64_v4"]

    shown = bench("--show", "last", env=environment)
    assert shown.returncode == 0
    assert "toy" in shown.stdout
    assert "right" in shown.stdout
    page = bench("--show", str(tmp_path / "a.json"), "-o", str(tmp_path / "page.html"), env=environment)
    assert page.returncode == 0, page.stderr
    assert "<svg" in (tmp_path / "page.html").read_text()
    compared = bench("compare", str(tmp_path / "a.json"), str(tmp_path / "a.json"), env=environment)
    assert compared.returncode == 0
    assert "1.000" in compared.stdout


def test_an_output_that_cannot_be_written_is_said_before_anything_is_measured(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for place, why in (
        (tmp_path / "a" / "b.json", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        done = bench("--budget", "120", "-o", str(place), env=environment)
        assert done.returncode == 3
        assert f"cannot write {place}: {why}" in one_sentence(done)
        assert "repeat" not in done.stderr


def test_a_result_that_could_not_be_written_is_still_there(environment: dict[str, str]) -> None:
    done = bench("--budget", "60", "-o", "/dev/full", env=environment)
    assert done.returncode == 3
    assert "cannot write /dev/full: No space left on device" in one_sentence(done)
    assert bench("--show", "last", env=environment).returncode == 0


def test_lists(environment: dict[str, str]) -> None:
    listed = bench("--list", env=environment)
    assert listed.returncode == 0
    assert "toy  Sums of numbers" in listed.stdout
    assert "4 events of section numbers at pile-up 50" in listed.stdout
    backends = bench("--list-backends", env=environment)
    assert "x86_64_v4  no: this processor lacks avx512f" in backends.stdout
    assert "intel no: there are no kernels for Intel's GPUs" in backends.stdout


def test_an_unknown_kernel_is_suggested(environment: dict[str, str]) -> None:
    done = bench("tou", env=environment)
    assert done.returncode == 2
    assert "did you mean 'toy'?" in one_sentence(done)


@pytest.mark.parametrize(
    ("name", "told"), [("x86_64_v4", "lacks avx512f"), ("power9", "there are: x86_64_v4, x86_64_v3")]
)
def test_a_variant_that_cannot_be_used_is_wrong_usage(
    environment: dict[str, str], name: str, told: str
) -> None:
    done = bench("--variant", name, env=environment)
    assert done.returncode == 2
    assert told in one_sentence(done)


def test_two_benchmarks_do_not_run_at_once(environment: dict[str, str]) -> None:
    state = state_directory()
    assert state is not None
    (state / "bench").mkdir(mode=0o700)
    with NodeLock(state / "bench", 0):
        done = bench("--set", "lock_wait_s=0", env=environment)
        assert done.returncode == 3
        assert "another agent" in one_sentence(done)
        # a probe of the node does not wait for a benchmark
        probe = subprocess.run(
            [sys.executable, "-I", "-m", "agent", "probe", "cores", "--set", "lock_wait_s=0"],
            capture_output=True, text=True, timeout=60, env=environment,
        )  # fmt: skip
        assert probe.returncode == 0, probe.stderr


def test_more_copies_than_processors_is_wrong_usage(environment: dict[str, str]) -> None:
    done = bench("--copies", "60000", env=environment)
    assert done.returncode == 2
    assert "CPUs to pin copies to" in one_sentence(done)


@pytest.mark.parametrize(
    ("flag", "value", "told"),
    [
        ("--budget", "0", "0.0 is not in the range 1<=x<=86400"),
        ("--budget", "nan", "'nan' is not a number of seconds"),
        ("--budget", "soon", "'soon' is not a number of seconds"),
        ("--copies", "0", "0 is not in the range 1<=x<=65536"),
        ("--copies", "1.5", "'1.5' is not a valid whole number"),
        ("--format", "xml", "'xml' is not one of 'text', 'json', 'html'"),
    ],
)
def test_a_value_that_is_none_is_wrong_usage(
    environment: dict[str, str], flag: str, value: str, told: str
) -> None:
    done = bench(flag, value, env=environment)
    assert done.returncode == 2
    assert f"Invalid value for '{flag}': {told}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


def test_named_kernels_of_an_earlier_result_are_shown(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(write_profile(profile(result("clue"), result("mkfit"))))
    done = bench("--show", str(path), "mkfit", env=environment)
    assert done.returncode == 0, done.stderr
    assert "mkfit" in done.stdout
    assert "clue" not in done.stdout
    strange = bench("--show", str(path), "toy", env=environment)
    assert strange.returncode == 2
    assert "the result holds no kernel 'toy'; it holds: clue, mkfit" in one_sentence(strange)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--show", "last", "--quick"), "leave --quick out"),
        (("--list-backends", "toy"), "leave KERNEL out"),
        (("--quick", "--thorough"), "do not go together"),
    ],
)
def test_a_flag_that_would_be_ignored_is_wrong_usage(
    environment: dict[str, str], arguments: tuple[str, ...], told: str
) -> None:
    done = bench(*arguments, env=environment)
    assert done.returncode == 2
    assert told in one_sentence(done)
    assert done.stdout == ""


def test_a_node_without_compiled_kernels_still_gets_a_profile(environment: dict[str, str]) -> None:
    done = bench("--json", env={**environment, "TOY_NOT_BUILT": "1"})
    assert done.returncode == 3
    assert "install a C++17 compiler" in one_sentence(done)
    found = read_profile(done.stdout.encode())
    assert found.facts.cpu is not None
    assert found.payloads[0].events_per_s is None
    assert "C++17" in (found.payloads[0].reason or "")
    assert found.limits.partial


def test_wrong_physics_is_exit_1_and_has_no_score(environment: dict[str, str], broken: Any) -> None:
    done = bench("--budget", "60", "--json", env={**environment, "TOY_KERNELS": broken(shift=1)})
    assert done.returncode == 1
    (one,) = read_profile(done.stdout.encode()).payloads
    assert not one.physics.right
    assert one.events_per_s is None
    assert "efficiency is 0" in (one.physics.reason or "")
    assert one.physics.metrics[0].right is False


def test_a_kernel_that_crashes_is_exit_1_with_its_reason(environment: dict[str, str], broken: Any) -> None:
    done = bench("--budget", "60", env={**environment, "TOY_KERNELS": broken(killed_by=11)})
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "SIGSEGV" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_keeps_what_was_measured(environment: dict[str, str], number: signal.Signals) -> None:
    process = subprocess.Popen(
        [*AGENT, "--budget", "120", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "TOY_LASTS": "1"},
    )
    assert process.stderr is not None
    assert process.stdout is not None
    for line in process.stderr:
        if "repeat 1/" in line:
            break
    time.sleep(1.0)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    found = read_profile(out.encode())
    assert found.limits.partial
    assert number.name in (found.limits.reason or "")
    assert "interrupted" in (found.payloads[0].reason or "")


def test_a_read_only_home_is_said_and_measured_all_the_same(environment: dict[str, str]) -> None:
    # /proc takes no directory, not even from root
    env = {name: value for name, value in environment.items() if name != "XDG_CACHE_HOME"} | {"HOME": "/proc"}
    done = bench("--budget", "60", "--json", env=env)
    assert done.returncode == 0, done.stderr
    (one,) = read_profile(done.stdout.encode()).payloads
    assert one.events_per_s is not None
    assert any("nothing can be kept in /proc/.cache/sitecap" in remark for remark in one.remarks)
    assert "not kept for --show last" in one_sentence(done)


def test_what_is_kept_in_memory_goes_with_the_run(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first, spare = _places(tmp_path / "wanted", {}, stack)
        assert first == tmp_path / "wanted"
        assert spare.is_dir()
        (spare / "set").mkdir()
    assert not spare.exists()


def test_out_of_memory_on_the_host_is_a_reason(environment: dict[str, str], broken: Any) -> None:
    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))

    done = bench(
        "--budget", "60", "--json", env={**environment, "TOY_KERNELS": broken(hungry=2e9)}, preexec_fn=bound
    )
    assert done.returncode == 1
    (one,) = read_profile(done.stdout.encode()).payloads
    assert one.events_per_s is None
    assert "memory" in (one.reason or "")


def test_a_broken_profile_is_one_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(write_profile(profile()))
    for content in (
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        good.read_bytes()[:500],
        good.read_bytes().replace(b'"1.4"', b'"9.0"'),
    ):
        bad.write_bytes(content)
        done = bench("compare", str(good), str(bad), env=environment)
        assert done.returncode == 3
        assert str(bad) in one_sentence(done)
    gone = bench("compare", str(good), str(tmp_path / "gone.json"), env=environment)
    assert gone.returncode == 3
    assert "No such file" in one_sentence(gone)


def test_show_of_nothing_says_what_to_do(environment: dict[str, str]) -> None:
    done = bench("--show", "last", env=environment)
    assert done.returncode == 3
    assert "run `agent bench` first" in one_sentence(done)


def test_compare_as_json(environment: dict[str, str], tmp_path: Path) -> None:
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    a.write_text(write_profile(profile()))
    b.write_text(write_profile(profile(result(rate=100.0))))
    done = bench("compare", str(a), str(b), "--json", env=environment)
    assert json.loads(done.stdout)["kernels"][0]["ratio"] == pytest.approx(0.5)


def test_a_corrupted_event_cache_is_said_and_mended(environment: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "events"
    assert bench("--budget", "60", "--cache", str(place), "-q", env=environment).returncode == 0
    (column,) = place.glob("events-*/number_value.npy")
    column.write_bytes(column.read_bytes()[:-7])
    done = bench("--budget", "60", "--cache", str(place), "--json", env=environment)
    assert done.returncode == 0
    (one,) = read_profile(done.stdout.encode()).payloads
    assert any("damaged" in remark for remark in one.remarks)


@pytest.mark.parametrize("arguments", [["--list"], ["--list-backends"], ["--quick"], ["--quick", "--json"]])
def test_without_numpy_there_is_one_sentence_and_no_crash(
    environment: dict[str, str], arguments: list[str]
) -> None:
    code = "import sys; sys.modules['numpy'] = None; from agent.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        cwd=ROOT,
    )
    assert done.returncode == 3
    assert "pip install 'sitecap[bench]'" in done.stderr + done.stdout
    assert "internal error" not in done.stderr + done.stdout
