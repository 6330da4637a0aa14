"""What the fleet is made of: slots seen on nodes, nodes of sites, sites of federations."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from capacity.hs06.model import Estimate, Finding, GpuDevice, NodeEvidence, Part, Positive


class FleetSettings(Part):
    """Thresholds of the fleet's rules; each with the reason for its default."""

    slot_window: timedelta = Field(
        default=timedelta(hours=24),
        description="looks this long before the newest one of a node count as concurrent: pilots of CMS live one to four days and renew their slot within one",
    )
    stale_after: timedelta = Field(
        default=timedelta(days=7),
        description="a node that was not seen for a week may be gone: sites drain nodes for days, not weeks (policy)",
    )
    slot_kept_for: timedelta = Field(
        default=timedelta(days=30), description="slots older than this before the newest look are forgotten"
    )
    scores_kept_for: timedelta = Field(
        default=timedelta(days=90),
        description="payload scores of an earlier look still speak for the slot: hardware ages slowly, kernels and BIOSes change in months (policy)",
    )
    clock_tolerance_s: float = Field(
        default=60.0, description="a clock ahead by more is a finding: usual slack of tokens (CTX-03)"
    )
    slots_kept: int = Field(
        default=512, description="per node; 512 single-core slots fill the largest nodes of the grid"
    )


class Gate(Part):
    """One condition of usable capacity, such as a reachable CVMFS. Separate from the capacity itself."""

    name: str = Field(description="cvmfs, squid, xrootd, siteconf, memory, fresh …")
    passed: bool | None = Field(description="None = nobody looked")
    says: str
    check_ids: tuple[str, ...] = ()
    hint: str | None = None


class CheckView(Part):
    """A check of the latest profile that an admin should see."""

    id: str
    status: str
    summary: str
    hint: str | None = None


class SlotView(Part):
    """The latest look from inside one slot of a node (or at the whole node)."""

    key: str = Field(description="stable within the node: slot name, CPU list or 'node'")
    kind: Literal["slot", "node"]
    profile_id: str
    seen_at: AwareDatetime = Field(description="the earlier of written and received, UTC")
    evidence: NodeEvidence
    gates: tuple[Gate, ...] = ()
    checks: tuple[CheckView, ...] = Field(default=(), description="WARNING and CRITICAL ones")
    agent_version: str | None = None
    reported_node_id: str | None = Field(default=None, description="the id that the agent gave the machine")
    boot_key: str | None = Field(
        default=None, description="the machine since its last start; None = not told"
    )
    clock_ahead_s: float | None = Field(
        default=None, description="how far the writer's clock was ahead of ours; None = it was not"
    )
    scores_profile_id: str | None = Field(
        default=None, description="whose payload scores on CPUs these are, when the newest look made none"
    )
    scores_seen_at: AwareDatetime | None = None
    gpu_scores_profile_id: str | None = Field(default=None, description="the same of those on GPUs")
    gpu_scores_seen_at: AwareDatetime | None = None


class Boot(Part):
    """One run of a machine between two starts, as far as it was seen."""

    key: str
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime


class NodeState(Part):
    """One machine of one site, from all that was seen of it."""

    site: str
    node_id: str
    hostname: str | None = None
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    profiles: int = 0
    slots: tuple[SlotView, ...] = Field(default=(), description="latest first")
    evidence: NodeEvidence | None = Field(default=None, description="merged from the slots that are fresh")
    estimate: Estimate | None = Field(default=None, description="None = not yet computed")
    granted_cores: float | None = Field(
        default=None, description="that jobs of CMS may use at once, without double counting"
    )
    hs23_granted: Positive | None = Field(
        default=None, description="pledgeable capacity: per core × granted_cores"
    )
    gates: tuple[Gate, ...] = Field(
        default=(), description="of the node, by the newest look that answered each"
    )
    usable: bool | None = Field(default=None, description="None = nobody looked at what is needed to say so")
    unusable_reason: str | None = Field(default=None, description="why it is not, or why nobody can say")
    boots: tuple[Boot, ...] = Field(default=(), description="latest first; two that overlap are two machines")
    stale: bool = Field(default=False, description="when the state was computed; see staleness.is_stale")
    gpus: tuple[GpuDevice, ...] = ()
    findings: tuple[Finding, ...] = Field(default=(), description="identity collisions, clocks, outliers …")


class Interval(Part):
    """A sum with its 68 % interval."""

    value: float
    low: float
    high: float


class SiteInfo(Part):
    """What is known of a site from CRIC, REBUS or by name."""

    name: Annotated[str, Field(max_length=64)]
    federation: str | None = None
    country: str | None = None
    tier: int | None = None


class Pledge(Part):
    """What a federation promised for a year."""

    federation: str
    year: int
    cpu_hs23: Positive
    vo: str = "CMS"
    source: str


class Total(Part):
    """Nodes of one site whose figures have a source of error in common, added up (by the database or in memory).

    Σ runs over the nodes of the group; h is a node's hs23_granted, σ its sigma.
    """

    site: str
    cpu_key: str | None = None
    method: str | None = Field(default=None, description="rung of the estimates; None = not yet computed")
    calibration_version: str | None = None
    provisional: bool = False
    usable: bool | None = None
    unusable_reason: str | None = None
    stale: bool = False
    nodes: Annotated[int, Field(ge=1)]
    granted_cores: Annotated[float, Field(ge=0)] = 0.0
    hs23: Annotated[float, Field(ge=0)] = Field(default=0.0, description="Σ h")
    hs23_sigma: Annotated[float, Field(ge=0)] = Field(default=0.0, description="Σ h σ")
    hs23_sigma_sq: Annotated[float, Field(ge=0)] = Field(default=0.0, description="Σ (h σ)²")
    last_seen_at: AwareDatetime | None = None


class Roll(Part):
    """Capacity of a site, federation, country or of CMS."""

    kind: Literal["site", "federation", "country", "cms"]
    name: str
    nodes: int
    stale_nodes: int
    unusable_nodes: int
    unverified_nodes: int = Field(
        default=0, description="fresh, but nobody looked at what is needed to call them usable"
    )
    pending_nodes: int
    granted_cores: float
    usable_cores: float = Field(default=0.0, description="of nodes that pass all gates")
    unusable_cores: float = Field(default=0.0, description="of nodes that are known not to pass one")
    hs23: Interval = Field(description="pledgeable CPU of fresh nodes")
    hs23_usable: Interval = Field(description="of those that pass all gates")
    constant_10_hs23: float = Field(description="what the constant 10 per core would say of the same cores")
    hs23_per_core: Interval | None = Field(default=None, description="None = no node counts")
    gpus: dict[str, int] = Field(
        default_factory=dict, description="device (MIG profile) → number; never added to HS06"
    )
    pledge_hs23: float | None = None
    pledge_year: int | None = None
    provisional_share: float = Field(
        default=0.0, description="share of hs23 that hangs on a provisional calibration"
    )
    last_seen_at: AwareDatetime | None = None
    unusable_reasons: dict[str, int] = Field(default_factory=dict)
    methods: dict[str, int] = Field(default_factory=dict)
