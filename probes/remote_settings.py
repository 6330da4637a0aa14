"""What a site may set about remote access. The defaults are the shipped `cms` profile; nothing comes from the network."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from probes.section import Section

Host = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^\s/@]+$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[a-z]+://\S+$")]


def _of_a_file(url: str) -> str:
    if not re.fullmatch(r"(davs|https|dav|http)://[^\s/@]+/\S+", url):
        raise ValueError("must be davs://host:port/path of a file (or https, dav, http), without a user")
    return url


DavUrl = Annotated[str, Field(max_length=1024), AfterValidator(_of_a_file)]
TimeoutS = Annotated[float, Field(gt=0, le=120)]

STRATUM_1S = (
    "http://cvmfs-stratum-one.cern.ch:8000",
    "http://cernvmfs.gridpp.rl.ac.uk:8000",
    "http://cvmfs-s1bnl.opensciencegrid.org:8000",
    "http://cvmfs-s1fnal.opensciencegrid.org:8000",
)
"""CVMFS default configuration for cern.ch (cvmfs-contrib/config-repo, etc/cvmfs/domain.d/cern.ch.conf)."""

REPOSITORIES = (
    "cms.cern.ch",
    "grid.cern.ch",
    "unpacked.cern.ch",
    "singularity.opensciencegrid.org",
    "oasis.opensciencegrid.org",
)
"""What CMS jobs mount (CMS facilities documentation; SAM wn_cvmfs); the first is the one that no job can do without."""


class CvmfsSettings(Section):
    """CVMFS, mounted and over HTTP."""

    mount_path: str = Field(default="/cvmfs", description="where repositories are mounted")
    repositories: tuple[Host, ...] = Field(
        default=REPOSITORIES,
        min_length=1,
        max_length=16,
        description="looked for below the mount; the first is essential",
    )
    http_repositories: tuple[Host, ...] = Field(
        default=("cms.cern.ch",), max_length=8, description="verified over HTTP through every route"
    )
    stratum_ones: tuple[Url, ...] = Field(
        default=STRATUM_1S, max_length=16, description="http://host:port, without the path of the repository"
    )
    proxies: str | None = Field(
        default=None,
        max_length=4096,
        description="in the grammar of CVMFS_HTTP_PROXY: | inside a group, ; between groups, DIRECT, auto; unset = CVMFS's own "
        "configuration on this node, else SITECONF's proxies, else DIRECT",
    )
    keys_path: str = Field(
        default="/etc/cvmfs/keys", description="master keys of this node, beside the shipped ones"
    )
    test_paths: dict[str, str] = Field(
        default={"cms.cern.ch": "/cmsset_default.sh"},
        description="repository = file that is read whole, on the mount and over HTTP",
    )
    max_catalog_bytes: int = Field(
        default=20_000_000,
        ge=0,
        le=200_000_000,
        description="larger catalogs are not fetched over HTTP (sitecap policy for pilots)",
    )
    max_object_bytes: int = Field(
        default=32_000_000, ge=0, le=200_000_000, description="bound on one file read over HTTP"
    )
    max_total_bytes: int = Field(
        default=32_000_000,
        ge=0,
        le=36_000_000,
        description="catalogs and files of all routes together; a recording holds them, so there is a ceiling",
    )
    max_routes: int = Field(
        default=48, ge=1, le=96, description="proxies × Stratum-1s × repositories that are tried over HTTP"
    )
    cache_path: str = Field(
        default="/var/lib/cvmfs", description="the client's cache, for the revision that it has seen last"
    )
    geo_order: bool = Field(
        default=False, description="ask the geo API of each Stratum-1 for the order of all (CVH-07)"
    )
    connect_timeout_s: TimeoutS = 5.0
    timeout_s: TimeoutS = Field(
        default=10.0, description="for one object; a CVMFS client waits 5 s through a proxy, 10 s directly"
    )
    budget_s: TimeoutS = Field(default=40.0, description="for all routes together")


class SquidSettings(Section):
    """Site proxies and Frontier."""

    wpad_urls: tuple[Url, ...] = Field(
        default=("http://grid-wpad/wpad.dat",),
        max_length=4,
        description="asked where the proxies are configured as auto",
    )
    frontier_servers: tuple[Url, ...] = Field(
        default=(),
        max_length=16,
        description="http://host:port/servlet; unset = those of SITECONF, else CMS's launchpad",
    )
    proxies: tuple[Url, ...] = Field(
        default=(), max_length=24, description="unset = those of SITECONF and of CVMFS"
    )
    timeout_s: TimeoutS = 5.0
    budget_s: TimeoutS = 30.0


class CredentialSettings(Section):
    """Tokens and proxies."""

    audiences: tuple[str, ...] = Field(
        default=(),
        max_length=16,
        description="audiences that the site's storage takes; unset = the hosts of its endpoints",
    )
    voms: str = Field(default="cms", max_length=64, description="virtual organisation wanted in a proxy")
    required: bool = Field(default=False, description="no credential at all is CRITICAL instead of SKIPPED")


class SiteconfSettings(Section):
    """The site's own description."""

    path: str | None = Field(
        default=None,
        description="directory of SITECONF; unset = SITECONFIG_PATH, else the one below the mount of cms.cern.ch",
    )
    test_lfn: str | None = Field(
        default=None,
        pattern="^/store/",
        description="logical file name resolved and read; unset = SAM's own for this site",
    )
    central_sha256: dict[str, str] = Field(
        default_factory=dict, description="file name = hash of the central copy, for CFG-04"
    )


REDIRECTORS = (
    "root://xrootd-cms.infn.it:1094",
    "root://cmsxrootd.fnal.gov:1094",
    "root://cms-xrd-global.cern.ch:1094",
)
"""CMS data federation: Europe and Asia, Americas, global (CMS TWiki Main/RedirectorsSubscription)."""

SAM_LFN = "/store/mc/SAM/GenericTTbar/GEN-SIM-RECO/CMSSW_5_3_1_START53_V5-v1/0013/CE4D66EB-5AAE-E111-96D6-003048D37524.root"
"""The file that CMS keeps at every site for SAM tests (CMSSW SAM documentation)."""


class XrootdSettings(Section):
    """XRootD doors and redirectors."""

    local_urls: tuple[Url, ...] = Field(
        default=(),
        max_length=8,
        description="root://host:port of the site's own doors; unset = those of SITECONF",
    )
    redirectors: tuple[Url, ...] = Field(
        default=REDIRECTORS, max_length=8, description="regional first, global last"
    )
    federation_lfn: str = Field(
        default=SAM_LFN, pattern="^/", description="located and read through the redirectors"
    )
    connect_timeout_s: TimeoutS = Field(
        default=10.0, description="XRD_CONNECTIONWINDOW; the client's own default is 120 s"
    )
    request_timeout_s: TimeoutS = Field(
        default=20.0, description="XRD_REQUESTTIMEOUT; the client's own default is 1800 s"
    )
    read_bytes: int = Field(
        default=8_000_000, ge=0, le=256_000_000, description="read in sequence for the throughput"
    )
    max_file_bytes: int = Field(
        default=64_000_000,
        ge=0,
        le=1_000_000_000,
        description="files up to this size are read whole to compare the checksum",
    )
    write_url: Url | None = Field(
        default=None, description="directory in which STO-01 writes and deletes a file; unset = it does not"
    )
    budget_s: TimeoutS = 45.0


class WebdavSettings(Section):
    """WebDAV doors."""

    urls: tuple[DavUrl, ...] = Field(
        default=(),
        max_length=8,
        description="davs:// or https:// of a file; unset = the test file by SITECONF's WebDAV protocols",
    )
    ca_path: str | None = Field(
        default=None,
        description="authorities; unset = network.ca_path, X509_CERT_DIR, /etc/grid-security/certificates or the system's",
    )
    read_bytes: int = Field(
        default=8_000_000, ge=0, le=256_000_000, description="read in sequence for the throughput; 0 = none"
    )
    max_file_bytes: int = Field(
        default=16_000_000,
        ge=0,
        le=256_000_000,
        description="files up to this size are read whole to compare the checksum",
    )
    timeout_s: TimeoutS = Field(default=10.0, description="for one question to one door")
    budget_s: TimeoutS = Field(default=30.0, description="for all questions to all doors")


class TrafficSettings(Section):
    """How often the outside is asked."""

    cache_s: float = Field(
        default=0.0,
        ge=0,
        le=86_400,
        description="facts of network probes younger than this are used again; 0 = always ask",
    )
    jitter_s: float = Field(
        default=0.0,
        ge=0,
        le=3600,
        description="network probes begin after a random time up to this, so that nodes do not ask together; their "
        "deadlines and budget_s begin then",
    )
