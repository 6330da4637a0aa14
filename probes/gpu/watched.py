"""Runs calls into a driver library in a child of its own: a hang or a crash costs only their answers."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from probes.answers import Json
from probes.fork import die_with, write_all

MAX_ANSWER_BYTES = 4 * 1024 * 1024

Announce = Callable[[str], None]


def watched(work: Callable[[Announce], Json], deadline_s: float) -> dict[str, Json]:
    """Call `work` in a forked child and wait at most `deadline_s`.

    Args:
        work: is given a function by which it announces each call into the library before making it.
        deadline_s: the child is killed after this time.

    Returns:
        {"end": "answer", "answer": …}, or {"end": "hung" | "crashed", "call": last announced call or None,
        "detail": sentence}.

    Raises:
        OSError: no pipe or no process could be made.
    """
    reader, writer = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            # Other pipes of the probe would stay open in a child that cannot be killed.
            os.closerange(3, writer)
            os.closerange(writer + 1, 4096)
            die_with(parent)
            _run(work, writer)
        os._exit(0)
    os.close(writer)
    try:
        text, in_time = _read(reader, time.monotonic() + deadline_s)
    finally:
        os.close(reader)
        status = _end(child)
    return _judge_end(text, status, deadline_s, in_time=in_time)


def _run(work: Callable[[Announce], Json], writer: int) -> None:
    def send(line: dict[str, Json]) -> None:
        write_all(writer, json.dumps(line).encode() + b"\n")

    try:
        send({"answer": work(lambda call: send({"call": call}))})
    except Exception as error:  # noqa: BLE001,RUF100 - the reason must reach the parent whatever it is
        send({"failed": f"{type(error).__name__}: {error}"[:1000]})


def _read(reader: int, until: float) -> tuple[bytes, bool]:
    pieces = b""
    while len(pieces) < MAX_ANSWER_BYTES:
        left_s = until - time.monotonic()
        if left_s <= 0 or not select.select([reader], [], [], left_s)[0]:
            return pieces, False
        piece = os.read(reader, 65_536)
        if not piece:
            break
        pieces += piece
    return pieces, True


def _end(child: int) -> int | None:
    """Wait status of the child; None if it cannot be killed and was left (uninterruptible sleep)."""
    until = time.monotonic() + 1.0
    killed = False
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        if not killed:
            # It has answered, or its time is over: in neither case may it run on.
            os.kill(child, signal.SIGKILL)
            killed = True
        if time.monotonic() > until:
            return None
        time.sleep(0.005)


def _judge_end(text: bytes, status: int | None, deadline_s: float, *, in_time: bool) -> dict[str, Json]:
    call: Json = None
    for line in text.split(b"\n"):
        with contextlib.suppress(ValueError):
            said: dict[str, Any] = json.loads(line)
            if "answer" in said:
                return {"end": "answer", "answer": said["answer"]}
            if "failed" in said:
                return {"end": "crashed", "call": call, "detail": said["failed"]}
            call = said.get("call", call)
    if not in_time:
        left = "" if status is not None else "; its process cannot be killed and was left"
        return {"end": "hung", "call": call, "detail": f"no answer within {deadline_s:g} s{left}"}
    how = (
        f"killed by signal {os.WTERMSIG(status)}"
        if status is not None and os.WIFSIGNALED(status)
        else "ended"
    )
    return {"end": "crashed", "call": call, "detail": f"the process was {how} in the call"}
