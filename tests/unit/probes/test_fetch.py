"""One HTTP exchange through the door: how far it came, what it brought, and what it never gives away."""

from __future__ import annotations

import http.server
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from probes.answers import Fetched
from probes.errors import HostError
from probes.host import Host
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.replay import Recording, ReplayDoor

TOKEN = "eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl"
BODY = bytes(range(256)) * 4


class Talk(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def do_PROPFIND(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(207)
        self.send_header("Content-Length", str(len(asked)))
        self.end_headers()
        self.wfile.write(asked)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Talk)
    made.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def answering() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Start a server that treats one connection as told; gives its port."""
    held: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(treat: Callable[[socket.socket], None]) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        held.append(listening)

        def once() -> None:
            try:
                link, _ = listening.accept()
            except OSError:
                return
            held.append(link)
            link.recv(65_536)
            treat(link)

        threads.append(threading.Thread(target=once, daemon=True))
        threads[-1].start()
        return int(listening.getsockname()[1])

    yield start
    for link in held:
        link.close()
    for thread in threads:
        thread.join(5)


def _url(server: http.server.ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/x"


def _fetch(url: str, **options: object) -> Fetched:
    given = {"connect_timeout_s": 2.0, "timeout_s": 2.0, **options}
    return Host(LiveDoor()).fetch(url, **given)  # type: ignore[arg-type]


def test_content_comes_as_it_is(server: http.server.ThreadingHTTPServer) -> None:
    answer = _fetch(_url(server))
    assert (answer.status, answer.body, answer.complete, answer.error) == (200, BODY, True, None)
    assert answer.stage == "body"
    assert answer.expected_bytes == len(BODY)


def test_a_method_with_content(server: http.server.ThreadingHTTPServer) -> None:
    answer = _fetch(_url(server), method="PROPFIND", content="<propfind/>")
    assert (answer.status, answer.body) == (207, b"<propfind/>")


def test_what_is_beyond_the_limit_is_not_read(server: http.server.ThreadingHTTPServer) -> None:
    answer = _fetch(_url(server), limit_bytes=100)
    assert answer.body == BODY[:100]
    assert not answer.complete
    assert answer.error is None


def test_through_a_proxy_the_whole_url_is_asked(server: http.server.ThreadingHTTPServer) -> None:
    answer = _fetch("http://stratum.example:80/x", proxy=_url(server).removesuffix("/x"))
    assert answer.status == 200
    assert server.seen[0]["Host"] == "stratum.example:80"  # type: ignore[attr-defined]


def test_a_server_that_cuts_the_body(answering: Callable[[Callable[[socket.socket], None]], int]) -> None:
    def cut(link: socket.socket) -> None:
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 10)
        link.shutdown(socket.SHUT_RDWR)

    answer = _fetch(f"http://127.0.0.1:{answering(cut)}/")
    assert (answer.stage, answer.status, answer.body, answer.complete) == ("body", 200, b"x" * 10, False)
    assert answer.error == "the connection ended after 10 of 1000 bytes"


def test_a_server_that_resets_the_connection(
    answering: Callable[[Callable[[socket.socket], None]], int],
) -> None:
    def reset(link: socket.socket) -> None:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()

    answer = _fetch(f"http://127.0.0.1:{answering(reset)}/")
    assert (answer.stage, answer.errno_name, answer.status) == ("answer", "ECONNRESET", None)


def test_a_server_that_says_nothing(answering: Callable[[Callable[[socket.socket], None]], int]) -> None:
    answer = _fetch(f"http://127.0.0.1:{answering(lambda _: None)}/", timeout_s=0.3)
    assert (answer.stage, answer.errno_name) == ("answer", "ETIMEDOUT")
    assert answer.error == "no answer within 0.3 s"


def test_a_server_that_stops_in_the_body(answering: Callable[[Callable[[socket.socket], None]], int]) -> None:
    def stop(link: socket.socket) -> None:
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 10)

    answer = _fetch(f"http://127.0.0.1:{answering(stop)}/", timeout_s=0.4)
    assert (answer.stage, answer.errno_name, answer.body) == ("body", "ETIMEDOUT", b"x" * 10)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    answer = _fetch(f"http://127.0.0.1:{port}/")
    assert (answer.stage, answer.errno_name) == ("connect", "ECONNREFUSED")


def test_a_name_without_address() -> None:
    answer = _fetch("http://nowhere.invalid/", connect_timeout_s=10.0, timeout_s=12.0)
    assert answer.stage == "resolve"
    assert "nowhere.invalid" in (answer.error or "")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "gopher://x", "http://[::1"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(HostError, match="not an http or https URL"):
        _fetch(url)


def test_a_token_is_sent_and_not_recorded(
    server: http.server.ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEARER_TOKEN", TOKEN)
    kept = tmp_path / "recording"
    begin(kept)
    door = RecordingDoor(LiveDoor(), kept, "test", None)
    live = Host(door).fetch(_url(server), credential="token")
    door.close()
    finish(kept, agent_version="0", created_at="2026-11-22T00:00:00Z", redacted=False)

    assert server.seen[0]["Authorization"] == f"Bearer {TOKEN}"  # type: ignore[attr-defined]
    assert TOKEN not in (kept / "answers.jsonl").read_text()
    assert Host(ReplayDoor(Recording(kept), "test")).fetch(_url(server), credential="token") == live


@pytest.mark.parametrize("value", ["with space", "line\nbreak", "naïve", "semi;colon"])
def test_a_token_that_is_none_is_not_sent(
    server: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("BEARER_TOKEN", value)
    with pytest.raises(HostError, match="RFC 6750") as caught:
        _fetch(_url(server), credential="token")
    assert value not in str(caught.value)
    assert server.seen == []  # type: ignore[attr-defined]


def test_a_damaged_recording_of_content_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "recording.json").write_text(json.dumps({"recording_version": "1.0"}))
    arguments = ["GET", "http://x/", {}, None, None, None, None, 5.0, 10.0, 100]
    answer = [200, {}, "***", 1, 1, True, "body", None, None, 0.1, 0.2]
    line = {"ask": "fetch", "args": arguments, "by": "test", "answer": answer}
    (tmp_path / "answers.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(HostError, match="the recorded answer to 'fetch' is damaged"):
        Host(ReplayDoor(Recording(tmp_path), "test")).fetch("http://x/")


def test_an_answer_may_take_longer_than_the_connection(
    answering: Callable[[Callable[[socket.socket], None]], int],
) -> None:
    def late(link: socket.socket) -> None:
        threading.Event().wait(1.0)
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    url = f"http://127.0.0.1:{answering(late)}/"
    answer = Host(LiveDoor()).fetch(url, connect_timeout_s=0.4, timeout_s=30.0)
    assert (answer.status, answer.body, answer.error) == (200, b"ok", None)
