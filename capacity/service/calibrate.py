"""Calibrations of this service: fitted to its own nodes, kept for ever, one of them active."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from capacity.errors import BadInputError, NotFoundError
from capacity.fleet.model import NodeState
from capacity.hs06 import calibrate
from capacity.hs06.calibrate import Pair
from capacity.hs06.calibration import MAX_BYTES, Calibration, version_of
from capacity.hs06.estimate import Estimator
from capacity.store import calibrations, nodes
from capacity.store.database import Database

ANCHORS_OF_A_FAMILY = 20
"""Nodes without a measured score, of one family and SMT state, that are looked at: all together count as one."""
PAGE = 500


class Listed(NamedTuple):
    """A calibration in the list."""

    version: str
    created_at: datetime
    active: bool
    provisional: bool


def make(database: Database, now: datetime, note: str | None = None) -> Calibration:
    """Fits to all nodes with payload scores and keeps the result; it is not used before it is activated.

    The same inputs give the calibration that is already kept.

    Raises:
        BadInputError: no node can be fitted to.
        UnavailableError: the database cannot be asked.
    """
    fitted = calibrate.fit(list(pairs(database, Estimator.shipped())), now, note)
    return keep(database, fitted)


def keep(database: Database, calibration: Calibration) -> Calibration:
    """Keeps a calibration; if one with the same content is there, that one is given.

    Raises:
        ConflictError: another one has its version.
        UnavailableError: the database cannot be asked.
    """
    with database.session() as session:
        known = calibrations.find(session, calibration.version)
        if known is not None:
            kept = Calibration.from_json(orjson.dumps(known.document))
            if version_of(kept) == version_of(calibration):
                return kept
        calibrations.add(
            session,
            calibration.version,
            calibration.model_dump(mode="json"),
            provisional=calibration.provisional,
            created_at=calibration.created_at,
        )
    return calibration


def read(database: Database, file: Path) -> Calibration:
    """Keeps a calibration that was made elsewhere.

    Raises:
        BadInputError: the file cannot be read or is no calibration, or its version is not that of its content.
        ConflictError: another one has its version.
        UnavailableError: the database cannot be asked.
    """
    try:
        with file.open("rb") as stream:
            document = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror}: name a file with a calibration") from error
    calibration = Calibration.from_json(document)
    if calibration.version != version_of(calibration):
        raise BadInputError(
            f"the calibration says it is {calibration.version}, but its content is that of {version_of(calibration)}: it was "
            "changed after it was made"
        )
    return keep(database, calibration)


def activate(database: Database, version: str, now: datetime, *, look_again: bool) -> int:
    """Makes estimates with this calibration from now on.

    Args:
        database: of the service.
        version: one that is kept, or the shipped one.
        now: by the service's clock.
        look_again: all nodes are estimated again, by whatever service refreshes first.

    Returns:
        How many nodes are to be looked at again.

    Raises:
        NotFoundError: there is none of that version.
        UnavailableError: the database cannot be asked.
    """
    shipped = Calibration.shipped()
    if version == shipped.version:
        keep(database, shipped)
    with database.session() as session:
        calibrations.activate(session, version)
        return nodes.mark_pending(session, now) if look_again else 0


def find(database: Database, version: str | None) -> Calibration:
    """One calibration; None = the active one, or the shipped one if none was activated.

    Raises:
        NotFoundError: there is none of that version.
        UnavailableError: the database cannot be asked.
    """
    shipped = Calibration.shipped()
    with database.reading() as session:
        found = calibrations.active(session) if version is None else calibrations.find(session, version)
    if found is not None:
        return Calibration.from_json(orjson.dumps(found.document))
    if version is None or version == shipped.version:
        return shipped
    raise NotFoundError(f"there is no calibration {version[:40]!r}: see `capacity calibrate list`")


def listing(database: Database) -> list[Listed]:
    """All that are kept, newest first, and the shipped one.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    with database.reading() as session:
        found = [
            Listed(one.version, one.created_at, one.active, one.provisional)
            for one in calibrations.listing(session)
        ]
    shipped = Calibration.shipped()
    if all(one.version != shipped.version for one in found):
        active = not any(one.active for one in found)
        found.append(Listed(shipped.version, shipped.created_at, active, shipped.provisional))
    return found


def pairs(database: Database, estimator: Estimator) -> Iterator[Pair]:
    """Nodes with payload scores: all that have a measured score, and some anchors of each family.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    anchors: Counter[tuple[str, bool | None]] = Counter()
    for state in states(database):
        evidence = state.evidence
        if evidence is None or not any(score.backend == "cpu" for score in evidence.scores):
            continue
        pair = calibrate.pair_of(f"{state.site}/{state.node_id}", evidence, estimator)
        if not evidence.measured:
            kind = (pair.family, evidence.cpu.smt_on)
            anchors[kind] += 1
            if anchors[kind] > ANCHORS_OF_A_FAMILY:
                continue
        yield pair


def states(database: Database, site: str | None = None) -> Iterator[NodeState]:
    """All nodes in order of site and node id, a page at a time.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    after: tuple[str, str] | None = None
    while True:
        with database.reading() as session:
            page = nodes.states_in_order(session, site, after, PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = (page[-1].site, page[-1].node_id)
