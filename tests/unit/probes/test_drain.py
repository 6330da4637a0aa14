"""A body read to its end behind the door; header fields that come twice; what a redirection carries."""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes.host import Host
from probes.live import LiveDoor
from probes.live_held import hold, release
from probes.recording import RecordingDoor, begin, finish
from probes.replay import Recording, ReplayDoor
from tests.unit.probes.dav_fake import CONTENT, Door, serving


@pytest.fixture
def door() -> Iterator[Door]:
    with serving(Door()) as made:
        yield made


def test_a_body_is_counted_and_summed_but_not_kept(door: Door, tmp_path: Path) -> None:
    begin(kept := tmp_path / "recording")
    recorder = RecordingDoor(LiveDoor(), kept, "test", None)
    live = Host(recorder).drain(door.url, limit_bytes=10**7, timeout_s=30, checksum=True)
    recorder.close()
    finish(kept, agent_version="0", created_at="now", redacted=False)

    assert (live.status, live.body_bytes, live.complete, live.error) == (200, len(CONTENT), True, None)
    assert live.adler32 == f"{zlib.adler32(CONTENT):08x}"
    assert (kept / "answers.jsonl").stat().st_size < 4096
    assert Host(ReplayDoor(Recording(kept), "test")).drain(door.url, limit_bytes=10**7) == live


def test_what_is_beyond_the_limit_is_not_read(door: Door) -> None:
    found = Host(LiveDoor()).drain(door.url, limit_bytes=1000, timeout_s=30)

    assert (found.body_bytes, found.complete, found.adler32) == (1000, False, None)


def _saying(answer: bytes) -> int:
    """The port of a server that says `answer` to the first who asks, and ends."""
    listener = socket.create_server(("127.0.0.1", 0))

    def once() -> None:
        with listener, listener.accept()[0] as link:
            link.recv(65_536)
            link.sendall(answer)

    threading.Thread(target=once, daemon=True).start()
    return int(listener.getsockname()[1])


def test_a_field_that_comes_twice_is_a_list() -> None:
    port = _saying(b"HTTP/1.1 200 OK\r\nDAV: 1\r\nDAV: <http://apache.org/dav>\r\nContent-Length: 0\r\n\r\n")

    answer = Host(LiveDoor()).fetch(f"http://127.0.0.1:{port}/", timeout_s=30)

    assert answer.headers["dav"] == "1, <http://apache.org/dav>"


def test_what_a_redirection_carries_stays_behind_the_door() -> None:
    secret = "authz=Bearer%20abc&uuid=1"
    port = _saying(
        f"HTTP/1.1 307 x\r\nLocation: http://pool.example.org/f?{secret}\r\nContent-Length: 0\r\n\r\n".encode()
    )

    answer = Host(LiveDoor()).fetch(f"http://127.0.0.1:{port}/", timeout_s=30)

    location = answer.headers["location"]
    assert location.startswith("http://pool.example.org/f?")
    assert "abc" not in location
    assert release(location) == f"http://pool.example.org/f?{secret}"


def test_a_url_without_a_held_query_is_left_alone() -> None:
    assert hold("http://a/f") == release("http://a/f") == "http://a/f"
    assert release("http://a/f?x=1") == "http://a/f?x=1"
