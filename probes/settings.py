"""What a site may set about probing: thresholds, endpoints, what to leave out. Parsed and checked by the agent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from probes.remote_settings import (
    CredentialSettings,
    CvmfsSettings,
    SiteconfSettings,
    SquidSettings,
    TrafficSettings,
    WebdavSettings,
    XrootdSettings,
)
from probes.section import AbsolutePath, Section
from profiles.checks import Scalar

NO_OUTBOUND = "site_profile is no-outbound: worker nodes here have no route out"
"""Why a network probe asked nothing."""


class Endpoint(Section):
    """A TCP service that jobs at this site must reach."""

    name: str = Field(min_length=1, max_length=64, description="short name, shown in reports")
    host: str = Field(min_length=1, max_length=253)
    port: int = Field(ge=1, le=65_535)
    tls: bool = Field(
        default=False, description="verify its certificate (NET-04) and take its clock (CTX-03)"
    )
    essential: bool = Field(default=False, description="unreachable is CRITICAL instead of WARNING")
    http_path: str | None = Field(
        default=None,
        pattern=r"^/[!-~]*$",
        description="path asked over HTTP (NET-04) that never answers with HTML, unless something sits in between",
    )


CVMFS_INFO_PATH = "/cvmfs/info/v1/repositories.json"
"""Every Stratum-1 of CVMFS serves the list of its repositories here, as JSON (CVMFS documentation, "Stratum 1")."""

CMS_ENDPOINTS = (
    Endpoint(name="cmsweb", host="cmsweb.cern.ch", port=443, tls=True),
    Endpoint(name="stratum-1 CERN", host="cvmfs-stratum-one.cern.ch", port=80, http_path=CVMFS_INFO_PATH),
    Endpoint(name="redirector global", host="cms-xrd-global.cern.ch", port=1094),
    Endpoint(name="redirector Europe", host="xrootd-cms.infn.it", port=1094),
    Endpoint(name="redirector Americas", host="cmsxrootd.fnal.gov", port=1094),
)
"""What CMS jobs talk to (CMSSW site configuration, CVMFS default.d for cern.ch, XRootD redirector subscription)."""


class NetworkSettings(Section):
    """Which services are tried, and how long."""

    endpoints: tuple[Endpoint, ...] = Field(default=CMS_ENDPOINTS, max_length=64)
    connect_timeout_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    throughput_url: str | None = Field(
        default=None, description="object of up to 8 MB for NET-06; unset = skipped"
    )
    http_proxy: str | None = Field(default=None, description="squid used for NET-06, http://host:port")
    ca_path: str | None = Field(
        default=None,
        description="CA file or directory; unset = X509_CERT_DIR, /etc/grid-security/certificates or the system's",
    )


class DiskSettings(Section):
    """Where jobs write."""

    scratch_path: AbsolutePath | None = Field(
        default=None, description="work directory, absolute; unset = as the batch system says"
    )
    write_test_bytes: int = Field(default=16 * 1024 * 1024, ge=0, le=1024**3, description="0 = no write test")


class ContainerSettings(Section):
    """Which containers are tried."""

    test_images: tuple[str, ...] = Field(
        default=(
            "/cvmfs/unpacked.cern.ch/registry.hub.docker.com/cmssw/el9:x86_64",
            "/cvmfs/singularity.opensciencegrid.org/cmssw/cms:rhel9",
        ),
        description="images tried with apptainer (CNT-04); the first that exists is used",
    )


class KubernetesSettings(Section):
    """Where the downward API puts what the pod was granted."""

    cpu_limit_env: str = "MY_CPU_LIMIT"
    memory_limit_env: str = "MY_MEM_LIMIT"
    node_name_env: str = "NODE_NAME"
    podinfo_path: str = "/etc/podinfo"
    cpu_divisor: str = Field(default="1", description="divisor of limits.cpu in the manifest, e.g. 1m")
    memory_divisor: str = Field(default="1", description="divisor of limits.memory in the manifest, e.g. 1Mi")


class Settings(Section):
    """All that can be set about probing."""

    site_name: str | None = Field(default=None, max_length=64, description="CMS name of the site, T2_XX_Name")
    site_profile: Literal["standard", "no-outbound"] = Field(
        default="standard",
        description="no-outbound: worker nodes have no route out; network checks are skipped",
    )
    skip_checks: dict[str, str] = Field(
        default_factory=dict, description="check id = why it does not apply here"
    )
    thresholds: dict[str, dict[str, Scalar]] = Field(
        default_factory=dict, description="check id → threshold name → value, see `agent explain`"
    )
    network: NetworkSettings = NetworkSettings()
    disk: DiskSettings = DiskSettings()
    container: ContainerSettings = ContainerSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    siteconf: SiteconfSettings = SiteconfSettings()
    credentials: CredentialSettings = CredentialSettings()
    squid: SquidSettings = SquidSettings()
    cvmfs: CvmfsSettings = CvmfsSettings()
    xrootd: XrootdSettings = XrootdSettings()
    webdav: WebdavSettings = WebdavSettings()
    traffic: TrafficSettings = TrafficSettings()
