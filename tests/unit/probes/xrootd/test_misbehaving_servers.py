"""Servers that misbehave, on the loopback."""

from __future__ import annotations

import importlib.util
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from probes import live_xrootd, live_xrootd_clients, live_xrootd_walk
from probes.live_xrootd_worker import without_token
from profiles.checks import Status
from tests.lab.xrootd_fake import circle, managing, redirect, reply, silent
from tests.unit.probes.xrootd.asking import LFN, asking, probed, verdicts


def answer_names(monkeypatch: pytest.MonkeyPatch, known: Callable[[str], tuple[str, ...] | None]) -> None:
    """Let the resolver give these addresses for the names that are known, as if they stood in DNS."""
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **more: Any) -> Any:
        addresses = known(host.decode() if isinstance(host, bytes) else str(host))
        if addresses is None:
            return real(host, *args, **more)
        return [entry for address in addresses for entry in real(address, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@contextmanager
def saying(text: bytes) -> Iterator[int]:
    """The port of a server that says something to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    link, _ = listener.accept()
                except TimeoutError:
                    continue
                with link:
                    link.sendall(text)
                    link.settimeout(1)
                    try:
                        while link.recv(4096):
                            pass
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"\0\0\0\0\x7f\xff\xff\xff" + b"x" * 100,
        b"\0\0\0\0\0\0\0\x08" + b"\xff" * 8 + b"\0" * 8,
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    ],
    ids=["http", "length", "kind", "ssh"],
)
def test_what_does_not_speak_the_protocol(text: bytes) -> None:
    with saying(text) as port:
        facts = probed(asking(f"root://127.0.0.1:{port}"))
    assert facts.routes
    assert facts.routes[0].broken is not None
    assert (facts.routes[0].broken.name, facts.routes[0].broken.fault) == ("handshake", "not-xrootd")
    assert verdicts(facts)["XRD-01"].status is Status.CRITICAL


def test_a_server_that_hangs_up() -> None:
    with saying(b"\0\0\0\0") as port, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.close()
        answer = live_xrootd.greet("127.0.0.1", "IPv4", port, 1, 1)
    assert answer["stage"] == "hello"
    assert answer["errno_name"] in {"ETIMEDOUT", "ECONNRESET"}


def test_silence_is_told_from_a_dead_port() -> None:
    with silent() as port:
        facts = probed(asking(f"root://127.0.0.1:{port}"))
    assert facts.routes
    assert facts.routes[0].broken is not None
    assert facts.routes[0].broken.fault == "silent"


def test_the_chain_of_a_circle_is_named() -> None:
    with circle() as (first, second):
        walk = live_xrootd_walk.walk("localhost", first.port, LFN, 5)
    assert walk["loop"] is True
    hops = [f"localhost:{port}" for port in (first.port, second.port, first.port)]
    assert walk["hops"] == hops


def test_redirections_without_end_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_names(monkeypatch, lambda name: ("127.0.0.1",) if name.endswith(".lab") else None)
    with managing() as server:
        names = (f"server{number}.lab" for number in range(1000))
        server.answer = lambda code, data: redirect(next(names), server.port)
        walk = live_xrootd_walk.walk("localhost", server.port, LFN, 5)
    assert walk["loop"] is True
    assert isinstance(walk["hops"], list)
    assert len(walk["hops"]) == live_xrootd_walk.MAX_HOPS + 1


def test_a_server_that_says_wait_is_waited_for_and_no_longer_than_there_is_time() -> None:
    with managing() as server:
        told: list[int] = []

        def answer(code: int, data: bytes) -> bytes:
            told.append(code)
            first = told.count(code) == 1
            return (
                reply(4005, struct.pack(">i", 0))
                if first
                else reply(0, b"1 5 16 0\0" if code == 3017 else b"Sr[::1]:1\0")
            )

        server.answer = answer
        walk = live_xrootd_walk.walk("127.0.0.1", server.port, LFN, 5)
        assert walk["size_bytes"] == 5
        server.answer = lambda code, data: reply(4005, struct.pack(">i", 3600))
        assert "wait for 3600 s" in str(live_xrootd_walk.walk("127.0.0.1", server.port, LFN, 1)["error"])


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_a_dead_ipv6_address_is_said_although_ipv4_works(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_names(monkeypatch, lambda name: ("127.0.0.1", "::1") if name == "dual.lab" else None)
    monkeypatch.setattr(live_xrootd_clients, "installed", dict)
    with managing() as server:
        facts = probed(asking(redirectors=(f"root://dual.lab:{server.port}",)))
    result = verdicts(facts)["XRD-01"]
    assert result.status is Status.WARNING
    assert "IPv6" in result.summary
    assert "time-out" in result.summary


def test_a_client_that_hangs_is_killed_and_what_it_said_is_kept() -> None:
    # Not importorskip: XrdCl would then live in this process, with its threads and fork handlers.
    if importlib.util.find_spec("XRootD") is None:
        pytest.skip("the XRootD bindings are not installed")
    stop = threading.Event()
    with managing() as server:
        server.answer = lambda code, data: reply(0) if stop.wait(60) else b""
        job = {
            "url": f"root://localhost:{server.port}",
            "path": LFN,
            "timeouts": live_xrootd_clients.timeouts(2, 60),
            "read_bytes": 0,
            "max_file_bytes": 0,
            "chunks": None,
        }
        steps = live_xrootd_clients.by_bindings(job, 2)
        stop.set()
    names = [step["step"] for step in steps if isinstance(step, dict)]
    assert names == ["auth", "killed"]


@pytest.mark.parametrize(
    "text",
    [
        "cannot open root://door//x?authz=Bearer%20eyJ.abc.def&a=b",
        "refused: Authorization: Bearer eyJ.abc.def",
        "AUTHZ=eyJ.abc.def",
    ],
)
def test_a_token_in_a_message_does_not_get_out(text: str) -> None:
    assert "eyJ" not in without_token(text)
    assert without_token("[FATAL] Auth failed: No protocols left to try").endswith("try")
