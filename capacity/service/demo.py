"""Filling a database with the synthetic fleet, through the same door as real profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from capacity.demo.cpus import demo_cpus
from capacity.demo.documents import EVENTS_PER_S_PER_HS23, Detail, documents
from capacity.demo.truth import DemoNode, demo_nodes
from capacity.hs06.catalogue import Catalogue
from capacity.service.estimators import Estimators
from capacity.service.ingest import accept
from capacity.service.principal import Principal, Role
from capacity.service.refresh import refresh_pending
from capacity.store.database import Database

BATCH = 100
"""Profiles, or nodes, of one transaction; some 9 MB of documents."""

SUBMITTER = Principal(subject="capacity demo", roles=frozenset({Role.SUBMIT}))


class Filled(NamedTuple):
    """What was put in."""

    nodes: int
    profiles: int


def fleet(count: int, seed: int, catalogue: Catalogue) -> Iterator[DemoNode]:
    """The nodes of the demo with their truth; see `capacity.demo.truth`.

    Raises:
        ValueError: `count` below one.
    """
    return demo_nodes(count, demo_cpus(catalogue), tuple(EVENTS_PER_S_PER_HS23), seed)


def fill(
    database: Database,
    nodes: int,
    days: int,
    seed: int,
    now: datetime,
    told: Callable[[Filled], None] = lambda _: None,
    detail: Detail = "whole",
) -> Filled:
    """Put in every slot of every node, once a day for some days up to now. Again with the same moment: nothing changes.

    Args:
        database: of the service, with its tables.
        nodes: size of the fleet.
        days: profiles of each slot.
        seed: of the fleet.
        now: when the last profiles were written, with a time zone.
        told: called after each batch.
        detail: how much is in a profile, see `capacity.demo.documents`.

    Raises:
        UnavailableError: the database cannot be asked; batches before are in it.
    """
    done = Filled(0, 0)
    catalogue = Catalogue.shipped()
    for day in range(days):
        at = now - timedelta(days=days - 1 - day)
        for batch in _batches(fleet(nodes, seed, catalogue), at, seed, detail):
            accept(database, batch, SUBMITTER, now)
            done = Filled(nodes, done.profiles + len(batch))
            told(done)
    return done


def estimate(database: Database, now: datetime) -> int:
    """Look at all nodes that wait for it, as a running service would: without one, nothing can be asked of the fleet.

    Args:
        database: of the service, with its tables.
        now: when this is, with a time zone.

    Returns:
        How many nodes were looked at.

    Raises:
        UnavailableError: the database cannot be asked; what was not looked at stays pending.
    """
    estimator = Estimators(database).current()
    looked_at = 0
    while claimed := refresh_pending(database, estimator, now, BATCH):
        looked_at += claimed
    return looked_at


def _batches(machines: Iterator[DemoNode], at: datetime, seed: int, detail: Detail) -> Iterator[list[bytes]]:
    every = (document for node in machines for document in documents(node, at, seed, detail))
    while batch := list(islice(every, BATCH)):
        yield batch
