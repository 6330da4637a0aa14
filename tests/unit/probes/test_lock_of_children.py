"""A child that cannot be killed must not lock the node for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from probes.lock import LockError, NodeLock


def test_a_child_that_outlives_the_run_does_not_hold_its_lock(tmp_path: Path) -> None:
    ends, end = os.pipe()
    runs, run = os.pipe()
    with NodeLock(tmp_path, 0.0):
        child = os.fork()
        if child == 0:
            os.close(end)
            os.write(run, b"1")  # what is done in a child after a fork has been done
            os.read(ends, 1)
            os._exit(0)
        assert os.read(runs, 1) == b"1"
        with pytest.raises(LockError, match="is probing this node"), NodeLock(tmp_path, 0.0):
            pass
    try:
        with NodeLock(tmp_path, 0.0):
            pass
    finally:
        for descriptor in (end, ends, run, runs):
            os.close(descriptor)
        os.waitpid(child, 0)
