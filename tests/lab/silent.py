"""A server that takes connections and says nothing, so that whoever asks it waits: something to be interrupted in."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CLONE_NEWNET = 0x40000000
"""From <linux/sched.h>."""

ASKED_S = 60


@dataclass
class Silent:
    """A listening socket.

    Attributes:
        listener: on loopback.
    """

    listener: socket.socket
    _held: list[socket.socket] = field(default_factory=list)

    @property
    def settings(self) -> Mapping[str, str]:
        """Variables with which the network probe asks this server, and nothing else leaves the machine."""
        port = self.listener.getsockname()[1]
        return {
            "SITECAP_PILOT__PROBES": '["context", "batch", "cores", "memory", "network"]',
            "SITECAP_NETWORK__ENDPOINTS": f'[{{name="silent", host="127.0.0.1", port={port}, tls=true}}]',
            "SITECAP_NETWORK__CONNECT_TIMEOUT_S": "60",
            "SITECAP_SITE_PROFILE": "standard",
        }

    def wait_until_asked(self) -> None:
        """Until somebody waits for an answer.

        Raises:
            TimeoutError: nobody came.
        """
        self.listener.settimeout(ASKED_S)
        self._held.append(self.listener.accept()[0])

    def close(self) -> None:
        """Let all go."""
        for one in (*self._held, self.listener):
            one.close()


@contextlib.contextmanager
def silent_server(namespace_of: int | None = None) -> Iterator[Silent]:
    """Listen, in the network namespace of a process if one is given."""
    made: list[socket.socket] = []

    def listen() -> None:
        if namespace_of is not None:
            with Path(f"/proc/{namespace_of}/ns/net").open("rb") as place:
                if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        made.append(socket.create_server(("127.0.0.1", 0)))

    # A thread of its own: it goes into the namespace and never comes back, the socket does.
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    server = Silent(made[0])
    try:
        yield server
    finally:
        server.close()
