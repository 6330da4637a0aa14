"""Tests of one group run in one process, whatever pytest-xdist makes of the groups."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[3]
TESTS = """
import os, pathlib, pytest

@pytest.fixture(autouse=True)
def told(request):
    with open(os.environ["TOLD"], "a") as out:
        out.write(f"{os.environ['PYTEST_XDIST_WORKER']} {request.node.name}\\n")

@pytest.mark.xdist_group("lab")
@pytest.mark.parametrize("what", ["a@b", "c", "d"])
def test_lab(what): pass

@pytest.mark.xdist_group(name="other")
@pytest.mark.parametrize("what", "abc")
def test_other(what): pass

@pytest.mark.parametrize("what", "abc")
def test_file_FILE(what): pass
"""


def test_a_group_and_a_file_without_one_stay_in_one_worker(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = lab\n")
    for name in ("one", "two", "three"):
        (tmp_path / f"test_{name}.py").write_text(TESTS.replace("FILE", name))
    told, scratch = tmp_path / "told", tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "tests.lab.schedule", "-n", "3", "--dist", "loadgroup"]  # fmt: skip
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    env |= {"PYTHONPATH": str(ROOT), "TOLD": str(told), "TMPDIR": str(scratch)}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # those of this installation cost seconds a worker
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    workers = defaultdict(set)
    for line in told.read_text().splitlines():
        worker, name = line.split(" ", 1)
        workers[name.partition("[")[0]].add(worker)
    assert sorted(workers) == ["test_file_one", "test_file_three", "test_file_two", "test_lab", "test_other"]
    assert all(len(found) == 1 for found in workers.values()), workers
    assert len(set.union(*workers.values())) > 1
    assert not list(scratch.glob("sitecap-groups-*"))
