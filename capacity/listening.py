"""Where the service listens. Several workers share a socket, and each has some of its own beside it.

All that wait at one socket are woken, and mostly the same one is the first: of 32 connections opened one after the other, one
worker of two took all. Among sockets of one address Linux chooses by chance (SO_REUSEPORT, socket(7)). The shared one is
there before any worker and takes what comes until then.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

from capacity.settings import ServerSettings

BACKLOG = 512
"""Connections that wait to be taken."""

_OWN = 4
"""Sockets of a worker's own: of nine with two workers, one is taken by whoever is first."""

Address = tuple[str, int]


def listen(settings: ServerSettings) -> socket.socket:
    """A listening socket on the address of the settings, for all workers.

    Raises:
        OSError: the address cannot be had; its text says which and why.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = _listening(family, (settings.host, settings.port))
        if settings.workers > 1 and _by_chance():
            # Only now is it sure that nobody else listens there, for sockets that share an address do not refuse others.
            address = (settings.host, listener.getsockname()[1])
            listener.close()
            listener = _listening(family, address, shared=True)
    except OSError as error:
        raise OSError(
            error.errno, f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        ) from None
    listener.set_inheritable(True)
    return listener


def for_workers(listener: socket.socket) -> list[socket.socket]:
    """What is handed to workers that are started as processes of their own: the shared socket, and stand-ins for theirs."""
    if not _by_chance():
        return [listener]
    return [listener, *(_Own(listener) for _ in range(_OWN))]


class _Own(socket.socket):
    """Becomes a listening socket on the address of another one where it arrives in a process; here it is none."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.family, listener.type)
        self._address: Address = listener.getsockname()[:2]

    def __reduce__(self) -> tuple[Callable[..., socket.socket], tuple[int, Address, bool]]:
        return _listening, (int(self.family), self._address, True)


def _listening(family: int, address: Address, shared: bool = False) -> socket.socket:  # noqa: FBT001, FBT002 - pickle has no keywords
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _by_chance() -> bool:
    """Whether sockets of one address get connections by chance: elsewhere the last one gets all."""
    return sys.platform == "linux"
