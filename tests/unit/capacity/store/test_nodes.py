"""What is derived of a node is saved once, by one refresher, and is found again in lists and sums."""

from __future__ import annotations

from datetime import timedelta

from capacity.service.ingest import accept
from capacity.store import nodes
from capacity.store.database import Database
from tests.unit.capacity.documents import (
    NOW,
    OTHER_SITE,
    SITE,
    SUBMITTER,
    node,
    profile,
)
from tests.unit.capacity.store import kept

HOUR = timedelta(hours=1)


def test_a_state_is_found_as_it_was_saved(database: Database) -> None:
    state = kept.state()
    kept.filled(database, state)

    with database.reading() as session:
        assert nodes.state(session, SITE, node(1)) == state
        assert nodes.state(session, OTHER_SITE, node(1)) is None
        assert nodes.states(session, [(SITE, node(1)), (SITE, node(2))]) == [state]
    assert kept.take(database, now=NOW + HOUR) == []


def test_a_claimed_node_is_given_to_nobody_else_until_the_claim_ends(database: Database) -> None:
    kept.ingest(database)

    assert len(kept.take(database)) == 1
    assert kept.take(database) == []
    assert len(kept.take(database, now=NOW + nodes.CLAIM * 1.01)) == 1


def test_a_claim_from_a_clock_that_stood_wrong_does_not_hold_for_years(database: Database) -> None:
    kept.ingest(database)

    assert len(kept.take(database, now=NOW + timedelta(days=3650))) == 1
    assert len(kept.take(database)) == 1


def test_nodes_that_wait_longest_come_first(database: Database) -> None:
    for number, minutes in ((3, 0), (1, 1), (2, 2)):
        kept.ingest(database, number, at=NOW + timedelta(minutes=minutes))

    assert [one.node_id for one in kept.take(database, limit=2)] == [node(3), node(1)]


def test_a_node_stays_pending_if_a_profile_came_meanwhile(database: Database) -> None:
    kept.ingest(database)
    (taken,) = kept.take(database)
    known = kept.newest(database, taken)
    kept.ingest(database)

    assert kept.save(database, kept.state(), taken, known)

    (again,) = kept.take(database)
    assert again.state == kept.state(slots=again.state.slots if again.state else ())
    assert again.absorbed == known
    assert kept.newest(database, again) > known


def test_only_one_of_two_refreshers_saves(database: Database) -> None:
    kept.ingest(database)
    (first,) = kept.take(database)
    (second,) = kept.take(database, now=NOW + 2 * nodes.CLAIM)

    assert kept.save(database, kept.state(), second)
    assert not kept.save(database, kept.state(estimate=kept.estimate(99.0)), first, 1)

    with database.reading() as session:
        state = nodes.state(session, SITE, node(1))
    assert state is not None
    assert state.estimate == kept.estimate()


def test_one_node_is_taken_for_a_page_that_wants_it_now(database: Database) -> None:
    kept.ingest(database)

    with database.session() as session:
        taken = nodes.take(session, SITE, node(1), NOW)
        assert nodes.take(session, SITE, node(2), NOW) is None
    assert taken is not None
    assert kept.save(database, kept.state(), taken)
    with database.session() as session:
        assert nodes.take(session, SITE, node(1), NOW) is None


def test_the_history_has_one_entry_for_each_change(database: Database) -> None:
    for hours, estimate in enumerate(
        (kept.estimate(), kept.estimate(), kept.estimate(13.0), kept.estimate(13.0, calibration_version="c2"))
    ):
        at = NOW + hours * HOUR
        kept.ingest(database, at=at)
        (taken,) = kept.take(database, now=at)
        assert kept.save(database, kept.state(estimate=estimate), taken, now=at)

    with database.reading() as session:
        past = nodes.estimate_history(session, SITE, node(1))
    assert [(one.at, one.hs23_per_core, one.calibration_version) for one in past] == [
        (NOW + 3 * HOUR, 13.0, "c2"),
        (NOW + 2 * HOUR, 13.0, "c1"),
        (NOW, 12.0, "c1"),
    ]


def test_history_survives_a_join(database: Database) -> None:
    boot, other = node(101), node(102)
    for number, key in ((1, boot), (2, other)):
        accept(database, [profile(node_id=node(number), boot_key=key)], SUBMITTER, NOW)
    for taken in kept.take(database):
        assert kept.save(database, kept.state(int(taken.node_id, 16)), taken)

    accept(database, [profile(node_id=node(2), boot_key=boot)], SUBMITTER, NOW + HOUR)

    with database.reading() as session:
        (line,) = nodes.summaries(session)
        assert len(nodes.estimate_history(session, SITE, node(1))) == 2
        assert len(nodes.estimate_history(session, SITE, node(2))) == 2
    assert line.profiles == 3


def test_marking_brings_nodes_back_and_stops_a_save_under_the_old_calibration(database: Database) -> None:
    kept.filled(database, kept.state(1), kept.state(2))
    with database.session() as session:
        assert nodes.mark_pending(session, NOW) == 2
    first, second = kept.take(database)
    with database.session() as session:
        assert nodes.mark_pending(session, NOW, SITE, second.node_id) == 1

    assert kept.save(database, kept.state(int(first.node_id, 16)), first, first.absorbed)
    assert not kept.save(database, kept.state(int(second.node_id, 16)), second, second.absorbed)


def test_a_state_that_this_version_cannot_read_is_made_again(database: Database) -> None:
    from sqlalchemy import update

    from capacity.store.tables import NodeRow

    kept.filled(database, kept.state())
    with database.session() as session:
        session.execute(update(NodeRow).values(state={"of": "another version"}))
        nodes.mark_pending(session, NOW)

    (taken,) = kept.take(database)

    assert (taken.state, taken.absorbed) == (None, 0)
