"""Once a node: one works, the others wait; whoever is killed is replaced."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.pilot.once import key_of, once
from probes.lock import LockError


def never() -> bool:
    return False


def in_child(work: Callable[[int], None]) -> tuple[int, int]:
    """Run something in a process of its own; its number, and the pipe that it writes to."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    return pid, reading


def holds(directory: Path, done: str | None) -> Callable[[int], None]:
    def work(pipe: int) -> None:
        with once(directory, "k", until=time.monotonic() + 60, not_before=0, stop=never) as turn:
            os.write(pipe, b"first" if turn.first else b"other")
            if done is None:
                signal.pause()
            turn.done = done

    return work


def test_the_second_one_waits_and_learns_what_the_first_one_made(tmp_path: Path) -> None:
    pid, pipe = in_child(holds(tmp_path, "profile-1"))
    assert os.read(pipe, 16) == b"first"
    with once(tmp_path, "k", until=time.monotonic() + 60, not_before=0, stop=never) as turn:
        assert (turn.first, turn.said) == (False, "profile-1")
    os.waitpid(pid, 0)
    os.close(pipe)


def test_the_next_one_takes_over_from_one_that_is_killed(tmp_path: Path) -> None:
    pid, pipe = in_child(holds(tmp_path, None))
    assert os.read(pipe, 16) == b"first"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)
    with once(tmp_path, "k", until=time.monotonic() + 60, not_before=0, stop=never) as turn:
        assert turn.first


@pytest.mark.parametrize("stopped", [True, False])
def test_who_may_not_wait_longer_goes(tmp_path: Path, stopped: bool) -> None:
    pid, pipe = in_child(holds(tmp_path, None))
    os.read(pipe, 16)
    limit = time.monotonic() + (60 if stopped else 0)
    with once(tmp_path, "k", until=limit, not_before=0, stop=lambda: stopped) as turn:
        assert (turn.first, turn.said) == (False, None)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)


def test_the_mark_of_an_earlier_start_of_the_job_does_not_count(tmp_path: Path) -> None:
    with once(tmp_path, "k", until=0, not_before=0, stop=never) as turn:
        turn.done = "profile-1"
    mark = next(tmp_path.iterdir())
    with once(tmp_path, "k", until=0, not_before=mark.stat().st_mtime - 5, stop=never) as turn:
        assert turn.said == "profile-1"
    with once(tmp_path, "k", until=0, not_before=mark.stat().st_mtime + 5, stop=never) as turn:
        assert turn.first


def test_another_launch_or_node_is_another_turn_and_old_marks_go(tmp_path: Path) -> None:
    assert len({key_of("slurm 7", "wn1"), key_of("slurm 7", "wn2"), key_of("slurm 8", "wn1")}) == 3
    with once(tmp_path, "k", until=0, not_before=0, stop=never) as turn:
        turn.done = "x"
    os.utime(next(tmp_path.iterdir()), (1, 1))
    with once(tmp_path, "other", until=0, not_before=0, stop=never):
        assert [path.name for path in tmp_path.iterdir()] == ["pilot-other"]


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "pilot-k").symlink_to("/etc/passwd")
    with (
        pytest.raises(LockError, match="cannot open"),
        once(tmp_path, "k", until=0, not_before=0, stop=never),
    ):
        pass
