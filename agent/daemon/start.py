"""Starts the daemon in this process: log, signals, pages, loop."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import time
from types import FrameType

import agent
from agent.daemon.loop import Loop
from agent.daemon.pages import Pages, listen
from agent.daemon.source import Source
from agent.daemon.wake import Wake
from probes.lock import LockError, state_directory

_log = logging.getLogger("agent.daemon")


def log_to_stderr() -> None:
    """One line an event, in UTC; a container's log is its standard error."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    for name in ("agent.daemon", "agent.delivery"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False


def serve(source: Source) -> str:
    """Be the daemon until a signal ends it; its name.

    Raises:
        ConfigError: the configuration cannot be used.
        PagesError: the port cannot be had.
        LockError: there is no private directory for notes.
    """
    setting = source.read()
    state = state_directory()
    if state is None:
        raise LockError(
            "no place for the daemon's notes can be written: mount a writable directory on /tmp, or name one by "
            "$XDG_RUNTIME_DIR"
        )
    settings = setting.config.daemon
    pages = Pages(listen(settings.listen, settings.port), settings.unhealthy_after_s)
    wake = Wake()
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    pages.start()
    # The command line switched this off for short runs; a daemon would keep every cycle for months.
    gc.enable()

    def close_in_child() -> None:
        wake.close()
        pages.close_here()
        pages.listening.close()

    loop = Loop(source, setting, state, pages, wake=wake, close_in_child=close_in_child)

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            loop.reload()
        else:
            loop.stop(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handle)
    _log.info(
        "agent %s looks at this node; /healthz, /readyz and /metrics on port %d",
        agent.__version__,
        pages.port,
    )
    if setting.config.delivery.url is None:
        _log.info("delivery.url is not set: profiles are handed in to nobody")
    try:
        return loop.run()
    finally:
        pages.stop()
        wake.close()
