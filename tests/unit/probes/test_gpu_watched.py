"""Calls into a driver's library in a child: what is left of them when they hang, crash or lose their parent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab.waiting import until

REPOSITORY = Path(__file__).parents[3]
PRELUDE = "import ctypes, json, os, pathlib, signal, sys, time\nfrom probes.gpu.watched import watched\n"


def script(work: str, deadline_s: float) -> list[str]:
    body = f"def work(announce):\n    announce(str(os.getpid()))\n    {work}\n"
    return [
        sys.executable,
        "-W",
        "error",
        "-c",
        f"{PRELUDE}{body}print(json.dumps(watched(work, {deadline_s})))",
    ]


def result_of(work: str, deadline_s: float = 30.0) -> dict[str, Any]:
    done = subprocess.run(
        script(work, deadline_s),
        check=True,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def is_running(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"  # an orphan that init has not reaped yet runs no more


def test_an_answer_larger_than_a_pipe_holds() -> None:
    assert result_of("return ['x' * 1000] * 500") == {"end": "answer", "answer": ["x" * 1000] * 500}


@pytest.mark.parametrize(
    "hang", ["signal.pause()", "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"]
)
def test_a_hang_leaves_no_process(hang: str) -> None:
    answer = result_of(hang, 0.5)

    assert (answer["end"], answer["detail"]) == ("hung", "no answer within 0.5 s")
    assert not is_running(answer["call"])


@pytest.mark.parametrize(
    ("work", "detail"),
    [
        ("ctypes.string_at(0)", "the process was killed by signal 11 in the call"),
        ("os._exit(3)", "the process was ended in the call"),
        ("raise KeyError('no such thing')", "KeyError: 'no such thing'"),
    ],
)
def test_a_crash_says_how(work: str, detail: str) -> None:
    answer = result_of(work)

    assert (answer["end"], answer["detail"]) == ("crashed", detail)
    assert answer["call"].isdigit()


def test_a_killed_probe_takes_its_child_along(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    hang = f"pathlib.Path({str(note)!r}).write_text(str(os.getpid()) + '.'); signal.pause()"
    parent = subprocess.Popen(script(hang, 60), cwd=REPOSITORY)
    try:
        until("child", lambda: note.exists() and note.read_text().endswith("."), limit_s=30)
        child = note.read_text().rstrip(".")
        assert is_running(child)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)

    until("end of the child", lambda: not is_running(child), limit_s=30)
