"""What an answer means. What is not the service's word on a document gives up no document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.delivery.verdicts import MAX_CHARS, Answer, Fate, judge

ONE, TWO = "01900001-ac96-774b-bcce-b302099a8057", "01900002-ac96-774b-bcce-b302099a8057"
JSON = "application/json"
PROBLEM = "application/problem+json"


def answer(status: int, body: Any, kind: str = JSON) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {"content-type": kind}, content)


def verdict(one: str | None, status: str, index: int = 0) -> dict[str, Any]:
    return {"index": index, "id": one, "status": status, "message": "why"}


def problem(status: int, **more: Any) -> Answer:
    return answer(status, {"status": status, "detail": "why", **more}, PROBLEM)


def lines(*verdicts: dict[str, Any]) -> Answer:
    return answer(200, {"counts": {}, "verdicts": list(verdicts)})


def fates(found: Answer, *ids: str) -> list[Fate] | None:
    judged = judge(found, ids)
    return None if judged.fates is None else [fate for fate, _ in judged.fates]


def test_each_line_has_its_own_fate() -> None:
    kinds = ["stored", "duplicate", "conflict", "invalid", "forbidden", "quarantined"]
    wanted = [Fate.DELIVERED, Fate.DUPLICATE, Fate.SET_ASIDE, Fate.SET_ASIDE, Fate.KEPT, Fate.KEPT]
    ids = [ONE.replace("1", str(place)) for place in range(len(kinds))]
    said = [verdict(one, kind, place) for place, (one, kind) in enumerate(zip(ids, kinds, strict=True))]
    assert fates(lines(*said), *ids) == wanted


def test_of_what_it_could_not_read_the_service_knows_no_id() -> None:
    assert fates(lines(verdict(ONE, "stored"), verdict(None, "invalid", 1)), ONE, TWO) == [
        Fate.DELIVERED,
        Fate.SET_ASIDE,
    ]
    assert fates(lines(verdict(ONE, "stored"), verdict(None, "stored", 1)), ONE, TWO) is None


@pytest.mark.parametrize(
    "said",
    [
        [verdict(ONE, "stored")],
        [verdict(ONE, "stored"), verdict(TWO, "stored", 1), verdict(TWO, "stored", 2)],
        [verdict(TWO, "stored"), verdict(ONE, "stored", 1)],
        [verdict(ONE, "stored"), verdict(TWO, "stored", 5)],
        [verdict(ONE, "stored"), "stored"],
        None,
        {},
    ],
)
def test_an_answer_that_does_not_fit_the_documents_acknowledges_nothing(said: Any) -> None:
    assert fates(answer(200, {"counts": {}, "verdicts": said}), ONE, TWO) is None


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        # The index is the place among all that the service took in at that moment.
        (answer(202, verdict(ONE, "stored", 17)), Fate.DELIVERED),
        (answer(200, verdict(ONE, "duplicate")), Fate.DUPLICATE),
        (problem(403, verdict=verdict(ONE, "forbidden")), Fate.KEPT),
        (problem(409, verdict=verdict(ONE, "conflict")), Fate.SET_ASIDE),
        (problem(422, verdict=verdict(None, "invalid")), Fate.SET_ASIDE),
        (problem(400), Fate.SET_ASIDE),
        (problem(413), Fate.SET_ASIDE),
        (answer(413, b"<html>nginx</html>", "text/html"), Fate.SET_ASIDE),
    ],
)
def test_one_document(found: Answer, wanted: Fate) -> None:
    assert fates(found, ONE) == [wanted]


@pytest.mark.parametrize(
    "found",
    [
        answer(200, b"<html>log in</html>", "text/html"),
        answer(200, b"", JSON),
        answer(200, b"{", JSON),
        answer(200, b"[" * 100_000, JSON),
        answer(200, {"counts": {}}, JSON),
        answer(202, verdict(TWO, "stored")),
        answer(202, verdict(ONE, "duplicate")),
        answer(204, b""),
        answer(400, b"<html>bad request</html>", "text/html"),
        answer(422, {"error": "another program's"}, JSON),
        problem(408),
        problem(415),
        problem(429),
        problem(500),
        problem(503),
        answer(502, b"<html>bad gateway</html>", "text/html"),
        answer(302, b""),
        answer(404, b"not here", "text/plain"),
        answer(407, b""),
    ],
)
def test_what_is_not_about_the_document_leaves_it_where_it_is(found: Answer) -> None:
    judged = judge(found, [ONE])
    assert judged.fates is None
    assert not judged.split
    assert judged.reason


@pytest.mark.parametrize("status", [400, 413, 422])
def test_many_at_once_are_tried_in_smaller_requests(status: int) -> None:
    assert judge(problem(status), [ONE, TWO]).split
    assert not judge(problem(500), [ONE, TWO]).split


@pytest.mark.parametrize("status", [401, 403])
def test_the_sender_is_refused(status: int) -> None:
    judged = judge(problem(status), [ONE, TWO])
    assert judged.refused
    assert judged.fates is None
    assert "token" in (judged.reason or "")


def test_the_words_of_a_server_are_one_line_of_bounded_length() -> None:
    hostile = answer(503, {"detail": "\x1b[31mred\n" + "x" * 10_000}, PROBLEM)
    reason = judge(hostile, [ONE]).reason or ""
    assert reason.isprintable()
    assert len(reason) < MAX_CHARS + 100
