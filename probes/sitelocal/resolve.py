"""From a logical to a physical file name, by prefix or by rules and chains, as CMSSW's FileLocator does it.

A prefix stands for the rule `/?(.*)` → prefix + `/$1`. Of rules, the first whose pattern matches the whole name counts;
if it has a chain, the name is first sent through the rules of the protocol named there, and the pattern is matched with
what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from probes.sitelocal.model import DataAccess, Pfn, Problem, ProblemKind, Resolved, StorageFile
from probes.sitelocal.pattern_program import PatternError
from probes.sitelocal.patterns import Budget, compile_pattern
from probes.sitelocal.storage import StorageEntry, StorageProtocol

MAX_CHAIN = 8
"""Protocols in a row; real files chain once."""

MAX_NAME_CHARS = 4096

MAX_STEPS = 500_000
"""Of matching one name by all entries together: about a second; a plain rule takes some 500."""

MAX_PFNS = 64

_GROUP = re.compile(r"\$([1-9])")


class UnresolvedError(Exception):
    """No PFN comes out for this name; the text is one clause."""


class NoSuchPlaceError(UnresolvedError):
    """SITECONF names a volume or protocol that is not described; CMSSW ends the job at that."""


def resolve(
    storage: Mapping[str, StorageFile], entries: Iterable[DataAccess], lfn: str
) -> tuple[Resolved, ...]:
    """What each entry makes of `lfn`, in order, all within one budget of steps; `storage` is by site."""
    budget = Budget(MAX_STEPS)
    return tuple(_resolve(storage.get(entry.site), entry, lfn, budget) for entry in entries)


def _resolve(file: StorageFile | None, entry: DataAccess, lfn: str, budget: Budget) -> Resolved:
    where = f"{entry.site}/{entry.volume}/{entry.protocol}"
    if file is None:
        text = f"the storage.json of {entry.site} cannot be used"
        return Resolved(entry=entry, problem=Problem(kind="missing", where=where, text=text))
    try:
        volume = _volume(file.entries, entry, file.path)
        protocol = _protocol(volume, entry, file.path)
        url = _apply(volume, protocol, lfn, (), budget)
    except UnresolvedError as error:
        kind: ProblemKind = "missing" if isinstance(error, NoSuchPlaceError) else "unresolved"
        return Resolved(entry=entry, problem=Problem(kind=kind, where=where, text=str(error)))
    pfn = Pfn(url=url, protocol=protocol.protocol, access=protocol.access, entry=entry)
    return Resolved(entry=entry, pfn=pfn)


def by_protocol(
    storage: Mapping[str, StorageFile], site: str, names: tuple[str, ...], lfn: str
) -> tuple[Pfn, ...]:
    """PFNs by all protocols of these names on the volumes of one site's own storage.json."""
    wanted = {name.lower() for name in names}
    file = storage.get(site)
    entries = [
        DataAccess(site=volume.site, volume=volume.volume, protocol=protocol.protocol)
        for volume in (file.entries if file is not None else ())
        for protocol in volume.protocols
        if volume.site == site and protocol.protocol.lower() in wanted
    ]
    found: dict[str, Pfn] = {}
    for one in resolve(storage, entries[:MAX_PFNS], lfn):
        if one.pfn is not None:
            found.setdefault(one.pfn.url, one.pfn)
    return tuple(found.values())


def _volume(entries: tuple[StorageEntry, ...], wanted: DataAccess, path: str) -> StorageEntry:
    for entry in entries:
        if (entry.site, entry.volume) == (wanted.site, wanted.volume):
            return entry
    known = ", ".join(entry.volume for entry in entries if entry.site == wanted.site)[:200] or "none"
    raise NoSuchPlaceError(f"{path} has no volume {wanted.volume} of {wanted.site} (it has {known})")


def _protocol(volume: StorageEntry, wanted: DataAccess, path: str) -> StorageProtocol:
    protocol = volume.protocol(wanted.protocol)
    if protocol is None:
        known = ", ".join(one.protocol for one in volume.protocols)[:200]
        raise NoSuchPlaceError(f"volume {wanted.volume} has no such protocol in {path} (it has {known})")
    return protocol


def _apply(
    volume: StorageEntry, protocol: StorageProtocol, name: str, before: tuple[str, ...], budget: Budget
) -> str:
    if protocol.protocol in before:
        raise UnresolvedError(f"the chain {' → '.join((*before, protocol.protocol))} is a loop")
    if len(before) >= MAX_CHAIN:
        raise UnresolvedError(f"more than {MAX_CHAIN} protocols are chained")
    if protocol.prefix:
        return _short(f"{protocol.prefix}/{name.removeprefix('/')}")
    for number, rule in enumerate(protocol.rules, 1):
        try:
            pattern = compile_pattern(rule.lfn)
            groups = pattern.full_match(name, budget)
            if groups is None:
                continue
            if rule.chain is not None:
                chained = volume.protocol(rule.chain)
                if chained is None:
                    raise UnresolvedError(
                        f"rule {number} of {protocol.protocol} is chained to {rule.chain}, which the volume does not have"
                    )
                name = _apply(volume, chained, name, (*before, protocol.protocol), budget)
                groups = pattern.full_match(name, budget)
                if groups is None:
                    raise UnresolvedError(
                        f"rule {number} of {protocol.protocol} does not match what its chain {rule.chain} gives"
                    )
        except PatternError as error:
            raise UnresolvedError(f"rule {number} of {protocol.protocol}: {error}") from None
        return _short(_expand(rule.pfn, groups))
    raise UnresolvedError(f"no rule of {protocol.protocol} matches the file name")


def _expand(template: str, groups: tuple[str | None, ...]) -> str:
    """$1 … $9 become the groups; a number that has no group stays as it is, as in CMSSW."""
    return _GROUP.sub(
        lambda match: (groups[int(match[1]) - 1] or "") if int(match[1]) <= len(groups) else match[0],
        template,
    )


def _short(url: str) -> str:
    if len(url) > MAX_NAME_CHARS or not url.isprintable():
        raise UnresolvedError(
            f"what comes out is not a name: it has {len(url)} characters or control characters"
        )
    return url
