"""Waiting for a component: it ends when the thing is there, and with the logs' last words when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.waiting import LOG_LINES, HungError, until


def test_the_first_true_answer_is_returned() -> None:
    answers = iter(["", "", "there", "too late"])
    assert until("answer", lambda: next(answers), limit_s=60) == "there"
    assert next(answers) == "too late"


def test_what_never_comes_is_named_with_the_last_lines_of_each_log(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("".join(f"line {number}\n" for number in range(LOG_LINES + 1)))
    (tmp_path / "two.log").write_bytes(b"cannot bind \xff\n")
    (tmp_path / "other.txt").write_text("not a log")
    with pytest.raises(HungError) as raised:
        until("socket of munge", lambda: None, limit_s=0, logs=tmp_path)
    text = str(raised.value)
    assert "no socket of munge after 0 s" in text
    assert "line 1\n" in text
    assert "line 0\n" not in text
    assert "== two.log\ncannot bind" in text
    assert "not a log" not in text


def test_a_log_directory_that_is_not_there_yet_is_no_second_failure(tmp_path: Path) -> None:
    with pytest.raises(HungError, match="no slot"):
        until("slot", lambda: False, limit_s=0, logs=tmp_path / "later")
