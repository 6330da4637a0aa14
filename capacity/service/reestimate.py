"""The whole fleet, or the whole archive, under another calibration: in process, or on Dask with the same result.

The fleet is estimated again in the database, and what it was said to be worth before stays in its history. The archive is
only read: its profiles are estimated one by one, as each of them saw its node or slot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from capacity import archive
from capacity.errors import BadInputError
from capacity.fleet.model import FleetSettings
from capacity.hs06.estimate import Estimator
from capacity.hs06.evidence import evidence_of
from capacity.hs06.model import Estimate, NodeEvidence
from capacity.service import calibrate
from capacity.service.refresh import refresh_pending
from capacity.store import nodes
from capacity.store.database import Database
from profiles.reading import ProfileError, read_profile

NODES_A_BATCH = 200


class Reestimated(NamedTuple):
    """What one profile or node is worth under a calibration; `reason` says why there is no figure.

    Scores are HS23, `sigma` is that of ln(score), `seen_at` is UTC.
    """

    site: str
    node_id: str
    profile_id: str | None
    seen_at: datetime
    catalogue_version: str
    calibration_version: str | None
    hs23_per_core: float | None = None
    low: float | None = None
    high: float | None = None
    sigma: float | None = None
    cores: float | None = None
    hs23_scope: float | None = None
    method: str | None = None
    provisional: bool | None = None
    calibrated: bool | None = None
    reason: str | None = None


class Looked(NamedTuple):
    """One thing to estimate."""

    site: str
    node_id: str
    profile_id: str | None
    seen_at: datetime
    evidence: NodeEvidence | None
    reason: str | None = None


class Piece(Protocol):
    """A part of a source that one worker does."""

    def looks(self) -> Iterator[Looked]:
        """What there is to estimate, in order."""
        ...


class ArchiveFile(NamedTuple):
    """One file of the archive. A worker on another machine needs the folder under the same path."""

    folder: Path
    path: str

    def looks(self) -> Iterator[Looked]:
        """Its profiles in order.

        Raises:
            ArchiveError: the file cannot be read.
        """
        site = Path(self.path).parent.name.removeprefix("site=")
        for line in archive.read(self.folder / self.path):
            try:
                evidence, reason = evidence_of(read_profile(line.document)), None
            except ProfileError as error:
                evidence, reason = None, str(error)
            yield Looked(site, line.node_id, line.id, line.seen_at, evidence, reason)


class FleetPage(NamedTuple):
    """Some nodes of the database, as they are known now."""

    nodes: tuple[Looked, ...]

    def looks(self) -> Iterator[Looked]:
        """Them."""
        return iter(self.nodes)


def archive_pieces(folder: Path) -> list[ArchiveFile]:
    """The files of an archive, oldest day first.

    Raises:
        BadInputError: there is no archive.
    """
    found = [ArchiveFile(folder, path) for path in archive.files(folder)]
    if not found:
        raise BadInputError(
            f"{folder}: there is no archive here: `capacity db archive` makes one, --archive names another folder"
        )
    return found


def fleet_pieces(database: Database, site: str | None = None) -> Iterator[FleetPage]:
    """The nodes of the database.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    page: list[Looked] = []
    for state in calibrate.states(database, site):
        profile = state.slots[0].profile_id if state.slots else None
        reason = None if state.evidence else "nothing is known of its processor"
        page.append(Looked(state.site, state.node_id, profile, state.last_seen_at, state.evidence, reason))
        if len(page) == NODES_A_BATCH:
            yield FleetPage(tuple(page))
            page = []
    if page:
        yield FleetPage(tuple(page))


def reestimate(
    pieces: Sequence[Piece], estimator: Estimator, scheduler: str | None = None
) -> Iterator[Reestimated]:
    """Estimates everything, in the order of the source.

    Args:
        pieces: of the archive or of the fleet.
        estimator: with the calibration that is asked for.
        scheduler: None = in this process; "local" = on a Dask cluster of this machine's CPUs; else the address of a
            Dask scheduler, such as tcp://host:8786. The results are the same.

    Raises:
        BadInputError: Dask is not installed.
        UnavailableError: the scheduler does not answer, or a worker cannot read a file.
    """
    if scheduler is None:
        for piece in pieces:
            yield from estimate_piece(piece, estimator)
        return
    from capacity.service import dask_cluster  # noqa: PLC0415 - Dask takes a second to load, and is an extra

    for rows in dask_cluster.mapped(estimate_piece, pieces, estimator, scheduler):
        yield from rows


def estimate_piece(piece: Piece, estimator: Estimator) -> list[Reestimated]:
    """One piece, wherever this runs."""
    return [_estimated(look, estimator) for look in piece.looks()]


def _estimated(look: Looked, estimator: Estimator) -> Reestimated:
    estimate, reason = None, look.reason
    if look.evidence is not None:
        try:
            estimate = estimator.estimate(look.evidence)
        except (ValueError, ArithmeticError) as error:
            # One strange document of a million must not end the study; it is told with its reason.
            reason = f"cannot be estimated: {error!r:.200}"
    return _row(look, estimate, estimator, reason)


def _row(look: Looked, estimate: Estimate | None, estimator: Estimator, reason: str | None) -> Reestimated:
    model = estimator.payload_model
    row = Reestimated(
        site=look.site,
        node_id=look.node_id,
        profile_id=look.profile_id,
        seen_at=look.seen_at,
        catalogue_version=estimator.catalogue.version,
        calibration_version=model.version if model else None,
        reason=reason,
    )
    if estimate is None:
        return row
    return row._replace(
        hs23_per_core=estimate.hs23_per_core,
        low=estimate.low,
        high=estimate.high,
        sigma=estimate.sigma,
        cores=estimate.scope_cores,
        hs23_scope=estimate.hs23_scope,
        method=estimate.method.value,
        provisional=estimate.provisional,
        calibrated=estimate.calibrated,
    )


class Fleet(NamedTuple):
    """The fleet before and after. HS23 are pledgeable sums over all nodes, fresh or not."""

    nodes: int
    before_hs23: float
    after_hs23: float
    pending: int

    def sentence(self, version: str) -> str:
        """For a screen."""
        change = f" ({self.after_hs23 / self.before_hs23 - 1:+.1%})" if self.before_hs23 else ""
        rest = f"; {self.pending} nodes are being done by running services" if self.pending else ""
        return f"{self.nodes} nodes under {version}: {self.before_hs23:.0f} → {self.after_hs23:.0f} HS23{change}{rest}"


def reestimate_fleet(
    database: Database, version: str, now: datetime, settings: FleetSettings | None = None
) -> Fleet:
    """Activates a calibration and estimates every node of the database with it.

    If this is stopped half-way, running services finish it: the nodes stay marked. Old figures stay in the history of each
    node, with the version that they were made with, and no calibration is ever deleted.

    Raises:
        NotFoundError: there is no calibration of that version.
        UnavailableError: the database cannot be asked.
    """
    before = _sums(database, now)
    marked = calibrate.activate(database, version, now, look_again=True)
    estimator = Estimator.shipped(calibrate.find(database, version))
    while refresh_pending(database, estimator, now, NODES_A_BATCH, settings):
        pass
    after = _sums(database, now)
    return Fleet(marked, before.hs23, after.hs23, after.pending)


class _Sums(NamedTuple):
    hs23: float
    pending: int


def _sums(database: Database, now: datetime) -> _Sums:
    with database.reading() as session:
        totals = nodes.site_totals(session, now)
    return _Sums(sum(one.hs23 for one in totals), sum(one.pending_nodes for one in totals))
