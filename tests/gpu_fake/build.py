"""Make the fake libnvidia-ml.so.1, and ask the GPU probe about it in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SOURCE = HERE / "nvml.c"
ASKING = HERE / "gather.py"
REPOSITORY = HERE.parents[1]
LIBRARY = "libnvidia-ml.so.1"

ENOUGH_S = 30.0
"""Deadline of NVML in tests where it answers: never reached."""


def native_library(directory: Path) -> Path:
    """The directory with the fake, compiled for this machine."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the fake NVML library: install gcc")
    options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f"-Wl,-soname,{LIBRARY}"]
    subprocess.run([compiler, *options, "-o", directory / LIBRARY, SOURCE], check=True, timeout=60)
    return directory


def ask_probe(
    libraries: Path, root: Path, scenario: str, deadline_s: float = ENOUGH_S, **env: str
) -> dict[str, Any]:
    """Facts, verdicts and summary of the probe with `libraries` in the loader's path, as JSON objects."""
    done = subprocess.run(
        [sys.executable, "-W", "error", ASKING, root, str(deadline_s)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(REPOSITORY),
            "LD_LIBRARY_PATH": str(libraries),
            "FAKE_NVML": scenario,
            **env,
        },
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def verdicts(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The check results by id; every check of the catalogue has exactly one."""
    results = {result["id"]: result for result in answer["results"]}
    assert [result["id"] for result in answer["results"]] == [f"GPU-{number:02}" for number in range(1, 9)]
    return results
