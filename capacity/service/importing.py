"""Imports into the database: what was read is matched with nodes that are known, and kept once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy.orm import Session

from capacity.errors import BadInputError
from capacity.fleet.identity import ids_of_host
from capacity.fleet.model import SiteInfo
from capacity.hs06.cpu_name import normalise
from capacity.imports import Imported, ImportedScore, read
from capacity.service.principal import Principal, Role
from capacity.service.runs import same_host
from capacity.store import measurements, nodes, sites
from capacity.store.database import Database
from capacity.store.identity import canonical
from capacity.store.measurements import StoredMeasurement
from capacity.store.nodes import NodeFilter, NodeSummary

_PAGE = 5000


class Outcome(NamedTuple):
    """What became of an import.

    Attributes:
        scores_stored: new runs.
        scores_known: runs that were imported before; nothing changed.
        scores_of_nodes: of the new ones, how many belong to a node that is known.
        sites: described.
        pledges: written.
        problems: what was left out and why.
    """

    scores_stored: int
    scores_known: int
    scores_of_nodes: int
    sites: int
    pledges: int
    problems: tuple[str, ...]


def import_file(
    database: Database,
    kind: str,
    data: bytes,
    principal: Principal,
    now: datetime,
    site: str | None = None,
    as_of: date | None = None,
    node_id: str | None = None,
) -> Outcome:
    """Read a file and keep what it says.

    Args:
        database: of the service.
        kind: a key of `imports.KINDS`.
        data: the file.
        principal: who asks; needs the admin role.
        now: by the service's clock.
        site: where scores belong whose report names no CMS site.
        node_id: of that site, where the report does not say which node it was made on.
        as_of: the day that lists of pledges are of, if it is not today.

    Raises:
        BadInputError: it cannot be read, or nothing in it can be used.
        RefusedError: not an admin, or not of that site.
        UnavailableError: the database cannot be asked; nothing was kept.
    """
    principal.require(Role.ADMIN)
    found = read(kind, data, as_of or now.astimezone(UTC).date())
    problems = list(found.problems)
    scores = list(_allowed([_placed(one, site, node_id) for one in found.scores], principal, problems))
    described = [one for one in found.sites if principal.may_write_for(one.name)]
    if principal.sites is not None and (found.pledges or len(described) < len(found.sites)):
        problems.append("pledges and other sites were left out: this token is of single sites")
        found = found.model_copy(update={"pledges": ()})
    if not scores and not described and not found.pledges:
        raise BadInputError("nothing was imported: " + ("; ".join(problems[:5]) or "the file is empty"))
    return _keep(database, found, scores, described, now, problems)


def _placed(score: ImportedScore, site: str | None, node_id: str | None) -> ImportedScore:
    """A score where whoever imports it says that it belongs, unless it says so itself."""
    return score.model_copy(update={"site": score.site or site, "node_id": score.node_id or node_id})


def _allowed(
    scores: Sequence[ImportedScore], principal: Principal, problems: list[str]
) -> Iterator[ImportedScore]:
    for score in scores:
        if score.site is None and principal.sites is not None:
            problems.append(f"{score.source}: it names no CMS site: say which one it is of")
        elif score.site is not None and not principal.may_write_for(score.site):
            problems.append(f"{score.source}: scores of {score.site} need a token of that site")
        else:
            yield score


def _keep(
    database: Database,
    found: Imported,
    scores: Sequence[ImportedScore],
    described: Sequence[SiteInfo],
    now: datetime,
    problems: list[str],
) -> Outcome:
    with database.session() as session:
        lookup = _Lookup(session)
        rows = [_row(score, lookup.node_of(score, problems), now) for score in scores]
        outcomes = measurements.add(session, rows)
        sites.put(session, _completed(session, described), "import", now)
        sites.put_pledges(session, found.pledges)
    stored = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome == "stored"]
    return Outcome(
        scores_stored=len(stored),
        scores_known=len(rows) - len(stored),
        scores_of_nodes=sum(row.node_id is not None for row in stored),
        sites=len(described),
        pledges=len(found.pledges),
        problems=tuple(problems),
    )


def _completed(session: Session, described: Sequence[SiteInfo]) -> list[SiteInfo]:
    """What is new laid over what is known: a list without federations does not take them away."""
    known = {one.name: one for one in sites.infos(session)} if described else {}
    return [
        one.model_copy(
            update={
                name: getattr(known[one.name], name)
                for name in ("federation", "country", "tier")
                if getattr(one, name) is None
            }
        )
        if one.name in known
        else one
        for one in described
    ]


class _Lookup:
    """Nodes of a site by host name, asked once a site."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._hosts: dict[str, list[NodeSummary]] = {}

    def node_of(self, score: ImportedScore, problems: list[str]) -> str | None:
        """Id of the node that a run was made on; None if nobody knows it.

        A node counts only if it has the processor that the report names: a name may have moved to other hardware.
        """
        if score.site is None:
            return None
        candidates = self._candidates(score)
        if not candidates:
            return None
        if len(candidates) > 1:
            problems.append(
                f"{score.source}: {len(candidates)} nodes of {score.site} are called so: kept for the CPU model"
            )
            return None
        node = candidates[0]
        key = normalise(score.cpu.model_name) if score.cpu.model_name else None
        if key and node.cpu_key and key != node.cpu_key:
            problems.append(
                f"{score.source}: the node has {node.cpu_key}, the report was made on {key}: kept for the CPU model"
            )
            return None
        return node.node_id

    def _candidates(self, score: ImportedScore) -> list[NodeSummary]:
        assert score.site is not None
        if score.node_id is not None:
            summary = nodes.summary(self._session, score.site, score.node_id)
            return [summary] if summary is not None else []
        if score.hostname is None:
            return []
        if score.site not in self._hosts:
            self._hosts[score.site] = self._hosts_of(score.site)
        name = score.hostname
        told = [one for one in self._hosts[score.site] if one.hostname and same_host(one.hostname, name)]
        return told or self._by_id(score.site, name)

    def _by_id(self, site: str, hostname: str) -> list[NodeSummary]:
        """Nodes that keep their name to themselves but were given an id from nothing else."""
        ids = {canonical(self._session, site, one) for one in ids_of_host(hostname)}
        found = (nodes.summary(self._session, site, one) for one in sorted(ids))
        return [one for one in found if one is not None and one.hostname is None]

    def _hosts_of(self, site: str) -> list[NodeSummary]:
        found: list[NodeSummary] = []
        after: tuple[str, str] | None = None
        while page := nodes.summaries(self._session, NodeFilter(site=site), "site", after, _PAGE):
            found += [one for one in page if one.hostname is not None]
            after = (page[-1].site, page[-1].node_id)
        return found


def _row(score: ImportedScore, node_id: str | None, now: datetime) -> StoredMeasurement:
    return StoredMeasurement(
        id=blake2b(score.report_id.encode(), digest_size=16).hexdigest(),
        site=score.site,
        node_id=node_id,
        kind=score.kind,
        total=score.total,
        loaded_cpus=score.loaded_cpus,
        cpu_key=normalise(score.cpu.model_name)[:120] if score.cpu.model_name else None,
        measured_at=score.measured_at,
        imported_at=now,
        source=score.source,
        report=score.model_dump(mode="json"),
    )
