"""Connections are spread over workers; an address that somebody has is refused, also where sockets may share it."""

from __future__ import annotations

import pickle
import socket
import sys
from contextlib import ExitStack

import pytest

from capacity.listening import for_workers, listen
from capacity.settings import ServerSettings

CONNECTIONS = 90


def _taken(listener: socket.socket) -> int:
    """How many connections wait at a socket; they are closed."""
    listener.setblocking(False)
    taken = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return taken
        taken += 1


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux chooses by chance among sockets of one address"
)
def test_no_worker_gets_all_connections() -> None:
    with ExitStack() as stack:
        shared = stack.enter_context(listen(ServerSettings(port=0, workers=2)))
        own = [stack.enter_context(one) for one in for_workers(shared)[1:]]
        # What multiprocessing does for each worker: here it is the same process, which changes nothing for the kernel.
        first = [stack.enter_context(pickle.loads(pickle.dumps(one))) for one in own]
        second = [stack.enter_context(pickle.loads(pickle.dumps(one))) for one in own]
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection(shared.getsockname(), timeout=30))
        counts = [sum(map(_taken, sockets)) for sockets in (first, second, [shared])]
    assert sum(counts) == CONNECTIONS
    # Four ninths of 90 each, by chance: outside of this once in some 10^7 runs.
    assert min(counts[:2]) > 15
    assert counts[2] < 40


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("others", [1, 2])
def test_an_address_that_another_service_has_is_refused(workers: int, others: int) -> None:
    with listen(ServerSettings(port=0, workers=others)) as held:
        port = held.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"):
            listen(ServerSettings(port=port, workers=workers))


def test_one_worker_has_one_socket() -> None:
    with listen(ServerSettings(port=0)) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
