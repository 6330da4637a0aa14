"""Parts of the door by themselves: bodies, rates, headers, logs, metrics."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from capacity.api.logs import JsonFormatter, TextFormatter, masked
from capacity.errors import UnavailableError
from capacity.service.credentials import new_api_token
from tests.lab.tokens import Issuer
from tests.unit.capacity.api.conftest import Door
from tests.unit.capacity.documents import profile


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
