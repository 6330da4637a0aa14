"""Second pass: the root catalog through every verified route, and one real file read back.

Routes whose manifests name the same root catalog form a group. In each group one route leads: it walks from the root catalog
through the nested ones to the file. The others then fetch the same root catalog and the same objects of the file along
their own way and compare the hashes; nested catalogs are not fetched again. So the traffic is known before it happens, and
ends where `cvmfs.max_total_bytes` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from probes.cvmfs.asking import Comparison, Way
from probes.cvmfs.faults import CONTENT_FAULTS, FaultError
from probes.cvmfs.hashes import ContentHash
from probes.cvmfs.objects import checked, inflated
from probes.cvmfs.trust import Travelled, with_comparison
from probes.cvmfs.walk import Located, Piece, locate
from probes.network_steps import side_by_side
from probes.remote_settings import CvmfsSettings

SLACK_BYTES = 65_536
"""Compressed data may be a little larger than what it holds, and an empty object is not empty."""

UNKNOWN_CATALOG_BYTES = 1_000_000
"""Taken for the size of a root catalog whose manifest has no line B."""

NO_TRAFFIC = "max-total-bytes"
OUR_BOUNDS = (NO_TRAFFIC, "budget")
"""No faults of the route, which was verified before."""


@dataclass
class _Plan:
    """What the leader found; the others repeat it."""

    located: Located | None = None
    stored_bytes: dict[ContentHash, int] = field(default_factory=dict)


def fetch_contents(
    groups: Sequence[Sequence[Travelled]], settings: CvmfsSettings, comparison: Comparison
) -> None:
    """Take all routes through the steps catalog and file.

    Args:
        groups: verified routes of one repository with one root catalog each, in the order in which they may lead.
        settings: bounds, and the files to read.
        comparison: for objects that are broken behind a proxy.
    """
    share_bytes = settings.max_total_bytes // max(1, len(groups))
    tasks = {
        number: partial(_Group(settings, comparison, share_bytes).run, group)
        for number, group in enumerate(groups)
    }
    for outcome in side_by_side(tasks).values():
        if isinstance(outcome, Exception):
            raise outcome


class _Group:
    def __init__(self, settings: CvmfsSettings, comparison: Comparison, share_bytes: int) -> None:
        self._settings = settings
        self._comparison = comparison
        self._left_bytes = share_bytes
        self._leader: Travelled | None = None

    def run(self, routes: Sequence[Travelled]) -> None:
        manifest = routes[0].manifest
        assert manifest is not None
        size_bytes = manifest.catalog_bytes or UNKNOWN_CATALOG_BYTES
        if size_bytes > self._settings.max_catalog_bytes:
            reason = f"the root catalog has {size_bytes} bytes, cvmfs.max_catalog_bytes is {self._settings.max_catalog_bytes}"
            self._leave(routes, reason)
            return
        followers = list(routes)
        plan: _Plan | None = None
        while followers and plan is None and self._left_bytes > 0:
            self._leader = followers.pop(0)
            plan = self._lead(self._leader)
        self._leader = None
        if plan is None:
            self._leave(followers, "cvmfs.max_total_bytes was used up by routes that failed")
            return
        one_bytes = sum(plan.stored_bytes.values())
        count = max(0, self._left_bytes // max(1, one_bytes))
        self._leave(followers[count:], f"cvmfs.max_total_bytes is used up; one route takes {one_bytes} bytes")
        for outcome in side_by_side(
            {number: partial(self._follow, route, plan) for number, route in enumerate(followers[:count])}
        ).values():
            if isinstance(outcome, Exception):
                raise outcome

    @staticmethod
    def _leave(routes: Sequence[Travelled], reason: str) -> None:
        for route in routes:
            for name in ("catalog", "file"):
                route.note(name, "not tried", detail=reason)

    def _lead(self, route: Travelled) -> _Plan | None:
        """Walk to the file; None if this route's root catalog is no use, so that another has to lead."""
        manifest, way = route.manifest, route.way
        assert manifest is not None
        plan = _Plan()
        root = _Stored(manifest.root_catalog, "C", "the root catalog")
        took_s = 0.0
        limit_bytes = self._settings.max_catalog_bytes
        try:
            content = self._fetch(route, root, manifest.catalog_bytes or limit_bytes, plan)
            took_s = way.last.duration_s if way.last else 0.0
            catalog = inflated(content, limit_bytes, root.what)
        except FaultError as fault:
            _fail(route, "catalog", fault)
            return None
        path = self._settings.test_paths.get(way.repository)

        def load(content_hash: ContentHash) -> bytes:
            nested = _Stored(content_hash, "C", "a nested catalog")
            return inflated(self._fetch(route, nested, limit_bytes, None), limit_bytes, nested.what)

        caught: FaultError | None = None
        try:
            plan.located = locate(
                path or "/", catalog, load, repository=way.repository, revision=manifest.revision
            )
        except FaultError as fault:
            caught = fault
        if caught is not None and caught.name == "bad-catalog" and "the root catalog" in caught.detail:
            route.note("catalog", "failed", fault=caught)
            return None
        route.note("catalog", "ok", duration_s=took_s)
        if path is None:
            route.note("file", "not tried", detail="cvmfs.test_paths names no file of this repository")
        elif caught is not None:
            _fail(route, "file", caught)
        else:
            self._read_file(route, plan)
        return plan

    def _follow(self, route: Travelled, plan: _Plan) -> None:
        manifest = route.manifest
        assert manifest is not None
        root = _Stored(manifest.root_catalog, "C", "the root catalog")
        try:
            self._fetch(route, root, plan.stored_bytes[root.content], None)
        except FaultError as fault:
            _fail(route, "catalog", fault)
            return
        route.note("catalog", "ok", duration_s=route.way.last.duration_s if route.way.last else None)
        if plan.located is None:
            route.note("file", "not tried", detail="the file was not found through another route")
        else:
            self._read_file(route, plan)

    def _read_file(self, route: Travelled, plan: _Plan) -> None:
        located, bound = plan.located, self._settings.max_object_bytes
        assert located is not None
        if located.size_bytes > bound:
            route.note(
                "file",
                "not tried",
                detail=f"{located.path} has {located.size_bytes} bytes, cvmfs.max_object_bytes is {bound}",
            )
            return
        took_s = 0.0
        try:
            for piece in dict.fromkeys(located.pieces):
                self._read_piece(route, piece, located.path, plan)
                took_s += route.way.last.duration_s if route.way.last else 0.0
        except FaultError as fault:
            _fail(route, "file", fault)
            return
        detail = f"{located.path}: {located.size_bytes} bytes in {len(located.pieces)} objects, {located.catalogs} catalogs"
        route.note("file", "ok", detail=detail, duration_s=took_s)

    def _read_piece(self, route: Travelled, piece: Piece, path: str, plan: _Plan) -> None:
        what = f"a piece of {path}" if piece.kind else path
        stored = _Stored(piece.content, piece.kind, what)
        content = self._fetch(route, stored, piece.size_bytes, plan)
        if piece.compressed:
            content = inflated(content, piece.size_bytes, what)
        if len(content) != piece.size_bytes:
            raise FaultError(
                "bad-object", f"{what} has {len(content)} bytes, the catalog says {piece.size_bytes}"
            )

    def _fetch(self, route: Travelled, stored: _Stored, limit_bytes: int, plan: _Plan | None) -> bytes:
        """A stored object with its hash checked; a proxy that spoils it is told from a server that does."""
        way, path = route.way, stored.content.path(stored.kind)

        def check(content: bytes) -> bytes:
            return checked(content, stored.content, stored.what)

        limit_bytes += SLACK_BYTES
        leads, before_bytes = route is self._leader, way.fetched_bytes
        # The others repeat what the leader did, and how many of them may is settled beforehand.
        allowed_bytes = min(limit_bytes, self._left_bytes) if leads else limit_bytes
        if allowed_bytes <= 0:
            raise FaultError(NO_TRAFFIC, "cvmfs.max_total_bytes is used up")
        try:
            content = check(way.get(path, allowed_bytes))
        except FaultError as fault:
            if fault.name == "too-large" and allowed_bytes < limit_bytes:
                raise FaultError(
                    NO_TRAFFIC, f"{stored.what} is larger than what cvmfs.max_total_bytes leaves"
                ) from fault
            if fault.name not in CONTENT_FAULTS or way.proxy is None:
                raise
            took = way.last
            route.directly = self._comparison.directly(way, stored.kind, path, limit_bytes, check)
            way.last = took
            raise with_comparison(fault, route.directly, way) from fault
        finally:
            if leads:
                self._left_bytes -= way.fetched_bytes - before_bytes
        if plan is not None:
            plan.stored_bytes[stored.content] = len(content)
        return content


def _fail(route: Travelled, name: str, fault: FaultError) -> None:
    if fault.name in OUR_BOUNDS:
        route.note(name, "not tried", detail=fault.detail)
    else:
        route.note(name, "failed", fault=fault)


@dataclass(frozen=True)
class _Stored:
    content: ContentHash
    kind: str
    what: str


def ordered_to_lead(routes: Sequence[Travelled]) -> list[Travelled]:
    """Such that the first few touch every proxy and every Stratum-1 if they can: the bound on traffic cuts the rest.

    Where that leaves a choice the quickest goes first, because the others wait for whoever leads.
    """
    left, ordered = list(routes), []
    proxies: dict[str | None, int] = {}
    servers: dict[str, int] = {}

    def worn(route: Travelled) -> tuple[int, float]:
        way: Way = route.way
        return proxies.get(way.proxy, 0) + servers.get(way.server, 0), route.cold_s or 0.0

    while left:
        chosen = min(left, key=worn)
        left.remove(chosen)
        ordered.append(chosen)
        proxies[chosen.way.proxy] = proxies.get(chosen.way.proxy, 0) + 1
        servers[chosen.way.server] = servers.get(chosen.way.server, 0) + 1
    return ordered
