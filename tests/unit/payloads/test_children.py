"""Children that do not end as they should: none is left behind unseen, not even one that SIGKILL does not end at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from payloads.children import ChildError, Group

SILENT = (sys.executable, "-I", "-c", "import time; time.sleep(600)")


def late(group: Group) -> str:
    """What is said of a child that does not answer."""
    child = group.start("the silent one", {})
    found = group.ask([child], time.monotonic())[child]
    assert isinstance(found, ChildError)
    return str(found)


def test_who_does_not_answer_in_time_is_killed_there_and_then() -> None:
    with Group(SILENT) as group:
        assert late(group) == "the silent one did not answer in time and was killed"
        (child,) = group.children
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)


def test_a_child_that_cannot_be_killed_is_named_and_reaped_when_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = subprocess.Popen.wait

    def never(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        raise subprocess.TimeoutExpired("silent", timeout or 0)

    with Group(SILENT) as group:
        monkeypatch.setattr(subprocess.Popen, "wait", never)
        said = late(group)
        (child,) = group.children
        assert said.endswith(f"was killed: process {child.pid} cannot be killed and is left behind")
    monkeypatch.setattr(subprocess.Popen, "wait", gone)
    # A zombie keeps its entry until somebody takes note of it; it may already be gone, as the kill did work.
    until = time.monotonic() + 60
    while Path(f"/proc/{child.pid}").exists() and time.monotonic() < until:
        with Group(SILENT):
            pass
    assert not Path(f"/proc/{child.pid}").exists()


def test_a_program_that_is_not_there_costs_no_file_descriptor() -> None:
    with Group(("/nonexistent/python",)) as group:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(ChildError, match="no process could be started for it: No such file or directory"):
            group.start("it", {})
        assert len(os.listdir("/proc/self/fd")) == before
