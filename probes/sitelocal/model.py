"""What the files of SITECONF say, after they were checked; the types that the other modules here fill and read."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass(frozen=True, kw_only=True)
class Site:
    """SITECONF of this node. Nothing here raises; what could not be read is in `problems`.

    Attributes:
        directory: of SITECONF, None if none was found.
        origin: what named it: a setting, a variable or the default.
        config: site-local-config.xml, None if it cannot be read.
        storage: storage.json of each site that data-access or stage-out name, by site.
        sha256: of the site's own two files, by file name; CFG-04 compares them with the central copies.
        problems: in the order of their discovery.
    """

    directory: str | None = None
    origin: str = ""
    config: LocalConfig | None = None
    storage: dict[str, StorageFile] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str | None:
        """The site's CMS name."""
        return self.config.name if self.config else None

    @property
    def subsite(self) -> str | None:
        """Name of the sub-site, None if the directory describes the site itself."""
        return self.config.subsite if self.config else None

    @property
    def frontier(self) -> Frontier | None:
        """How conditions data are reached."""
        return self.config.frontier if self.config else None

    @property
    def data_access(self) -> tuple[DataAccess, ...]:
        """Where jobs look for a file, in order."""
        return self.config.data_access if self.config else ()

    def resolve(self, lfn: str) -> tuple[Resolved, ...]:
        """What each data-access entry makes of a logical file name, in order."""
        from probes.sitelocal.resolve import resolve  # noqa: PLC0415 - it needs the types of this module

        return resolve(self, self.data_access, lfn)

    def stage_out(self, lfn: str) -> tuple[Resolved, ...]:
        """What each stage-out method makes of a logical file name, in order."""
        from probes.sitelocal.resolve import resolve  # noqa: PLC0415

        methods = self.config.stage_out if self.config else ()
        places = [DataAccess(site=one.site, volume=one.volume, protocol=one.protocol) for one in methods]
        return resolve(self, places, lfn)

    def pfns(self, lfn: str) -> tuple[Pfn, ...]:
        """Physical names of a logical file name ("/store/…") for the data-access entries that give one, in order."""
        return tuple(one.pfn for one in self.resolve(lfn) if one.pfn is not None)

    def pfns_of(self, protocol_names: tuple[str, ...], lfn: str) -> tuple[Pfn, ...]:
        """Physical names by every protocol of the site's own storage that has one of these names, e.g. WebDAV.

        Compared without regard to case. They need not stand in data-access: WebDAV is for transfers, not for jobs.
        """
        from probes.sitelocal.resolve import by_protocol  # noqa: PLC0415

        return by_protocol(self, protocol_names, lfn)
