"""Tokens, sites, pledges, calibrations and measurements."""

from __future__ import annotations

from datetime import timedelta

import pytest

from capacity.errors import ConflictError, NotFoundError
from capacity.fleet.model import Pledge, SiteInfo
from capacity.service.ingest import accept
from capacity.store import calibrations, measurements, nodes, sites, tokens
from capacity.store.database import Database
from capacity.store.measurements import StoredMeasurement
from capacity.store.tokens import StoredToken
from tests.unit.capacity.documents import NOW, SITE, SUBMITTER, node, profile

MINUTE = timedelta(minutes=1)


def test_a_token_is_found_by_its_id_until_and_after_it_is_revoked(database: Database) -> None:
    token = StoredToken("abc", "f" * 64, "submit", SITE, None, NOW, NOW + MINUTE)
    with database.session() as session:
        tokens.add(session, token)

    with database.session() as session:
        assert tokens.find(session, "abc") == token
        assert tokens.find(session, "abx") is None
        assert tokens.revoke(session, "abc", NOW)
        assert tokens.revoke(session, "abc", NOW + MINUTE)
        assert not tokens.revoke(session, "abx", NOW)
    with database.reading() as session:
        assert tokens.listing(session) == [token._replace(revoked_at=NOW)]


def test_the_use_of_a_token_is_noted_to_the_minute(database: Database) -> None:
    with database.session() as session:
        tokens.add(session, StoredToken("abc", "f" * 64, "read", None, "for tests", NOW))
    for seconds, noted in ((0, 0), (30, 0), (61, 61)):
        with database.session() as session:
            tokens.note_use(session, "abc", NOW + timedelta(seconds=seconds))
            found = tokens.find(session, "abc")
        assert found is not None
        assert found.last_used_at == NOW + timedelta(seconds=noted)


def test_sites_are_those_described_and_those_with_nodes(database: Database) -> None:
    accept(database, [profile()], SUBMITTER, NOW)
    described = SiteInfo(name="T1_DE_Other", federation="DE-T1", country="Germany", tier=1)
    with database.session() as session:
        sites.put(session, [SiteInfo(name="T1_DE_Other"), described], "CRIC", NOW)

    with database.reading() as session:
        assert sites.infos(session) == [described, SiteInfo(name=SITE)]
        assert sites.info(session, "T1_DE_Other") == described
        assert sites.info(session, SITE) == SiteInfo(name=SITE)
        assert sites.info(session, "T3_XX_Nowhere") is None


def test_a_pledge_of_the_same_year_replaces_the_older_one(database: Database) -> None:
    old = Pledge(federation="LV", year=2026, cpu_hs23=1000.0, source="REBUS")
    new = old.model_copy(update={"cpu_hs23": 2000.0, "source": "CRIC"})
    other = old.model_copy(update={"year": 2027})
    with database.session() as session:
        sites.put_pledges(session, [old, other])
        sites.put_pledges(session, [new])

    with database.reading() as session:
        assert sites.pledges(session) == [new, other]
        assert sites.pledges(session, 2027) == [other]


def test_one_calibration_is_active_and_none_is_ever_changed(database: Database) -> None:
    with database.session() as session:
        assert calibrations.active(session) is None
        for version in ("c1", "c2"):
            calibrations.add(session, version, {"weights": [1.5]}, provisional=True, created_at=NOW)
        calibrations.add(session, "c1", {"weights": [1.5]}, provisional=True, created_at=NOW)
        calibrations.activate(session, "c1")
        calibrations.activate(session, "c2")
    with pytest.raises(ConflictError, match="new version"), database.session() as session:
        calibrations.add(session, "c1", {"weights": [2.0]}, provisional=False, created_at=NOW)
    with pytest.raises(NotFoundError, match="c9"), database.session() as session:
        calibrations.activate(session, "c9")

    with database.reading() as session:
        active = calibrations.active(session)
        assert active is not None
        assert (active.version, active.document) == ("c2", {"weights": [1.5]})
        assert [(one.version, one.active) for one in calibrations.listing(session)] == [
            ("c1", False),
            ("c2", True),
        ]


def _measurement(id_: str, node_id: str | None = node(1)) -> StoredMeasurement:
    return StoredMeasurement(
        id_, SITE if node_id else None, node_id, "HS23", 400.0, 16, "cpu", NOW, NOW, "suite", {"a": [1.5]}
    )


def test_a_measurement_is_kept_once_and_its_node_is_looked_at_again(database: Database) -> None:
    accept(database, [profile()], SUBMITTER, NOW)
    with database.session() as session:
        (before,) = nodes.take_pending(session, 10, NOW)

    with database.session() as session:
        one, nobodys = _measurement("m1"), _measurement("m2", None)
        assert measurements.add(session, [one, one, nobodys]) == ["stored", "duplicate", "stored"]
        assert measurements.add(session, [one]) == ["duplicate"]
        assert measurements.add(session, []) == []

    with database.session() as session:
        assert measurements.of_node(session, SITE, node(1)) == [one]
        assert measurements.of_cpu(session, "cpu") == [one, nobodys]
        assert measurements.with_node(session) == [one]
        assert measurements.listing(session) == [one, nobodys]
        after = nodes.summary(session, SITE, node(1))
        assert after is not None
        assert after.pending_since is not None
        again = nodes.take(session, SITE, node(1), NOW)
    assert again is not None
    assert again.revision == before.revision + 1


def test_a_measurement_of_a_joined_node_goes_with_it(database: Database) -> None:
    accept(database, [profile(boot_key=node(101)), profile(node_id=node(2))], SUBMITTER, NOW)
    with database.session() as session:
        measurements.add(session, [_measurement("m1", node(2))])
    accept(database, [profile(node_id=node(2), boot_key=node(101))], SUBMITTER, NOW)

    with database.session() as session:
        measurements.add(session, [_measurement("m2", node(2))])
        kept = measurements.of_node(session, SITE, node(1))
    assert [(one.id, one.node_id) for one in kept] == [("m1", node(1)), ("m2", node(1))]
