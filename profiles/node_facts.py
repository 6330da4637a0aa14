"""All facts of a node, one optional part per probe."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from profiles.base import Model
from profiles.facts.batch import BatchFacts
from profiles.facts.container import ContainerFacts
from profiles.facts.context import ContextFacts
from profiles.facts.cores import CoresFacts
from profiles.facts.cpu import CpuFacts
from profiles.facts.credentials import CredentialsFacts
from profiles.facts.cvmfs import CvmfsFacts
from profiles.facts.cvmfs_mount import CvmfsMountFacts
from profiles.facts.disk import DiskFacts
from profiles.facts.gpu import GpuFacts
from profiles.facts.limits import LimitsFacts
from profiles.facts.memory import MemoryFacts
from profiles.facts.network import NetworkFacts
from profiles.facts.siteconf import SiteconfFacts
from profiles.facts.squid import SquidFacts
from profiles.facts.webdav import WebdavFacts
from profiles.facts.xrootd import XrootdFacts


class NodeFacts(Model):
    """What the probes found. A part is null if its probe did not run or did not finish: `limits.probes` says why."""

    context: ContextFacts | None = None
    batch: BatchFacts | None = None
    cores: CoresFacts | None = None
    cpu: CpuFacts | None = None
    memory: MemoryFacts | None = None
    disk: DiskFacts | None = None
    limits: LimitsFacts | None = None
    container: ContainerFacts | None = None
    gpu: GpuFacts | None = None
    network: NetworkFacts | None = None
    siteconf: SiteconfFacts | None = None
    credentials: CredentialsFacts | None = None
    cvmfs: CvmfsFacts | None = None
    cvmfs_mount: CvmfsMountFacts | None = None
    squid: SquidFacts | None = None
    xrootd: XrootdFacts | None = None
    webdav: WebdavFacts | None = None
    extensions: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        max_length=32,
        description="facts of probes that are not sitecap's own, by probe name",
    )
