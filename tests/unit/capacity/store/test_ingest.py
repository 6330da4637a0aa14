"""What is called stored is there once; what is not right is told why; nobody writes for another site."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest

from capacity.errors import RefusedError
from capacity.service.ingest import accept
from capacity.service.principal import Principal, Role
from capacity.store import nodes, profiles
from capacity.store.database import Database
from tests.unit.capacity.documents import (
    EVERYWHERE,
    NOW,
    OTHER_SITE,
    OTHER_SUBMITTER,
    SITE,
    SUBMITTER,
    new_id,
    node,
    profile,
)


def _statuses(database: Database, *documents: bytes, principal: Principal = SUBMITTER) -> list[str]:
    return [verdict.status for verdict in accept(database, documents, principal, NOW)]


def test_a_profile_is_kept_as_it_came(database: Database) -> None:
    document = profile(of_a_later_version={"é": [1, 2.50]})

    (verdict,) = accept(database, [document + b"\n"], SUBMITTER, NOW)

    assert verdict.status == "stored"
    assert verdict.id is not None
    with database.reading() as session:
        assert profiles.document(session, verdict.id) == document
        head = profiles.head(session, verdict.id)
    assert head is not None
    assert (head.site, head.node_id, head.submitter) == (SITE, node(1), "token-1")
    assert head.size_bytes == len(document)


def test_the_same_profile_twice_counts_once(database: Database) -> None:
    document = profile()

    assert _statuses(database, document, document + b"\n") == ["stored", "duplicate"]
    assert _statuses(database, document) == ["duplicate"]

    with database.reading() as session:
        assert profiles.count(session) == 1
        (line,) = nodes.summaries(session)
    assert line.profiles == 1


def test_another_document_with_a_known_id_is_a_conflict_and_changes_nothing(database: Database) -> None:
    one = new_id()
    first, second = profile(id=one), profile(id=one, node_id=node(2))

    assert _statuses(database, first, second) == ["stored", "conflict"]
    assert _statuses(database, second) == ["conflict"]

    with database.reading() as session:
        assert profiles.document(session, one) == first
        assert [line.node_id for line in nodes.summaries(session)] == [node(1)]


def test_each_document_of_many_has_its_own_verdict(database: Database) -> None:
    verdicts = accept(
        database, [profile(), b"{", profile(site=OTHER_SITE), profile(schema_version="2.0")], SUBMITTER, NOW
    )

    assert [verdict.index for verdict in verdicts] == [0, 1, 2, 3]
    assert [verdict.status for verdict in verdicts] == ["stored", "invalid", "forbidden", "invalid"]
    assert "cut off" in verdicts[1].message
    assert OTHER_SITE in verdicts[2].message
    assert "1.x" in verdicts[3].message


def test_a_profile_without_a_site_is_of_the_only_site_of_its_sender(database: Database) -> None:
    document = profile(site=None)

    (verdict,) = accept(database, [document], SUBMITTER, NOW)
    (refused,) = accept(database, [profile(site=None)], EVERYWHERE, NOW)

    assert verdict.status == "stored"
    assert refused.status == "invalid"
    assert "names no site" in refused.message
    with database.reading() as session:
        assert [line.site for line in nodes.summaries(session)] == [SITE]


def test_a_replay_by_another_site_is_a_conflict(database: Database) -> None:
    document = profile(site=None)

    assert _statuses(database, document) == ["stored"]
    assert _statuses(database, document, principal=OTHER_SUBMITTER) == ["conflict"]


def test_another_sites_node_id_makes_a_node_of_ones_own(database: Database) -> None:
    assert _statuses(database, profile(boot_key=node(9))) == ["stored"]
    other = profile(site=OTHER_SITE, boot_key=node(9))
    assert _statuses(database, other, principal=OTHER_SUBMITTER) == ["stored"]

    with database.reading() as session:
        lines = nodes.summaries(session)
    assert [(line.site, line.profiles) for line in lines] == [(OTHER_SITE, 1), (SITE, 1)]


def test_who_may_only_read_is_refused_before_anything_is_read(database: Database) -> None:
    reader = Principal("reader", frozenset({Role.READ}))

    with pytest.raises(RefusedError, match="submit role"):
        accept(database, [profile()], reader, NOW)


@pytest.mark.parametrize("ahead", [timedelta(days=-400), timedelta(days=400)])
def test_a_clock_that_stands_wrong_makes_no_node_fresh(database: Database, ahead: timedelta) -> None:
    accept(database, [profile(created_at=NOW + ahead)], SUBMITTER, NOW)

    with database.reading() as session:
        (line,) = nodes.summaries(session)
    assert line.last_seen_at == min(NOW, NOW + ahead)


def test_a_jump_of_the_services_own_clock_is_forgotten(database: Database) -> None:
    jumped = NOW + timedelta(days=3650)
    accept(database, [profile(created_at=jumped)], SUBMITTER, jumped)
    accept(database, [profile()], SUBMITTER, NOW)

    with database.reading() as session:
        (line,) = nodes.summaries(session)
    assert line.last_seen_at == NOW


def test_text_that_is_sql_or_html_is_only_text(database: Database) -> None:
    evil = "'; DROP TABLE profile; --<script>alert(1)</script>"
    document = profile(
        agent={"version": evil}, limits={"budget_s": 60.0, "duration_s": 1.0, "partial": True, "reason": evil}
    )

    (verdict,) = accept(database, [document], Principal(evil * 10, frozenset({Role.SUBMIT})), NOW)

    assert verdict.id is not None
    with database.reading() as session:
        kept = profiles.document(session, verdict.id)
        head = profiles.head(session, verdict.id)
    assert kept is not None
    assert json.loads(kept)["agent"]["version"] == evil
    assert head is not None
    assert head.submitter == (evil * 10)[:200]


def test_more_than_one_statement_holds_goes_in_together(database: Database) -> None:
    documents = [profile(node_id=node(number % 700)) for number in range(1200)]

    assert set(_statuses(database, *documents)) == {"stored"}

    with database.reading() as session:
        assert profiles.count(session) == 1200
        assert sum(line.profiles for line in nodes.summaries(session, limit=1000)) == 1200


def test_many_at_once_with_the_same_documents_store_each_once(database: Database) -> None:
    documents = [profile(node_id=node(number % 5), boot_key=node(100 + number % 5)) for number in range(40)]
    told: list[str] = []

    def send(order: int) -> None:
        mine = documents[::order]
        for start in range(0, len(mine), 7):
            told.extend(_statuses(database, *mine[start : start + 7]))

    threads = [threading.Thread(target=send, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(told) == 160
    assert told.count("stored") == 40
    assert told.count("duplicate") == 120
    with database.reading() as session:
        assert profiles.count(session) == 40
        assert [line.profiles for line in nodes.summaries(session)] == [8] * 5
