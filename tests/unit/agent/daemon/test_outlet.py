"""Errands and who sends them: whatever an errand does, the daemon goes on, and tells it again."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from agent.daemon.errand import Errand, Say
from agent.daemon.outlet import News, Outlet
from tests.lab.waiting import until

NEVER_S = 600.0


def ended(work: Callable[[Say], object], deadline_s: float = NEVER_S) -> Errand:
    errand = Errand("test", work, deadline_s)
    until("the end of an errand", errand.poll, limit_s=60)
    return errand


def test_what_it_says_comes_back() -> None:
    errand = ended(lambda say: [say({"number": number}) for number in range(100)] and None)
    assert [word["number"] for word in errand.words] == list(range(100))
    assert errand.failure is None


def test_a_crash_is_one_sentence_with_its_place() -> None:
    errand = ended(lambda _: int("x"))
    assert str(errand.failure).startswith("ValueError at test_outlet.py:")


def test_one_that_is_killed_from_outside_says_so() -> None:
    assert "wait status 9" in str(ended(lambda _: os.kill(os.getpid(), signal.SIGKILL)).failure)


def test_one_that_hangs_is_killed_at_its_deadline() -> None:
    errand = ended(lambda _: time.sleep(NEVER_S), deadline_s=0.2)
    assert errand.failure == "no end after 0.2 s"
    assert not Path(f"/proc/{errand.pid}").exists()


def test_one_that_floods_is_killed() -> None:
    def flood(say: Say) -> None:
        while True:
            say({"word": "x" * 60_000})

    errand = ended(flood)
    assert (errand.failure, len(errand.words)) == ("it says too much", 1)


def test_it_leaves_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        ended(lambda _: None)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_must_not_be_kept_open_is_closed_in_the_child(tmp_path: Path) -> None:
    with (tmp_path / "held").open("w") as held:
        number = held.fileno()
        is_open = Errand(
            "test", lambda say: say({"open": os.path.exists(f"/proc/self/fd/{number}")}), NEVER_S
        )
        closed = Errand(
            "test",
            lambda say: say({"open": os.path.exists(f"/proc/self/fd/{number}")}),
            NEVER_S,
            close_in_child=lambda: os.close(number),
        )
        for errand in (is_open, closed):
            until("the end of an errand", errand.poll, limit_s=60)
    assert (is_open.words, closed.words) == ([{"open": True}], [{"open": False}])


def outlet() -> Outlet:
    return Outlet("test", Random(1), lambda: None)


def told(one: Outlet, now_s: float) -> list[dict[str, object]]:
    def look() -> list[list[dict[str, object]]]:
        words = one.turn(now_s)
        return [] if words is None else [words]

    return until("what an errand said", look, limit_s=60)[0]


def failing(reason: str) -> News:
    return News(lambda say: say({"reason": reason}), NEVER_S)


def test_what_failed_is_told_again_later_and_later(caplog: pytest.LogCaptureFixture) -> None:
    one, now_s = outlet(), 0.0
    one.offer(failing("nobody is there"))
    pauses = []
    with caplog.at_level(logging.INFO, logger="agent.daemon"):
        for _ in range(9):
            told(one, now_s)
            assert one.reason == "nobody is there"
            assert one.turn(one.next_s() - 1) is None
            assert one.errand is None, "not before its time"
            pauses.append(one.next_s() - now_s)
            now_s = one.next_s()
        one.offer(News(lambda say: say({"done": 1}), NEVER_S))
        assert told(one, now_s) == [{"done": 1}]
    assert pauses[0] <= 30
    assert pauses[-1] >= 1800
    assert (one.failures, one.failed_ever, one.reason) == (0, 9, None)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"], "one sentence, not nine"


def test_newer_news_replaces_older_that_was_not_told() -> None:
    one = outlet()
    one.offer(failing("away"))
    told(one, 0.0)
    one.offer(News(lambda say: say({"version": 2}), NEVER_S))
    one.offer(News(lambda say: say({"version": 3}), NEVER_S), at_once=True)
    assert told(one, 1.0) == [{"version": 3}]
    assert one.turn(1e9) is None
    assert one.errand is None


def test_only_one_errand_at_a_time() -> None:
    one = outlet()
    one.offer(News(lambda _: time.sleep(NEVER_S), NEVER_S))
    one.turn(0.0)
    first = one.errand
    one.offer(News(lambda _: None, NEVER_S), at_once=True)
    one.turn(1e9)
    assert one.errand is first
    one.stop()
    assert first is not None
    until("its end", first.poll, limit_s=60)
