"""A TCP proxy in front of a real server that spoils what the server says: late, by drops, cut, changed, or not at all.

What the client says is passed on unchanged, so that the real server answers a real question.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PIECE_BYTES = 65_536
NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER: close(2) sends RST instead of FIN."""


@dataclass(frozen=True)
class Spoiling:
    """What happens to the answers of the server, counted from the first byte of each connection.

    Attributes:
        delay_s: before the first byte is passed on.
        drip_bytes: pass on so many bytes at a time …
        drip_every_s: … with such a pause before each.
        cut_after_bytes: end the connection after so many bytes.
        cut: how: "reset" as by a broken firewall, "close" as by a server that gives up.
        silent_after_bytes: pass nothing on after so many bytes, and keep the connection.
        flip_at: offset of a byte in which one bit is flipped.
    """

    delay_s: float = 0.0
    drip_bytes: int | None = None
    drip_every_s: float = 0.1
    cut_after_bytes: int | None = None
    cut: Literal["reset", "close"] = "reset"
    silent_after_bytes: int | None = None
    flip_at: int | None = None


@dataclass
class Middle:
    """A running proxy: where it listens, how often it was connected to, and what it does from now on."""

    port: int
    spoiling: Spoiling
    connections: int = 0


@contextlib.contextmanager
def spoiled(
    port: int, spoiling: Spoiling, *, host: str = "127.0.0.1", listen: str = "127.0.0.1"
) -> Iterator[Middle]:
    """A proxy on a free port of `listen` to the server at `host`, `port`; its threads end with the context."""
    stop = threading.Event()
    threads: list[threading.Thread] = []
    with socket.create_server((listen, 0)) as listener:
        listener.settimeout(0.05)
        middle = Middle(int(listener.getsockname()[1]), spoiling)

        def accept() -> None:
            while not stop.is_set():
                try:
                    link, _ = listener.accept()
                except OSError:
                    continue
                middle.connections += 1
                thread = threading.Thread(target=_serve, args=(link, (host, port), middle.spoiling, stop))
                thread.start()
                threads.append(thread)

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield middle
        finally:
            stop.set()
            acceptor.join()
            for thread in threads:
                thread.join()


def _serve(
    client: socket.socket, address: tuple[str, int], spoiling: Spoiling, stop: threading.Event
) -> None:
    with client, contextlib.suppress(OSError), socket.create_connection(address, timeout=10) as server:
        asking = threading.Thread(target=_pass_on, args=(client, server, stop))
        asking.start()
        try:
            if not _spoil(server, client, spoiling, stop):
                # Silent: the connection stays until the client leaves.
                while asking.is_alive() and not stop.wait(0.05):
                    pass
        finally:
            for end in (server, client):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            asking.join()


def _pass_on(source: socket.socket, sink: socket.socket, stop: threading.Event) -> None:
    with contextlib.suppress(OSError):
        for piece in _pieces(source, stop):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


def _spoil(server: socket.socket, client: socket.socket, spoiling: Spoiling, stop: threading.Event) -> bool:
    """Pass the answer on, spoiled; False if the connection is to stay although nothing more is said."""
    passed = 0
    for said in _pieces(server, stop):
        if passed == 0 and stop.wait(spoiling.delay_s):
            return True
        piece = _flipped(said, passed, spoiling.flip_at)
        limit = _least(spoiling.cut_after_bytes, spoiling.silent_after_bytes)
        allowed = piece if limit is None else piece[: max(0, limit - passed)]
        if not _send(client, allowed, spoiling, stop):
            return True
        passed += len(allowed)
        if spoiling.silent_after_bytes is not None and passed >= spoiling.silent_after_bytes:
            return False
        if spoiling.cut_after_bytes is not None and passed >= spoiling.cut_after_bytes:
            if spoiling.cut == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                client.close()
            return True
    return True


def _send(client: socket.socket, piece: bytes, spoiling: Spoiling, stop: threading.Event) -> bool:
    """Pass bytes on, in drops if so asked; False when the proxy is to end."""
    if spoiling.drip_bytes is None:
        client.sendall(piece)
        return True
    for start in range(0, len(piece), spoiling.drip_bytes):
        if stop.wait(spoiling.drip_every_s):
            return False
        client.sendall(piece[start : start + spoiling.drip_bytes])
    return True


def _pieces(source: socket.socket, stop: threading.Event) -> Iterator[bytes]:
    source.settimeout(0.1)
    while not stop.is_set():
        try:
            piece = source.recv(PIECE_BYTES)
        except TimeoutError:
            continue
        if not piece:
            return
        yield piece


def _flipped(piece: bytes, passed: int, flip_at: int | None) -> bytes:
    if flip_at is None or not passed <= flip_at < passed + len(piece):
        return piece
    changed = bytearray(piece)
    changed[flip_at - passed] ^= 0x01
    return bytes(changed)


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
