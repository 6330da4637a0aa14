"""Work that may hang in a name server or a dripping answer, left when its time is up or the caller wants to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

Result = TypeVar("Result")

_POLL_S = 0.1
_FAREWELL_S = 1.0
"""So long a cut connection may take to be noticed; the resolver cannot be cut and is left behind."""


class CutError(Exception):
    """The work was left; the text says why."""


class Cuttable(Generic[Result]):
    """Does work in a thread. At most one piece that cannot be ended is left behind in the whole process."""

    _left_behind: ClassVar[threading.Thread | None] = None

    def run(
        self, work: Callable[[], Result], *, limit_s: float, stop: Callable[[], bool], cut: Callable[[], None]
    ) -> Result:
        """Do the work.

        Args:
            work: what to do.
            limit_s: seconds after which it is left.
            stop: whether the caller wants to end; asked ten times a second.
            cut: makes the work fail soon.

        Raises:
            CutError: it was left, or an earlier piece is still hanging.
            Exception: what the work raised.
        """
        behind = Cuttable._left_behind
        if behind is not None and behind.is_alive():
            raise CutError("an earlier attempt still hangs, likely in a name server that does not answer")
        results: list[Result] = []
        errors: list[BaseException] = []
        done = threading.Event()

        def worker() -> None:
            try:
                results.append(work())
            except BaseException as error:
                errors.append(error)
            finally:
                done.set()

        thread = threading.Thread(target=worker, name="delivery", daemon=True)
        thread.start()
        give_up_at = time.monotonic() + limit_s
        while not done.wait(_POLL_S):
            late = time.monotonic() > give_up_at
            if late or stop():
                cut()
                thread.join(_FAREWELL_S)
                if thread.is_alive():
                    Cuttable._left_behind = thread
                raise CutError(f"no whole answer within {limit_s:.3g} s" if late else "interrupted")
        thread.join()
        if errors:
            raise errors[0]
        return results[0]
