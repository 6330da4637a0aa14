"""What the files of SITECONF say, after they were checked; the types that the other modules here fill and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from probes.sitelocal.storage import StorageEntry

ProblemKind = Literal["missing", "refused", "unparsable", "incomplete", "unresolved"]
"""missing: no such file or directory; refused: it cannot or must not be read (permission, size, doctype); unparsable:
not XML or not JSON; incomplete: an element or attribute is missing or senseless; unresolved: no PFN comes out."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong with SITECONF.

    Attributes:
        kind: class of the problem.
        where: path of the file, or the element or entry in it.
        text: one sentence: what is wrong there.
    """

    kind: ProblemKind
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass(frozen=True, kw_only=True)
class DataAccess:
    """One `<catalog>` of `<data-access>`: where jobs look for a file, in this order."""

    site: str
    """Whose storage; that of another site is described in the other's directory."""
    volume: str
    protocol: str


@dataclass(frozen=True, kw_only=True)
class StageOut:
    """One `<method>` of `<stage-out>`."""

    site: str
    volume: str
    protocol: str
    command: str | None = None


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """`<frontier-connect>`: how conditions data are reached. URLs as they stand in the file."""

    proxies: tuple[str, ...] = ()
    backup_proxies: tuple[str, ...] = ()
    proxyconfigs: tuple[str, ...] = ()
    """URLs of proxy auto-configuration files (WPAD)."""
    servers: tuple[str, ...] = ()
    balance_proxies: bool = False
    """True: a client picks one of the proxies at random; False: it goes through them in their order."""


@dataclass(frozen=True, kw_only=True)
class LocalConfig:
    """site-local-config.xml."""

    name: str | None = None
    subsite: str | None = None
    data_access: tuple[DataAccess, ...] = ()
    event_data: tuple[str, ...] = ()
    """URLs of the old trivial file catalogues."""
    stage_out: tuple[StageOut, ...] = ()
    frontier: Frontier | None = None
    local_connect: bool = False
    """Conditions come from a local connection instead of Frontier."""


@dataclass(frozen=True, kw_only=True)
class Pfn:
    """A physical file name, and what it was made of."""

    url: str
    protocol: str
    access: str | None
    """virtual, site-ro, site-rw, global-ro or global-rw; None if storage.json does not say."""
    entry: DataAccess


@dataclass(frozen=True, kw_only=True)
class StorageFile:
    """One storage.json."""

    path: str
    entries: tuple[StorageEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What became of one LFN in one data-access entry: either a PFN or the reason why not."""

    entry: DataAccess
    pfn: Pfn | None = None
    problem: Problem | None = None
