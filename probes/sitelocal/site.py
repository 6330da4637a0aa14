"""SITECONF of this node, and what it makes of a logical file name."""

from __future__ import annotations

from dataclasses import dataclass, field

from probes.sitelocal.model import DataAccess, Frontier, LocalConfig, Pfn, Problem, Resolved, StorageFile
from probes.sitelocal.resolve import by_protocol, resolve


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
        return resolve(self.storage, self.data_access, lfn)

    def stage_out(self, lfn: str) -> tuple[Resolved, ...]:
        """What each stage-out method makes of a logical file name, in order."""
        methods = self.config.stage_out if self.config else ()
        places = [DataAccess(site=one.site, volume=one.volume, protocol=one.protocol) for one in methods]
        return resolve(self.storage, places, lfn)

    def pfns(self, lfn: str) -> tuple[Pfn, ...]:
        """Physical names of a logical file name ("/store/…") for the data-access entries that give one, in order."""
        return tuple(one.pfn for one in self.resolve(lfn) if one.pfn is not None)

    def pfns_of(self, protocol_names: tuple[str, ...], lfn: str) -> tuple[Pfn, ...]:
        """Physical names by every protocol of the site's own storage that has one of these names, e.g. WebDAV.

        Compared without regard to case. They need not stand in data-access: WebDAV is for transfers, not for jobs.
        """
        return () if self.name is None else by_protocol(self.storage, self.name, protocol_names, lfn)
