"""Slots and containers of one machine are one node; machines that turn out to be one are joined."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from capacity.service.ingest import accept
from capacity.store import identity, nodes, profiles
from capacity.store.database import Database
from tests.unit.capacity.documents import NOW, SITE, SUBMITTER, node, profile

BOOT, LATER_BOOT, OTHER_BOOT = node(101), node(102), node(103)


def _send(database: Database, node_id: str, boot_key: str | None, minutes: int = 0) -> None:
    at = NOW + timedelta(minutes=minutes)
    (verdict,) = accept(database, [profile(node_id=node_id, boot_key=boot_key, created_at=at)], SUBMITTER, at)
    assert verdict.status == "stored"


def _nodes(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {line.node_id: line.profiles for line in nodes.summaries(session)}


def test_two_containers_of_one_boot_are_one_node(database: Database) -> None:
    accept(
        database,
        [profile(node_id=node(2), boot_key=BOOT), profile(node_id=node(1), boot_key=BOOT)],
        SUBMITTER,
        NOW,
    )

    assert list(_nodes(database).values()) == [2]


def test_a_node_stays_itself_when_it_starts_anew(database: Database) -> None:
    _send(database, node(1), BOOT)
    _send(database, node(1), LATER_BOOT, minutes=1)
    _send(database, node(1), None, minutes=2)

    assert _nodes(database) == {node(1): 3}


def test_different_boots_and_ids_are_different_nodes(database: Database) -> None:
    _send(database, node(1), BOOT)
    _send(database, node(2), OTHER_BOOT)
    _send(database, node(3), None)

    assert _nodes(database) == {node(1): 1, node(2): 1, node(3): 1}


def test_nodes_that_turn_out_to_be_one_are_joined_under_the_older_id(database: Database) -> None:
    _send(database, node(2), BOOT)
    _send(database, node(1), LATER_BOOT, minutes=5)
    _send(database, node(1), BOOT, minutes=9)

    assert _nodes(database) == {node(2): 3}
    with database.reading() as session:
        assert identity.canonical(session, SITE, node(1)) == node(2)
        assert len(profiles.documents_of_node(session, SITE, node(2))) == 3
        (line,) = nodes.summaries(session)
    assert (line.first_seen_at, line.last_seen_at) == (NOW, NOW + timedelta(minutes=9))


def test_what_comes_later_under_the_lost_id_goes_to_the_joined_node(database: Database) -> None:
    _send(database, node(1), BOOT)
    _send(database, node(2), OTHER_BOOT, minutes=1)
    _send(database, node(2), BOOT, minutes=2)
    _send(database, node(2), node(110), minutes=3)
    _send(database, node(2), None, minutes=4)

    assert _nodes(database) == {node(1): 5}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_in_which_links_come_does_not_matter(database: Database, order: tuple[int, ...]) -> None:
    links = [(1, BOOT), (2, BOOT), (2, OTHER_BOOT), (3, OTHER_BOOT)]
    for minutes, index in enumerate(order):
        number, boot = links[index]
        _send(database, node(number), boot, minutes)

    assert list(_nodes(database).values()) == [4]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_links_that_come_in_one_batch_are_followed_to_the_end(
    database: Database, order: tuple[int, ...]
) -> None:
    links = [(1, BOOT), (2, BOOT), (2, OTHER_BOOT), (3, OTHER_BOOT)]
    documents = [profile(node_id=node(links[index][0]), boot_key=links[index][1]) for index in order]

    accept(database, documents, SUBMITTER, NOW)

    assert list(_nodes(database).values()) == [4]


def test_a_joined_node_is_derived_anew_from_all_its_profiles(database: Database) -> None:
    _send(database, node(1), BOOT)
    _send(database, node(2), OTHER_BOOT, minutes=1)
    with database.session() as session:
        first, second = nodes.take_pending(session, 10, NOW)
    _send(database, node(2), BOOT, minutes=2)

    with database.session() as session:
        taken = nodes.take_pending(session, 10, NOW)

    assert {first.node_id, second.node_id} == {node(1), node(2)}
    assert [(one.node_id, one.absorbed, one.state) for one in taken] == [(node(1), 0, None)]
