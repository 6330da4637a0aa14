"""Draining against a server on loopback that answers as it is told."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.delivery.deliver import deliver, hand_in
from agent.delivery.errors import DeliveryError
from profiles.reading import read_profile
from tests.lab.faulty_service import (
    DROPPED,
    HANGING,
    LOGIN_PAGE,
    LOST_ACKNOWLEDGEMENT,
    FaultyService,
    Reply,
    problem,
)
from tests.lab.waiting import until
from tests.unit.agent.delivery.examples import (
    drain,
    fill,
    id_of,
    numbered,
    reasons,
    settings,
    token_file,
)


def test_all_of_it_in_few_requests_the_oldest_first_on_one_connection(tmp_path: Path) -> None:
    spool = fill(tmp_path, 25)
    with FaultyService() as service:
        found = drain(tmp_path, service.url, batch_documents=10)
    assert found == (25, 0, 0, 0, None)
    sent = [json.loads(one)["id"] for request in service.seen for one in request.documents]
    assert sent == [id_of(number) for number in range(25)]
    assert [len(request.documents) for request in service.seen] == [10, 10, 5]
    assert service.connections == 1
    assert spool.waiting() == []


def test_a_request_has_no_more_bytes_than_it_may(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    with FaultyService() as service:
        assert drain(tmp_path, service.url, batch_bytes=len(numbered(1)) * 3).delivered == 10
    assert max(len(request.documents) for request in service.seen) == 3


BREAKDOWNS = {
    "dropped": DROPPED,
    "acknowledgement lost": LOST_ACKNOWLEDGEMENT,
    "html": LOGIN_PAGE,
    "redirected": Reply(302, headers={"Location": "http://localhost:1/elsewhere"}),
    "not found": problem(404),
    "timeout": problem(408),
    "unsupported": problem(415),
    "too many": problem(429, Retry_After="0"),
    "error": problem(500),
    "bad gateway": Reply(502, b"<html>", "text/html"),
    "away": problem(503, Retry_After="0"),
    "html 400": Reply(400, b"<html>", "text/html"),
    "html 403": Reply(403, b"<html>", "text/html"),
    "unauthorised": problem(401),
    "cut off": Reply(200, b'{"verdicts": [', "application/json"),
    "of others": Reply(200, {"counts": {}, "verdicts": []}, "application/json"),
}


@pytest.mark.parametrize("breakdown", BREAKDOWNS)
@pytest.mark.parametrize("number", [1, 5])
def test_after_a_breakdown_everything_arrives_once(tmp_path: Path, breakdown: str, number: int) -> None:
    spool = fill(tmp_path, number)
    with FaultyService(BREAKDOWNS[breakdown], BREAKDOWNS[breakdown]) as service:
        found = drain(tmp_path, service.url)
    assert found.delivered + found.duplicates == number
    assert (found.set_aside, found.left, found.reason) == (0, 0, None)
    assert len(service.stored) == number
    assert spool.waiting() == []
    assert reasons(spool) == {}


def test_flapping(tmp_path: Path) -> None:
    fill(tmp_path, 40)
    good = None
    with FaultyService() as service:
        plan = [DROPPED, LOST_ACKNOWLEDGEMENT, problem(503), LOGIN_PAGE]
        answer = service.answer

        def every_other(seen: object) -> Reply:
            nonlocal good
            good = not good
            if good:
                service.script.append(plan[len(service.seen) % len(plan)])
            return answer(seen)  # type: ignore[arg-type]

        service.answer = every_other  # type: ignore[method-assign,assignment]
        found = drain(tmp_path, service.url, batch_documents=5)
    assert found.delivered + found.duplicates == 40
    assert found.left == 0
    assert len(service.stored) == 40


def test_a_slow_service_is_left_when_time_is_up_and_nothing_is_lost(tmp_path: Path) -> None:
    spool = fill(tmp_path, 3)
    with FaultyService(HANGING) as service:
        found = drain(tmp_path, service.url, limit_s=0.4)
        assert found.left == 3
        assert "no" in (found.reason or "")
        assert len(spool.waiting()) == 3
        assert drain(tmp_path, service.url).delivered == 3


def test_an_answer_that_never_ends_costs_one_attempt(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    with FaultyService(HANGING) as service:
        assert drain(tmp_path, service.url, answer_s=0.3).delivered == 3


def test_stopped_while_it_waits_for_an_answer(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    stopping = threading.Event()
    with FaultyService(HANGING) as service:
        results = []
        one = settings(tmp_path, service.url)
        thread = threading.Thread(
            target=lambda: results.append(deliver(one, until_s=None, stop=stopping.is_set))
        )
        thread.start()
        until("request", lambda: service.seen, limit_s=30)
        stopping.set()
        thread.join(30)
    assert results[0].left == 3
    assert "interrupted" in results[0].reason


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    before = threading.active_count()
    with FaultyService(*[HANGING] * 9) as service:
        assert drain(tmp_path, service.url, answer_s=0.2, attempts=3).left == 3
        assert not [one for one in threading.enumerate() if one.name == "delivery"]
    until("threads to end", lambda: threading.active_count() <= before, limit_s=30)


def test_the_service_is_waited_for_as_long_as_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, 1)
    clock = _Clock(monkeypatch)
    with FaultyService(problem(503, Retry_After="120"), problem(429, Retry_After="7")) as service:
        deliver(settings(tmp_path, service.url), until_s=None, stop=lambda: False)
    assert clock.slept_s >= 127
    assert "next attempt in 120." in caplog.text


class _Clock:
    """Sleeping costs no time, and is counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slept_s = 0.0
        monotonic = time.monotonic
        monkeypatch.setattr("agent.delivery.drain.time.monotonic", lambda: monotonic() + self.slept_s)
        monkeypatch.setattr("agent.delivery.drain.time.sleep", self._sleep)

    def _sleep(self, length_s: float) -> None:
        self.slept_s += length_s


def test_down_for_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 3)
    clock = _Clock(monkeypatch)
    with FaultyService() as service:
        answer = service.answer

        def away_for_an_hour(seen: object) -> Reply:
            if clock.slept_s < 3600:
                service.script.append(problem(503))
            return answer(seen)  # type: ignore[arg-type]

        service.answer = away_for_an_hour  # type: ignore[method-assign,assignment]
        one = settings(tmp_path, service.url, backoff_first_s=1, backoff_max_s=300)
        found = deliver(one, until_s=None, stop=lambda: False)
    assert found.delivered == 3
    assert 3600 <= clock.slept_s < 3600 + 300
    assert len(service.seen) < 40


def test_what_the_service_never_takes_is_set_aside_with_its_reason_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    spool = fill(tmp_path, 4)
    with FaultyService() as service:
        service.stored[id_of(1)] = b"another document"
        found = drain(tmp_path, service.url)
    assert (found.delivered, found.set_aside, found.left) == (3, 1, 0)
    assert list(reasons(spool)) == [id_of(1)]
    assert "conflict" in reasons(spool)[id_of(1)]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_that_spoils_a_request_is_found_and_set_aside(tmp_path: Path, status: int) -> None:
    spool = fill(tmp_path, 9)
    with FaultyService() as service:
        answer = service.answer

        def refuse_with_the_sixth(seen) -> Reply:  # type: ignore[no-untyped-def]  # noqa: ANN001
            if any(id_of(6).encode() in one for one in seen.documents):
                service.script.append(problem(status, "this one"))
            return answer(seen)

        service.answer = refuse_with_the_sixth  # type: ignore[method-assign]
        found = drain(tmp_path, service.url)
    assert (found.delivered, found.set_aside, found.left) == (8, 1, 0)
    assert reasons(spool) == {id_of(6): f"the service answered {status}: this one"}


def test_a_damaged_file_is_set_aside_and_never_sent(tmp_path: Path) -> None:
    spool = fill(tmp_path, 3)
    path = spool.directory / spool.waiting()[1].file
    path.write_bytes(path.read_bytes()[:-20])
    with FaultyService() as service:
        found = drain(tmp_path, service.url)
    assert (found.delivered, found.set_aside, found.left) == (2, 1, 0)
    assert id_of(1) not in service.stored
    assert "damaged" in reasons(spool)[id_of(1)]


def test_a_token_that_ends_in_the_middle_and_is_renewed(tmp_path: Path) -> None:
    fill(tmp_path, 30)
    with FaultyService() as service:
        service.tokens = {"first-token"}
        answer = service.answer

        def third_request_ends_it(seen: object) -> Reply:
            if len(service.seen) == 2:
                service.tokens = {"second-token"}
            if len(service.seen) == 4:
                token_file(tmp_path).write_text("second-token\n")
            return answer(seen)  # type: ignore[arg-type]

        service.answer = third_request_ends_it  # type: ignore[method-assign,assignment]
        found = drain(tmp_path, service.url, batch_documents=10)
    assert found == (30, 0, 0, 0, None)
    assert [request.token for request in service.seen].count("second-token") == 1


def test_a_refused_sender_is_told_and_keeps_everything(tmp_path: Path) -> None:
    spool = fill(tmp_path, 3)
    with FaultyService() as service:
        service.tokens = {"another"}
        found = drain(tmp_path, service.url, attempts=3)
    assert found.left == len(spool.waiting()) == 3
    assert "401: the token has expired" in (found.reason or "")
    assert "delivery.token_file" in (found.reason or "")


def test_a_profile_of_a_site_that_the_token_may_not_write_for_waits_for_another_token(tmp_path: Path) -> None:
    fill(tmp_path, 3)

    def forbid_the_first(service: FaultyService) -> Callable[..., Reply]:
        answer = service.answer

        def answered(seen) -> Reply:  # type: ignore[no-untyped-def]  # noqa: ANN001
            reply = answer(seen)
            if seen.token == "first-token" and len(seen.documents) > 1:
                reply.body["verdicts"][0].update(status="forbidden", message="not for T2_LV_Example")
                service.stored.pop(id_of(0), None)
                token_file(tmp_path).write_text("second-token")
            return reply

        return answered

    with FaultyService() as service:
        service.answer = forbid_the_first(service)  # type: ignore[method-assign]
        found = drain(tmp_path, service.url)
    assert found == (3, 0, 0, 0, None)
    assert len(service.seen) == 2


def test_the_token_is_in_no_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "eyJhbGciOi.eyJzdWIiOi.c2VjcmV0"
    (tmp_path / "token").write_text(secret)
    spool = fill(tmp_path, 2)
    echoing = problem(503, f"Bearer {secret} is not known")
    forbidding = Reply(
        200,
        {
            "verdicts": [
                {"index": place, "id": id_of(place), "status": "invalid", "message": f"token {secret}"}
                for place in range(2)
            ]
        },
        "application/json",
    )
    with FaultyService(echoing, DROPPED, HANGING, forbidding) as service:
        found = drain(tmp_path, service.url, answer_s=3)
    assert found.set_aside == 2
    said = caplog.text + str(found) + json.dumps(reasons(spool))
    assert "[token]" in said
    assert secret not in said
    assert service.seen[0].token == secret


def test_two_agents_at_once_send_each_profile_once(tmp_path: Path) -> None:
    fill(tmp_path, 120)
    with FaultyService() as service:
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(drain(tmp_path, service.url, batch_documents=7)))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert [found.left for found in results] == [0, 0, 0]
    assert sum(found.delivered for found in results) == 120
    assert sum(found.duplicates for found in results) == 0
    assert sum(len(request.documents) for request in service.seen) == 120


def test_what_another_agent_holds_is_waited_for(tmp_path: Path) -> None:
    spool = fill(tmp_path, 2)
    held = spool.claim(spool.waiting()[0])
    assert held is not None
    with FaultyService() as service:
        found = drain(tmp_path, service.url, answer_s=2)
        assert (found.delivered, found.left) == (1, 1)
        assert "another agent" in (found.reason or "")
        held.release()
        assert drain(tmp_path, service.url).delivered == 1


def test_an_empty_spool_asks_nothing(tmp_path: Path) -> None:
    with FaultyService() as service:
        assert drain(tmp_path, service.url) == (0, 0, 0, 0, None)
    assert service.seen == []
    assert not (tmp_path / "spool").exists()


def test_handed_in_at_once(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    with FaultyService() as service:
        one = settings(tmp_path, service.url)
        found = hand_in(read_profile(numbered(7)), one, until_s=time.monotonic() + 30, stop=lambda: False)
    assert found.delivered == 2
    assert read_profile(service.stored[id_of(7)]) == read_profile(numbered(7))


def test_with_nowhere_to_send_a_profile_is_left_as_a_file(tmp_path: Path) -> None:
    one = settings(tmp_path).model_copy(update={"url": None})
    found = hand_in(read_profile(numbered(7)), one, until_s=None, stop=lambda: False)
    path = tmp_path / "output" / f"sitecap-{id_of(7)}.json"
    assert read_profile(path.read_bytes()) == read_profile(numbered(7))
    assert found.left == 1
    assert f"agent submit {path}" in (found.reason or "")
    assert not (tmp_path / "spool").exists()
    with pytest.raises(DeliveryError, match=r"delivery.url is not set"):
        deliver(one, until_s=None, stop=lambda: False)


def test_without_a_spool_it_is_sent_from_memory(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("not a directory")
    with FaultyService(DROPPED) as service:
        one = settings(tmp_path, service.url)
        found = hand_in(read_profile(numbered(7)), one, until_s=time.monotonic() + 30, stop=lambda: False)
    assert found == (1, 0, 0, 0, None)
    assert list(service.stored) == [id_of(7)]


def test_without_a_spool_and_a_service_it_is_left_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("not a directory")
    one = settings(tmp_path, "http://localhost:1")
    found = hand_in(read_profile(numbered(7)), one, until_s=time.monotonic() + 0.2, stop=lambda: False)
    (path,) = (tmp_path / "output").iterdir()
    assert read_profile(path.read_bytes()).id == id_of(7)
    assert found.left == 1
    assert str(path) in (found.reason or "")


def test_a_name_server_that_never_answers_holds_one_thread_however_often_it_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 1)
    answered = threading.Event()
    asked = []

    def hang(*arguments: object, **_: object) -> list[object]:
        asked.append(arguments)
        answered.wait()
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    before = threading.active_count()
    try:
        one = settings(tmp_path, "https://capacity.example")
        found = deliver(one, until_s=None, stop=lambda: bool(asked))
        for _ in range(3):
            found = drain(tmp_path, "https://capacity.example", attempts=2)
            assert found.left == 1
        assert len(asked) == 1
        assert threading.active_count() == before + 1
        assert "name server" in (found.reason or "")
    finally:
        answered.set()
    until("thread to end", lambda: threading.active_count() == before, limit_s=30)
