"""API tokens: made once, shown once, refused when they should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from capacity.config import load
from capacity.errors import BadInputError, NotFoundError
from capacity.service import tokens
from capacity.service.authentication import Authenticator
from capacity.service.credentials import UnauthenticatedError, new_api_token, parse_api_token
from capacity.service.principal import Role
from capacity.service.rates import TooOftenError
from capacity.store import tokens as rows
from capacity.store.database import Database
from tests.unit.capacity.api.conftest import Door
from tests.unit.capacity.documents import SITE

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Clock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.at_s = NOW.timestamp()

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(database: Database, clock: Clock) -> Authenticator:
    config = load({"auth.token_cache_s": 5, "limits.failed_logins_per_min": 6}, {}).config
    return Authenticator(database, config, now=clock, ticks=clock)


def make(database: Database, **more: object) -> tokens.Created:
    return tokens.create(database, **{"role": Role.SUBMIT, "site": SITE, "now": NOW, **more})


class TestLife:
    def test_it_says_who_it_is(self, database: Database, authenticator: Authenticator) -> None:
        made = make(database)
        principal = authenticator.verify(made.text, "a")
        assert principal.subject == made.id
        assert principal.roles == {Role.SUBMIT}
        assert principal.sites == {SITE}

    def test_the_database_has_only_a_hash(self, database: Database) -> None:
        made = make(database)
        secret = made.text.split("_", 2)[2]
        with database.reading() as session:
            row = rows.find(session, made.id)
        assert row is not None
        assert secret not in repr(row)
        assert len(row.hash) == 64

    def test_it_ends_when_it_was_to_end(
        self, database: Database, authenticator: Authenticator, clock: Clock
    ) -> None:
        made = make(database, life=timedelta(seconds=3))
        authenticator.verify(made.text, "a")
        clock.at_s += 2.9
        assert authenticator.remembered(made.text) is not None
        clock.at_s += 0.2  # still inside the five seconds for which it is remembered
        assert authenticator.remembered(made.text) is None
        with pytest.raises(UnauthenticatedError):
            authenticator.verify(made.text, "a")

    def test_a_revoked_one_works_no_longer_than_it_is_remembered(
        self, database: Database, authenticator: Authenticator, clock: Clock
    ) -> None:
        made = make(database)
        authenticator.verify(made.text, "a")
        tokens.revoke(database, made.id, NOW)
        assert authenticator.remembered(made.text) is not None
        clock.at_s += 5
        assert authenticator.remembered(made.text) is None
        with pytest.raises(UnauthenticatedError):
            authenticator.verify(made.text, "a")

    def test_revoking_through_the_api_works_at_once(self, door: Door) -> None:
        made = door.ask("POST", "/api/v1/tokens", "admin", json={"role": "read", "expires": "1h"}).json()
        assert door.ask("GET", "/api/v1/nodes", made["token"]).status_code == 200
        assert door.ask("DELETE", f"/api/v1/tokens/{made['id']}", "admin").status_code == 204
        assert door.ask("GET", "/api/v1/nodes", made["token"]).status_code == 401
        listed = door.ask("GET", "/api/v1/tokens", "admin")
        assert next(one["state"] for one in listed.json()["tokens"] if one["id"] == made["id"]) == "revoked"
        assert made["token"] not in listed.text

    def test_its_last_use_is_noted_now_and_then(self, database: Database) -> None:
        made = make(database)
        token = parse_api_token(made.text)
        assert token is not None
        used = []
        for minutes in (0, 30, 61):
            tokens.verify(database, token, NOW + timedelta(minutes=minutes))
            used.append(tokens.all_tokens(database)[0].last_used_at)
        assert used == [NOW, NOW, NOW + timedelta(minutes=61)]


class TestWrongOnes:
    def test_another_secret_under_a_right_id_is_refused(
        self, database: Database, authenticator: Authenticator
    ) -> None:
        made = make(database)
        forged = f"sitecap_{made.id}_{new_api_token().secret}"
        with pytest.raises(UnauthenticatedError):
            authenticator.verify(forged, "a")

    def test_unknown_revoked_and_expired_sound_the_same(
        self, database: Database, authenticator: Authenticator
    ) -> None:
        revoked, expired = (
            make(database),
            make(database, life=timedelta(hours=1), now=NOW - timedelta(hours=2)),
        )
        tokens.revoke(database, revoked.id, NOW)
        told = set()
        for text in (revoked.text, expired.text, new_api_token().text):
            with pytest.raises(UnauthenticatedError) as refused:
                authenticator.verify(text, text)
            told.add(str(refused.value))
        assert len(told) == 1

    def test_guessing_is_slowed_down_for_one_address_only(
        self, database: Database, authenticator: Authenticator, clock: Clock
    ) -> None:
        for _ in range(6):
            with pytest.raises(UnauthenticatedError):
                authenticator.verify(new_api_token().text, "192.0.2.1")
        good = make(database).text
        with pytest.raises(TooOftenError) as refused:
            authenticator.verify(good, "192.0.2.1")
        assert authenticator.verify(good, "192.0.2.2")
        clock.at_s += refused.value.retry_after_s
        assert authenticator.verify(good, "192.0.2.1")

    @pytest.mark.parametrize(
        "text", ["", "x", "sitecap_", "sitecap_0123456789abcdef_short", "ä.ö.ü", "a.b.c"]
    )
    def test_what_has_not_the_form_of_a_token_is_refused(
        self, authenticator: Authenticator, text: str
    ) -> None:
        with pytest.raises(UnauthenticatedError):
            authenticator.verify(text, "a")


class TestMaking:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"site": "not a site"},
            {"site": "T2_LV_Example\n"},
            {"role": Role.ADMIN},
            {"note": "x" * 201},
            {"note": "line\nbreak"},
        ],
    )
    def test_what_makes_no_sense_is_told(self, database: Database, wrong: dict[str, object]) -> None:
        with pytest.raises(BadInputError):
            make(database, **wrong)
        assert tokens.all_tokens(database) == ()

    @pytest.mark.parametrize(("text", "life"), [("12h", 0.5), ("90d", 90), ("4w", 28)])
    def test_lives(self, text: str, life: float) -> None:
        assert tokens.parse_duration(text) == timedelta(days=life)

    @pytest.mark.parametrize("text", ["", "0d", "-1d", "1", "1y", "99999w", "1d1h", "١d"])
    def test_what_is_no_life(self, text: str) -> None:
        with pytest.raises(BadInputError):
            tokens.parse_duration(text)

    def test_there_is_no_such_token_to_revoke(self, database: Database) -> None:
        with pytest.raises(NotFoundError):
            tokens.revoke(database, "0" * 16, NOW)
