"""`agent bench` with the compiled kernels of this installation: whole runs, minutes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from payloads.catalogue import kernels
from payloads.compiled import variants
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(
        not kernels() or not variants(), reason="no kernels were compiled here: make payloads"
    ),
    pytest.mark.xdist_group("bench"),
]
AGENT = [sys.executable, "-I", "-m", "agent", "bench"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def measured(cache: Path) -> CapabilityProfile:
    state = cache / "run"  # a lock of its own: the state that each test gets is not yet there
    state.mkdir(mode=0o700)
    done = subprocess.run(
        [*AGENT, "--budget", "240", "--cache", str(cache), "--json"],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "XDG_RUNTIME_DIR": str(state)},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return read_profile(done.stdout.encode())


def test_every_kernel_is_measured_with_right_physics(measured: CapabilityProfile) -> None:
    assert [one.kernel for one in measured.payloads] == [kernel.name for kernel in kernels()]
    for one in measured.payloads:
        assert one.physics.right, one.physics.reason
        assert one.events_per_s is not None
        assert one.one_copy_events_per_s is not None


def test_all_variants_compute_the_same_bits(measured: CapabilityProfile) -> None:
    for one in measured.payloads:
        assert len({variant.digest for variant in one.variants}) == 1


def test_the_page_has_a_picture_of_every_kernel(measured: CapabilityProfile, cache: Path) -> None:
    page = cache / "page.html"
    done = subprocess.run([*AGENT, "--show", "last", "--cache", str(cache), "-o", str(page)], timeout=600)
    assert done.returncode == 0
    assert page.read_text().count("data:image/svg+xml") == len(measured.payloads)
    assert "No picture" not in page.read_text()


def test_a_signal_in_the_middle_leaves_no_process(cache: Path) -> None:
    process = subprocess.Popen(
        [*AGENT, "--cache", str(cache), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "repeat 1/" in line:
            break
    workers = [
        int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ]
    assert workers
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert read_profile(out.encode()).limits.partial
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
