"""Parts of the door by themselves: bodies, rates, shared transactions, headers, logs, metrics."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from capacity.api import intake as intake_module
from capacity.api.intake import Intake
from capacity.api.logs import JsonFormatter, TextFormatter, masked
from capacity.errors import UnavailableError
from capacity.service.credentials import new_api_token
from capacity.service.ingest import Verdict
from capacity.service.principal import Principal
from tests.lab.tokens import Issuer
from tests.unit.capacity.api.conftest import Door
from tests.unit.capacity.documents import OTHER_SUBMITTER, SUBMITTER, profile


class Store:
    """Stands for the transaction: notes what shared one, fails as it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Principal, int]] = []
        self.gate = threading.Event()
        self.poison = b""
        self.away = False

    def __call__(
        self, _: Any, documents: Sequence[bytes], principal: Principal, now: datetime
    ) -> list[Verdict]:
        self.gate.wait(10)
        self.calls.append((principal, len(documents)))
        if self.away:
            raise UnavailableError("away", 7)
        if self.poison and self.poison in documents:
            raise RuntimeError("poisoned")
        return [Verdict(index, str(document), "stored", "stored") for index, document in enumerate(documents)]


class TestIntake:
    @pytest.fixture
    def store(self, monkeypatch: pytest.MonkeyPatch) -> Store:
        store = Store()
        monkeypatch.setattr(intake_module, "accept", store)
        return store

    def run(self, store: Store, *documents: tuple[bytes, Principal]) -> list[Any]:
        async def work() -> list[Any]:
            intake = Intake(None, lambda: datetime.now(UTC), 30)  # type: ignore[arg-type]
            intake.start()
            waiting = [asyncio.ensure_future(intake.one(*one)) for one in documents]
            await asyncio.sleep(0.05)
            store.gate.set()
            found = await asyncio.gather(*waiting, return_exceptions=True)
            await intake.stop()
            return found

        return asyncio.run(work())

    def test_what_waits_shares_a_transaction_by_principal(self, store: Store) -> None:
        documents = [(b"%d" % number, SUBMITTER if number % 3 else OTHER_SUBMITTER) for number in range(30)]
        found = self.run(store, *documents)
        assert [verdict.id for verdict in found] == [str(document) for document, _ in documents]
        assert len(store.calls) <= 4
        assert sum(size for principal, size in store.calls if principal == OTHER_SUBMITTER) == 10

    def test_one_that_breaks_does_not_fail_its_neighbours(self, store: Store) -> None:
        store.poison = b"13"
        found = self.run(store, *[(b"%d" % number, SUBMITTER) for number in range(20)])
        assert [type(one) for one in found].count(RuntimeError) == 1
        assert isinstance(found[13], RuntimeError)
        assert sum(isinstance(one, Verdict) for one in found) == 19

    def test_a_database_that_is_away_is_told_to_all_at_once(self, store: Store) -> None:
        store.away = True
        found = self.run(store, *[(b"%d" % number, SUBMITTER) for number in range(600)])
        assert all(isinstance(one, UnavailableError) and one.retry_after_s == 7 for one in found)
        assert len(store.calls) <= 2  # those behind the failure were not tried one batch after the other

    def test_whoever_goes_away_leaves_the_others_alone(self, store: Store) -> None:
        async def work() -> Verdict:
            intake = Intake(None, lambda: datetime.now(UTC), 30)  # type: ignore[arg-type]
            intake.start()
            gone = asyncio.ensure_future(intake.one(b"gone", SUBMITTER))
            stays = asyncio.ensure_future(intake.one(b"stays", SUBMITTER))
            await asyncio.sleep(0.05)
            gone.cancel()
            store.gate.set()
            found = await stays
            await intake.stop()
            return found

        assert asyncio.run(work()).status == "stored"

    def test_a_database_that_hangs_is_told_in_time(self, store: Store) -> None:
        async def work() -> None:
            intake = Intake(None, lambda: datetime.now(UTC), 0.1)  # type: ignore[arg-type]
            intake.start()
            for found in (intake.one(b"one", SUBMITTER), intake.many([b"two"], SUBMITTER)):
                with pytest.raises(UnavailableError, match="send it again"):
                    await found
            store.gate.set()
            await intake.stop()

        asyncio.run(work())


class TestHeaders:
    def test_every_answer_has_them(self, door: Door) -> None:
        answers = [
            door.ask("GET", "/healthz"),
            door.ask("GET", "/nowhere"),
            door.ask("GET", "/api/v1/nodes"),
            door.ask("POST", "/api/v1/tokens", content=b"x" * 100_000),
        ]
        assert [answer.status_code for answer in answers] == [200, 404, 401, 413]
        for answer in answers:
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "no-store" in answer.headers["cache-control"]
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert "strict-transport-security" not in answer.headers  # not over plain HTTP

    def test_over_tls_browsers_are_told_to_stay_there(self, door: Door) -> None:
        door.client.base_url = "https://testserver"
        assert "max-age" in door.ask("GET", "/healthz").headers["strict-transport-security"]


class TestLogs:
    def lines(self, formatter: logging.Formatter, *messages: str, **fields: Any) -> str:
        stream = io.StringIO()
        logger = logging.getLogger("capacity.test")
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        for message in messages:
            logger.info(message, extra=fields)
        logger.removeHandler(handler)
        return stream.getvalue()

    @pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
    def test_no_secret_gets_through(self, formatter: logging.Formatter) -> None:
        token, signed = new_api_token(), Issuer().token()
        url = "postgresql+psycopg://sitecap:hunter2@db.example/capacity"
        text = self.lines(
            formatter,
            f"{token.text} {signed}",
            f"Bearer {signed}",
            url,
            path=f"/x/{token.text}",
            subject=signed,
        )
        for secret in (token.secret, signed, signed.split(".")[1], "hunter2"):
            assert secret not in text
        assert token.id in text

    def test_a_line_is_an_object(self) -> None:
        told = json.loads(self.lines(JsonFormatter(), "said", status=200, path="/\n\u2028x"))
        assert told["message"] == "said"
        assert told["status"] == 200

    @pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
    def test_a_line_cannot_be_forged(self, formatter: logging.Formatter) -> None:
        assert self.lines(formatter, "a\nb\r\u2028c\x1b[31m", path="/\n/").count("\n") == 1

    def test_what_is_no_secret_stays(self) -> None:
        assert (
            masked("GET /sites/T2_LV_Example https://host/path")
            == "GET /sites/T2_LV_Example https://host/path"
        )

    def test_requests_are_told_without_their_credentials(
        self, door: Door, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, logger="capacity.request"):
            door.post(profile())
            door.ask("GET", f"/api/v1/nodes?token={door.tokens['admin']}", "read")
        told = [record.__dict__ for record in caplog.records if record.name == "capacity.request"]
        assert [(one["route"], one["status"]) for one in told] == [
            ("post_profiles", 202),
            ("list_nodes", 422),
        ]
        assert told[0]["subject"] == door.tokens["submit"].split("_")[1]
        everything = repr(told)
        assert not any(token.split("_", 2)[2] in everything for token in door.tokens.values())


class TestTelemetry:
    def test_requests_and_verdicts_are_counted(self, door: Door) -> None:
        door.post(profile())
        door.post_lines(profile(), b"{}", b"{}")
        told = door.ask("GET", "/metrics", "read").text
        assert 'sitecap_http_requests_total{method="POST",route="post_profiles",status="202"} 1.0' in told
        assert 'sitecap_profiles_total{status="stored"} 2.0' in told
        assert 'sitecap_profiles_total{status="invalid"} 2.0' in told
        assert "sitecap_bodies_in_flight_bytes 0.0" in told

    def test_made_up_addresses_make_no_series(self, door: Door) -> None:
        for number in range(20):
            door.ask("GET", f"/made-up-{number}")
            door.ask(f"X{number}", "/healthz")
        told = door.ask("GET", "/metrics", "read").text
        assert "made-up" not in told
        assert told.count("sitecap_http_requests_total{") <= 4

    def test_an_error_nobody_foresaw_has_an_id_and_no_traceback(
        self, door: Door, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: Any) -> None:
            raise RuntimeError("a secret detail")

        monkeypatch.setattr("capacity.api.sites.fleet_view.fleet", broken)
        answer = door.ask("GET", "/api/v1/sites", "read")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        error_id = answer.json()["detail"].split(":")[0].removeprefix("internal error ")
        assert error_id in caplog.text


def test_ready_says_whether_the_database_answers(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise UnavailableError("the database cannot be asked now", 10)

    assert door.ask("GET", "/readyz").status_code == 200
    monkeypatch.setattr(door.service.database, "ping", away)
    answer = door.ask("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert door.ask("GET", "/healthz").status_code == 200


def test_openapi_describes_every_status_that_receiving_may_answer(door: Door) -> None:
    document = door.ask("GET", "/api/v1/openapi.json").json()
    answers = document["paths"]["/api/v1/profiles"]["post"]["responses"]
    assert set(answers) == {
        "200",
        "202",
        "400",
        "401",
        "403",
        "408",
        "409",
        "413",
        "415",
        "422",
        "429",
        "503",
    }
    for status in ("429", "503"):
        assert "Retry-After" in answers[status]["headers"]
