"""A part of a pilot: what it said is kept however it ends, and it does end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from agent.pilot.stage import Ended, Orders, Part, Stage
from agent.pilot.timekeeper import Timekeeper
from tests.lab.waiting import until

LONG_S = 600.0


def keeper(left_s: float = LONG_S, grace_s: float = LONG_S) -> Timekeeper:
    return Timekeeper(time.monotonic() + left_s, grace_s=grace_s, margin_s=0.0)


def deaf(part: Part) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    part.say(b"I have this")
    time.sleep(LONG_S)


def obedient(part: Part) -> None:
    part.say(str(os.getpid()).encode())
    while part.stopped is None:
        time.sleep(0.01)
    part.say(f"told: {part.stopped}".encode())


def test_what_a_part_says_arrives_in_order() -> None:
    def work(part: Part) -> None:
        for number in range(3):
            part.say(bytes([number]) * 200_000)

    ended = keeper().measuring("work", work, 0.0)
    assert ended == Ended(tuple(bytes([number]) * 200_000 for number in range(3)), None)


def test_a_part_that_breaks_or_is_killed_keeps_what_it_said() -> None:
    def breaks(part: Part) -> None:
        part.say(b"first")
        raise ValueError("second")

    def dies(part: Part) -> None:
        part.say(b"first")
        os.kill(os.getpid(), signal.SIGKILL)

    ended = keeper().measuring("work", breaks, 0.0)
    assert ended.messages == (b"first",)
    assert "work: ValueError" in str(ended.failure)
    ended = keeper().measuring("work", dies, 0.0)
    assert ended.messages == (b"first",)
    assert ended.failure == "work was killed by SIGKILL; the kernel kills so when memory runs out"


def test_a_part_is_told_the_reason_and_ends_by_itself() -> None:
    clock = keeper()
    clock.interrupt("SIGUSR1")
    ended = clock.measuring("work", obedient, 0.0)
    assert (ended.messages[-1], ended.failure) == (b"told: SIGUSR1", None)


def test_a_part_is_told_when_its_time_is_over() -> None:
    ended = keeper(left_s=LONG_S).measuring("work", obedient, LONG_S)
    assert ended.messages[-1] == b"told: the end of its time (work)"


def test_a_part_that_does_not_listen_is_killed_with_what_it_started() -> None:
    def with_child(part: Part) -> None:
        child = os.fork()
        if child == 0:
            os.setsid()
            time.sleep(LONG_S)
            os._exit(0)
        part.say(str(child).encode())
        deaf(part)

    clock = keeper(grace_s=0.4)
    clock.interrupt("SIGTERM")
    ended = clock.measuring("work", with_child, 0.0)
    assert ended.messages[1] == b"I have this"
    assert "did not end when told to (SIGTERM) and was killed" in str(ended.failure)
    child = Path(f"/proc/{ended.messages[0].decode()}/stat")
    until("end of the child", lambda: not child.exists() or ") Z " in child.read_text(), limit_s=30)


def test_handing_over_is_not_ended_by_a_signal_but_by_its_bound() -> None:
    clock = keeper()
    clock.interrupt("SIGTERM")

    def work(part: Part) -> None:
        os.kill(os.getpid(), signal.SIGTERM)  # srun sends it to every process of a step
        part.say(b"done")

    assert clock.handing("files", work, LONG_S) == Ended((b"done",), None)
    ended = clock.handing("files", deaf, 0.5)
    assert ended.messages == (b"I have this",)
    assert ended.failure == "files was not done in time and was killed"


def test_a_shorter_life_ends_what_runs_and_a_longer_one_changes_nothing() -> None:
    answers = iter([(time.monotonic() + 10 * LONG_S, "mjf"), (time.monotonic() + 100.0, "mjf")])
    clock = keeper()
    clock.look = lambda: next(answers, None)
    ended = clock.measuring("work", obedient, 200.0)
    assert ended.messages[-1].startswith(b"told: the end of the slot, which now comes in")
    assert b"(mjf)" in ended.messages[-1]
    assert clock.left_s <= 100


def test_a_part_ends_with_the_pilot() -> None:
    """Killed outright, a pilot leaves nothing behind."""
    reading, writing = os.pipe()
    pilot = os.fork()
    if pilot == 0:
        stage = Stage("work", obedient, Orders(time.monotonic() + LONG_S))
        os.write(writing, b"%d " % stage._pid)
        signal.pause()
        os._exit(0)
    part = int(os.read(reading, 64))
    os.kill(pilot, signal.SIGKILL)
    os.waitpid(pilot, 0)
    os.close(reading)
    os.close(writing)
    path = Path(f"/proc/{part}/stat")
    until("end of the part", lambda: not path.exists() or ") Z " in path.read_text(), limit_s=30)
