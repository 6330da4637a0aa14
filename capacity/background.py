"""Estimates in a process of their own beside several workers, so that a sender waits neither for its lock nor its CPU.

In a worker, the interpreter's lock would make every request that comes during a round wait for a part of it.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

from capacity.api import logs
from capacity.api.telemetry import Metrics
from capacity.config import data_directory, database_url
from capacity.lifeline import end_with_parent
from capacity.refresher import MAX_PAUSE_S, Refresher
from capacity.service.context import make_service
from capacity.settings import Config
from capacity.store.database import Database

NICE = 10
"""Added to the priority: where a worker wants the same CPU, Linux gives this process a tenth (sched(7), weights)."""

_CONNECTIONS = 2
_AGAIN_S = 5.0
"""Before a process that ended by itself is followed by another."""

_log = logging.getLogger(__name__)


@contextmanager
def refreshing(config: Config, environment: Mapping[str, str]) -> Iterator[None]:
    """Keep a process that estimates pending nodes until the end of the block; one that dies is followed by another.

    Args:
        config: all settings.
        environment: of the process, for the place of the data directory.
    """
    over = Event()
    keeper = Thread(target=_keep, args=(config, dict(environment), over), name="background", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep(config: Config, environment: dict[str, str], over: Event) -> None:
    context = multiprocessing.get_context("spawn")
    while not over.is_set():
        process = context.Process(target=work, args=(config, environment), name="refresher")
        process.start()
        while process.is_alive() and not over.wait(1):
            pass
        if over.is_set():
            process.terminate()
            process.join(config.server.graceful_s)
            process.kill()
            process.join()
        else:
            _log.error("the process that estimates ended with %s: another one follows", process.exitcode)
            over.wait(_AGAIN_S)


def work(config: Config, environment: Mapping[str, str]) -> None:
    """Estimate pending nodes until SIGTERM; what this process is for."""
    stop = Event()
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches all of the terminal: the parent tells when to end
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    end_with_parent()
    logs.configure(config.log)
    os.nice(NICE)
    database = Database(database_url(config, environment), connections=_CONNECTIONS)
    service = make_service(config, database, data_directory(config, environment) / "archive")
    metrics = Metrics()
    refresher = Refresher(service, lambda: 0, metrics.refreshed.inc, metrics.refresh_failures.inc)
    refresher.start()
    while not stop.wait(MAX_PAUSE_S):
        pass
    refresher.stop()
    database.close()
