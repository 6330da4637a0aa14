"""NVML, CVMFS and XRootD that hang for as long as the daemon lives: the real probes, and nothing grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu_fake.build import native_library
from tests.lab.fuse_hang import missing

ROUNDS = 5
GROWTH_KIB = 2048
"""Of resident memory over four rounds: an allocator's noise, and less than one thread's stack or one library kept a round."""


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.skipif(missing() is not None, reason=f"no hanging file system: {missing()}")
def test_nothing_grows_while_everything_hangs(tmp_path: Path) -> None:
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.daemon.hanging_node", tmp_path, str(ROUNDS)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "LD_LIBRARY_PATH": str(native_library(libraries)), "FAKE_NVML": "hang-init"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    before, after = found["before"], found["after"]
    assert after["resident_kib"] - before["resident_kib"] < GROWTH_KIB
    assert {**after, "resident_kib": 0} == {**before, "resident_kib": 0}
    assert found["same_child"], "no second child where the first still hangs"
    assert found["stuck"] == ["cvmfs_mount"]
    assert found["nvml"] == "hung"
    assert found["looks"]["xrootd"] >= ROUNDS - 1
    assert [check for check in found["statuses"] if check.startswith("MEM-")], "the others go on"
