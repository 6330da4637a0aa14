"""A process that was started by another one of ours ends with it, however that one came to its end."""

from __future__ import annotations

import os
import signal
from multiprocessing import parent_process
from threading import Thread
from typing import Any


def end_with_parent() -> None:
    """Send SIGTERM to this process as soon as the one that started it is gone; nothing if it was not started by one."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_wait, args=(parent,), daemon=True).start()


def _wait(parent: Any) -> None:  # noqa: ANN401 - multiprocessing's view of the parent
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
