"""What the pages answer, and that clients which never end keep nobody out."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from agent.daemon.page_server import MAX_CONNECTIONS, MAX_REQUEST_BYTES, State, answer
from agent.daemon.pages import Pages, PagesError, listen
from tests.lab.waiting import until

ASK = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"


def status(path: bytes, state: State, now_s: float = 0.0) -> tuple[int, bytes]:
    head, _, body = answer(ASK % path, state, now_s).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def told(at: float, *, ready: bool = True) -> State:
    state = State(300.0, 0.0)
    state.take({"at": at, "ready": ready, "why_not": "not yet", "metrics": "a 1\n"})
    return state


def test_health_is_the_age_of_the_last_turn() -> None:
    assert status(b"/healthz", told(1000.0), 1300.0)[0] == 200
    assert status(b"/healthz", told(1000.0), 1301.0) == (503, b"the loop has not turned for 301 s\n")
    assert status(b"/healthz", State(300.0, 0.0), 301.0)[0] == 503, "a loop that never began is not healthy"


def test_ready_needs_a_picture_and_a_loop_that_turns() -> None:
    assert status(b"/readyz", told(1000.0), 1001.0) == (200, b"ready\n")
    assert status(b"/readyz", told(1000.0, ready=False), 1001.0) == (503, b"not yet\n")
    assert status(b"/readyz", told(1000.0), 2000.0)[0] == 503


def test_metrics_stay_until_there_are_new_ones() -> None:
    state = told(1.0)
    state.take({"at": 2.0, "ready": True, "why_not": ""})
    assert status(b"/metrics?x=1", state) == (200, b"a 1\n")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET /nothing HTTP/1.1\r\n\r\n", 404),
        (b"POST /metrics HTTP/1.1\r\n\r\n", 405),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET /metrics\r\n\r\n", 400),
        (b"\xff\xfe\r\n\r\n", 400),
    ],
)
def test_other_requests_get_their_code(request_: bytes, code: int) -> None:
    assert int(answer(request_, told(0.0), 0.0).split()[1]) == code


def test_head_has_the_length_and_no_body() -> None:
    head = answer(b"HEAD /metrics HTTP/1.0\r\n\r\n", told(0.0), 0.0)
    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Length: 4\r\n" in head


@pytest.fixture
def pages() -> Iterator[Pages]:
    found = Pages(listen("127.0.0.1", 0), 300.0)
    found.start()
    found.tell(ready=True, why_not="", metrics="a 1\n")
    yield found
    found.stop()


def ask(pages: Pages, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", pages.port, timeout=60)
    connection.request("GET", path)
    answered = connection.getresponse()
    body = answered.read().decode()
    connection.close()
    return answered.status, body


def test_a_process_of_its_own_answers(pages: Pages) -> None:
    until("the message", lambda: ask(pages, "/metrics") == (200, "a 1\n"), limit_s=60)
    pages.tell(ready=True, why_not="", metrics="a 2\n" + "b 1\n" * 20_000)
    until("the next message", lambda: ask(pages, "/metrics")[1].startswith("a 2\n"), limit_s=60)
    assert ask(pages, "/readyz")[0] == 200


def test_a_page_that_is_longer_than_a_message_of_the_kernel_may_be(pages: Pages) -> None:
    whole = "b 1\n" * 500_000
    pages.tell(ready=False, why_not="x" * 10**6, metrics=whole)
    until("the page", lambda: ask(pages, "/metrics")[1] == whole, limit_s=60)
    assert ask(pages, "/readyz")[0] == 503
    os.kill(pages.pid, signal.SIGKILL)
    until("its end", lambda: pages.revive() is not None, limit_s=60)
    until("the page again", lambda: ask(pages, "/metrics")[1] == whole, limit_s=60)


def test_clients_that_never_end_their_request_keep_nobody_out(pages: Pages) -> None:
    slow = [socket.create_connection(("127.0.0.1", pages.port)) for _ in range(3 * MAX_CONNECTIONS)]
    for one in slow:
        one.sendall(b"GET /healthz HT")
    assert ask(pages, "/healthz")[0] == 200
    for one in slow:
        one.close()


def test_a_client_that_floods_is_dropped(pages: Pages) -> None:
    with socket.create_connection(("127.0.0.1", pages.port), timeout=60) as one:  # noqa: SIM117
        with pytest.raises(OSError):  # noqa: PT011, PT012 - reset or broken pipe, as the kernel has it
            while True:
                one.sendall(b"x" * MAX_REQUEST_BYTES)
    assert ask(pages, "/healthz")[0] == 200


def test_a_process_that_was_killed_is_replaced_and_knows_the_page(pages: Pages) -> None:
    os.kill(pages.pid, signal.SIGKILL)
    until("its end", lambda: (said := pages.revive()) is not None and "exit status -9" in said, limit_s=60)
    until("the page", lambda: ask(pages, "/metrics") == (200, "a 1\n"), limit_s=60)


def test_it_ends_with_the_loop(pages: Pages) -> None:
    pid = pages.pid
    began = time.monotonic()
    pages.stop()
    assert not os.path.exists(f"/proc/{pid}"), f"still there after {time.monotonic() - began} s"


def test_a_port_that_is_taken_is_one_sentence() -> None:
    says = r"cannot listen on 127\.0\.0\.1, port \d+: .*set daemon.listen"
    with listen("127.0.0.1", 0) as taken, pytest.raises(PagesError, match=says):
        listen("127.0.0.1", taken.getsockname()[1])
