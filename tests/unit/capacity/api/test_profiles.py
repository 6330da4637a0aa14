"""Profiles through the front door: verdicts, bounds, idempotence, rates."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta

import pytest

from capacity.service import retention
from capacity.service.refresh import refresh_pending
from profiles.reading import MAX_PROFILE_BYTES
from tests.unit.capacity.api.conftest import Door, Open
from tests.unit.capacity.documents import OTHER_SITE, SITE, new_id, node, profile


def stored(door: Door) -> int:
    return sum(entry["profiles"] for entry in door.ask("GET", "/api/v1/nodes", "read").json()["nodes"])


class TestOne:
    def test_it_is_kept_byte_for_byte(self, door: Door) -> None:
        document = profile(id=(one := new_id()))
        answer = door.post(document)
        assert answer.status_code == 202
        assert answer.json() == {"index": 0, "id": one, "status": "stored", "message": "stored"}
        assert door.ask("GET", f"/api/v1/profiles/{one}", "read").content == document

    def test_sending_it_again_changes_nothing(self, door: Door) -> None:
        document = profile()
        assert [door.post(document).status_code for _ in range(3)] == [202, 200, 200]
        assert stored(door) == 1

    def test_another_document_of_that_id_is_a_conflict(self, door: Door) -> None:
        one = new_id()
        door.post(profile(id=one))
        answer = door.post(profile(id=one, node_id=node(2)))
        assert answer.status_code == 409
        assert answer.json()["verdict"]["status"] == "conflict"
        assert stored(door) == 1

    def test_another_site_s_name_is_refused(self, door: Door) -> None:
        answer = door.post(profile(site=OTHER_SITE))
        assert answer.status_code == 403
        assert OTHER_SITE in answer.json()["detail"]
        assert stored(door) == 0

    def test_a_replay_of_another_node_s_id_stays_at_the_sender_s_own_site(self, door: Door) -> None:
        door.post(profile(node_id=node(7)))
        assert door.post(profile(node_id=node(7), site=OTHER_SITE), "other").status_code == 202
        found = door.ask("GET", "/api/v1/nodes", "read").json()["nodes"]
        assert [(one["site"], one["profiles"]) for one in found] == [(OTHER_SITE, 1), (SITE, 1)]

    def test_without_a_site_it_is_the_sender_s_only_one(self, door: Door) -> None:
        assert door.post(profile(site=None)).status_code == 202
        assert door.post(profile(site=None), "everywhere").status_code == 422

    def test_gzip_is_taken(self, door: Door) -> None:
        assert door.post(gzip.compress(profile()), content_encoding="gzip").status_code == 202

    def test_an_older_minor_is_taken_and_another_major_is_told_what_to_do(self, door: Door) -> None:
        assert door.post(profile(schema_version="1.0")).status_code == 202
        answer = door.post(profile(schema_version="2.0"))
        assert answer.status_code == 422
        assert "MAJOR" in answer.json()["detail"]

    @pytest.mark.parametrize(
        ("document", "headers", "status"),
        [
            (b"", {}, 400),
            (b" \n", {}, 400),
            (b"{", {}, 422),
            (b"\xff\xfe", {}, 422),
            (b"[]", {}, 422),
            (b"{}", {"content_type": "text/plain"}, 415),
            (b"{}", {"content_type": ""}, 415),
            (b"{}", {"content_encoding": "br"}, 415),
            (b"{}", {"content_encoding": "gzip, gzip"}, 415),
            (b"{}", {"content_encoding": "gzip"}, 400),
            (gzip.compress(b"{}", mtime=0)[:-4], {"content_encoding": "gzip"}, 400),
            (zlib.compress(b"{}"), {"content_encoding": "gzip"}, 400),
        ],
    )
    def test_what_cannot_be_used_costs_one_sentence(
        self, door: Door, document: bytes, headers: dict[str, str], status: int
    ) -> None:
        answer = door.post(document, **headers)
        assert answer.status_code == status
        told = answer.json()
        assert told["status"] == status
        assert told["detail"]
        assert "Traceback" not in answer.text


class TestMany:
    def test_each_has_its_verdict_in_order(self, door: Door) -> None:
        twice = profile()
        answer = door.post_lines(
            twice, b"", b"no json", twice, profile(site=OTHER_SITE), profile(schema_version="9.0"), profile()
        )
        assert answer.status_code == 200
        told = answer.json()
        assert [one["status"] for one in told["verdicts"]] == [
            "stored",
            "invalid",
            "duplicate",
            "forbidden",
            "invalid",
            "stored",
        ]
        assert [one["index"] for one in told["verdicts"]] == list(range(6))
        assert told["counts"] == {"stored": 2, "invalid": 2, "duplicate": 1, "forbidden": 1}
        assert stored(door) == 2

    def test_more_than_one_transaction_s_worth_counts_on(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("capacity.api.intake.BULK_DOCUMENTS", 3)
        told = door.post_lines(*[profile(node_id=node(number)) for number in range(8)]).json()
        assert [one["index"] for one in told["verdicts"]] == list(range(8))
        assert told["counts"] == {"stored": 8}

    def test_too_many_are_refused_before_any_is_kept(self, open_door: Open) -> None:
        door = open_door(limits__documents=5)
        assert door.post_lines(*[profile() for _ in range(6)]).status_code == 413
        assert door.post_lines(*[b"" for _ in range(100)], profile()).status_code == 413
        assert stored(door) == 0

    def test_only_blank_lines_are_nothing(self, door: Door) -> None:
        assert door.post_lines(b"", b"  ", b"").status_code == 400


class TestBounds:
    def test_a_large_body_is_refused_by_its_length_and_by_its_bytes(self, open_door: Open) -> None:
        door = open_door(limits__body_bytes=2000)
        assert door.post(b"x" * 2001).status_code == 413

        def parts() -> object:
            yield from (b"x" * 500 for _ in range(5))

        headers = {"Content-Type": "application/json"}
        answer = door.ask("POST", "/api/v1/profiles", "submit", content=parts(), headers=headers)
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"

    def test_a_gzip_bomb_is_refused_while_it_grows(self, open_door: Open) -> None:
        door = open_door(limits__inflated_bytes=1_000_000)
        for members in (1, 50):
            bomb = gzip.compress(b"\0" * (50_000_000 // members)) * members
            assert door.post(bomb, content_encoding="gzip").status_code == 413

    def test_what_the_process_holds_at_once_is_bounded(self, open_door: Open) -> None:
        door = open_door(limits__in_flight_bytes=2000)
        answer = door.post(b"x" * 3000)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert door.post(profile()).status_code == 202
        assert door.app.state.reception.in_flight.held_bytes == 0

    def test_a_sender_over_its_rate_is_told_when_to_go_on(self, open_door: Open) -> None:
        door = open_door(limits__profiles_per_s=0.01, limits__profiles_burst=3)
        assert door.post_lines(profile(), profile()).status_code == 200
        answer = door.post_lines(profile(), profile())
        assert answer.status_code == 429
        assert 90 <= int(answer.headers["Retry-After"]) <= 100
        assert door.post(profile()).status_code == 202  # what was refused was not counted
        assert door.post(profile()).status_code == 429
        assert door.post(profile(site=OTHER_SITE), "other").status_code == 202  # each has its own

    def test_a_small_route_takes_no_large_body(self, door: Door) -> None:
        answer = door.ask("POST", "/api/v1/tokens", "admin", content=b'"' + b"x" * 100_000)
        assert answer.status_code == 413


def deep(levels: int) -> bytes:
    return profile().replace(b'"facts": {}', b'"facts": {"x": ' + b"[" * levels + b"]" * levels + b"}")


def no_number(text: str) -> None:
    pytest.fail(f"{text} is not a number of JSON")


HOSTILE = "'; DROP TABLE profile; --<script>alert(1)</script>\u202e\u0000"


class TestHostile:
    """The list of issue 5: each is refused or kept as text, none is a 5xx, and the service goes on."""

    @pytest.mark.parametrize(
        "document",
        [
            pytest.param(profile(checks=[{"id": "CPU-01"}] * 100_000), id="many-wrong-checks"),
            pytest.param(
                profile().replace(b'"checks": []', b'"checks": [' + b"{}," * 999_999 + b"{}]"),
                id="million-checks",
            ),
            pytest.param(profile().replace(b"8.0", b"NaN"), id="nan"),
            pytest.param(profile().replace(b"8.0", b"Infinity"), id="infinity"),
            pytest.param(profile().replace(b"8.0", b"1e999"), id="1e999"),
            pytest.param(profile().replace(b"8.0", b"-1"), id="negative-cores"),
            pytest.param(profile().replace(b"8.0", b"9" * 10_000), id="long-number"),
            pytest.param(deep(10_000), id="deep"),
            pytest.param(deep(400_000), id="deeper"),
            pytest.param(profile(node="x", facts=[], checks={}, limits=3), id="wrong-types"),
            pytest.param(profile(schema_version=["1.3"]), id="version-is-a-list"),
            pytest.param(profile(id=HOSTILE), id="hostile-id"),
            pytest.param(profile(site=HOSTILE), id="hostile-site"),
            pytest.param(profile(node={"id": HOSTILE, "id_basis": [HOSTILE]}), id="hostile-node"),
            pytest.param(profile(created_at_=1).replace(b"2026", b"0000"), id="year-0"),
            pytest.param(b'{"a": "' + b"x" * MAX_PROFILE_BYTES + b'"}', id="too-large"),
            pytest.param(b'"\\ud800"', id="lone-surrogate"),
        ],
    )
    def test_it_is_refused_with_one_sentence(self, door: Door, document: bytes) -> None:
        answer = door.post(document, "everywhere")
        assert answer.status_code == 422
        told = answer.json()
        assert len(told["detail"]) < 600
        assert "\x00" not in told["detail"]
        assert door.post_lines(document.replace(b"\n", b" "), profile()).json()["counts"]["stored"] == 1

    def test_strings_of_every_kind_are_kept_as_strings(self, door: Door) -> None:
        hostile = HOSTILE.replace("\u0000", "")
        document = profile(
            node={"id": node(3), "id_basis": [hostile], "hostname": hostile[:60]},
            agent={"version": hostile[:60]},
        )
        answer = door.post(document)
        assert answer.status_code in (202, 422)
        assert door.ask("GET", f"/api/v1/nodes/{SITE}/{node(3)}", "read").status_code in (200, 404)

    @pytest.mark.parametrize("number", [b"1e308", b"5e-324", b"1e-300"])
    def test_a_number_at_the_edge_of_its_type_breaks_nothing(self, door: Door, number: bytes) -> None:
        answer = door.post(profile().replace(b"8.0", number))
        assert answer.status_code in (202, 422)
        assert door.ask("GET", f"/api/v1/nodes/{SITE}/{node(1)}", "read").status_code in (200, 404)
        for path in ("/api/v1/nodes", "/api/v1/sites", "/api/v1/estimates", "/api/v1/sites?by=cms"):
            found = door.ask("GET", path, "read")
            assert found.status_code == 200, path
            json.loads(found.text, parse_constant=no_number)


def test_an_archived_profile_is_still_handed_out_byte_for_byte(door: Door) -> None:
    document = profile()
    assert door.post(document).status_code in (200, 201, 202)
    profile_id = json.loads(document)["id"]
    service, later = door.service, datetime.now(UTC) + timedelta(days=400)
    refresh_pending(service.database, service.estimators.current(), datetime.now(UTC), 10)
    assert retention.move_old(service.database, service.archive, 30, later).profiles == 1
    answer = door.ask("GET", f"/api/v1/profiles/{profile_id}", "read")
    assert (answer.status_code, answer.content) == (200, document)
