"""Waiting for a component, with a limit after which it is called hung and its logs are shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

POLL_S = 0.05
LOG_LINES = 15


class HungError(Exception):
    """Something did not come about in its time; the message says what, and what the logs say last."""


def until(what: str, look: Callable[[], Found], *, limit_s: float, logs: Path | None = None) -> Found:
    """Look again and again until the answer is true, and return it.

    Args:
        what: what is waited for, for the message.
        look: asks whether it is there.
        limit_s: seconds after which to give up; generous, since a busy machine is slow.
        logs: a directory whose ``*.log`` files may tell why.

    Raises:
        HungError: it did not come.
    """
    give_up_at = time.monotonic() + limit_s
    while not (found := look()):
        if time.monotonic() > give_up_at:
            raise HungError(f"no {what} after {limit_s:g} s\n{tails(logs)}".rstrip())
        time.sleep(POLL_S)
    return found


def tails(logs: Path | None) -> str:
    """The last lines of each log in a directory."""
    paths = sorted(logs.glob("*.log")) if logs else []
    return "\n".join(
        f"== {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-LOG_LINES:])
        for path in paths
    )
