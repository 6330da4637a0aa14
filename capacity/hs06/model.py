"""What the estimation of a node's HS06-equivalent reads and gives. All scores are HEPscore23 (HS23).

"Per core" always means per logical CPU that a job slot is counted by (WLCG: node score / logical CPUs).
Sigmas are standard deviations of the natural logarithm of a score: 0.08 is 8 %.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)]


class Part(BaseModel):
    """Base of all types here: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CpuDescription(Part):
    """What a processor says of itself, of the whole node; None = not known."""

    model_name: str | None = Field(default=None, description="as /proc/cpuinfo or a table prints it")
    arch: str | None = Field(default=None, description="x86_64, aarch64, ppc64le")
    vendor: str | None = Field(default=None, description="as archspec names it")
    microarchitecture: str | None = Field(default=None, description="archspec target, e.g. zen3")
    x86_family: int | None = None
    x86_model: int | None = None
    packages: int | None = Field(default=None, description="sockets")
    physical_cores: int | None = None
    logical_cpus: int | None = None
    threads_per_core: int | None = Field(default=None, description="1: SMT off or absent")
    clock_ghz: float | None = Field(default=None, description="nominal, by its name or its table")
    max_clock_ghz: float | None = Field(default=None, description="highest that the governor may choose")
    l3_bytes: int | None = Field(default=None, description="of all L3 caches of the node together")
    memory_bytes: int | None = None
    numa_nodes: int | None = None
    virtualised: bool | None = None

    @property
    def smt_on(self) -> bool | None:
        """Whether more than one thread of a core is online; None = not known."""
        return None if self.threads_per_core is None else self.threads_per_core > 1


class LoadedCpus(Part):
    """The same kernel on the same events on CPUs of the node, in the run that measured a GPU."""

    events_per_s: Positive = Field(description="of all copies together")
    low: Positive | None = Field(default=None, description="68 % interval")
    high: Positive | None = None
    copies: Annotated[int, Field(ge=1)]


class PayloadScore(Part):
    """Throughput of one kernel whose physics was right in the same run."""

    kernel: str
    version: str
    backend: str = Field(description="cpu, cuda or hip")
    device: str | None = None
    events_per_s: Positive = Field(description="of all copies together")
    low: Positive | None = Field(default=None, description="68 % interval")
    high: Positive | None = None
    baseline_events_per_s: Positive | None = Field(
        default=None, description="of the instruction set that CMSSW ships"
    )
    one_copy_events_per_s: Positive | None = None
    copies: Annotated[int, Field(ge=1)]
    steal_share: float | None = Field(
        default=None, description="wall time that the hypervisor gave to others"
    )
    others_cpus: float | None = Field(default=None, description="CPUs that other processes kept busy")
    throttled: bool | None = None
    loaded_cpus: LoadedCpus | None = Field(
        default=None, description="of a GPU's run; None = not measured there"
    )
    beside_others_events_per_s: Positive | None = Field(
        default=None, description="of a GPU while all GPUs of the run worked; None = it worked alone only"
    )


class MeasuredScore(Part):
    """A full HEPscore23 (or HS06) run: the truth of one node."""

    kind: str = Field(description="HS23 or HS06")
    total: Positive = Field(description="of the CPUs that were loaded together")
    loaded_cpus: Annotated[int, Field(ge=1)]
    measured_at: AwareDatetime | None = None
    source: str
    sigma: Spread = Field(default=0.01, description="of repeats on one node: 0.5-1 % (benchmarks.md d)")


class GpuDevice(Part):
    """One GPU or MIG instance that was granted."""

    name: str
    vendor: str
    memory_bytes: int | None = None
    compute_capability: str | None = None
    mig_profile: str | None = Field(default=None, description="e.g. 1g.5gb; None = the whole device")
    mig_of: str | None = Field(default=None, description="short hash of the device that it is a slice of")
    uuid_hash: str | None = None


class NodeEvidence(Part):
    """All that is known of one node (or of one slot of it) that says something about its speed."""

    cpu: CpuDescription
    scope: str = Field(description="slot or node")
    cores_granted: float | None = None
    cores_present: int | None = None
    in_batch_slot: bool = False
    container: bool = False
    cpus: str | None = Field(default=None, description="which CPUs are granted, kernel notation")
    load_1min: float | None = None
    scores: tuple[PayloadScore, ...] = ()
    measured: tuple[MeasuredScore, ...] = ()
    gpus: tuple[GpuDevice, ...] = ()
    profile_ids: tuple[str, ...] = ()


class Method(StrEnum):
    """Rungs of the ladder, best first."""

    MEASURED = "measured"
    CATALOGUE = "catalogue"
    PAYLOAD = "payload"
    FAMILY = "family"
    DEFAULT = "default"


class Rung(Part):
    """What one method says, whether or not it was used."""

    method: Method
    hs23_per_core: Positive | None = Field(
        default=None, description="on the fully loaded node; None = see reason"
    )
    sigma: Spread | None = None
    says: str = Field(description="one sentence: from what, by which rule")
    inputs: tuple[str, ...] = Field(default=(), description="rows, kernels, ids that it stands on")
    reason: str | None = Field(default=None, description="why this method has no figure here")


class Finding(Part):
    """Something about a node that its estimate shows to be odd."""

    code: str = Field(description="slow-for-model, fast-for-model, not-calibrated, part-of-node …")
    level: Literal["notice", "warning", "problem"] = "notice"
    says: str
    hint: str | None = None


class Estimate(Part):
    """HS06-equivalent of a node. Every figure can be traced: rungs, steps, versions."""

    hs23_per_core: Positive = Field(description="per granted core, of the node under full load")
    low: Positive = Field(description="68 % interval of hs23_per_core")
    high: Positive
    scope_cores: float | None = Field(default=None, description="cores granted to the scope")
    hs23_scope: Positive | None = Field(
        default=None, description="of the cores granted; same relative interval"
    )
    node_cores: int | None = Field(default=None, description="logical CPUs of the node")
    hs23_node: Positive | None = Field(
        default=None, description="of the whole node; None = only a part was seen"
    )
    sigma: Spread
    method: Method = Field(description="the rung with the greatest weight")
    provisional: bool = Field(description="true if it hangs on a calibration without measured pairs")
    calibrated: bool = Field(
        default=True, description="false: nobody has ever published a score for this architecture"
    )
    rungs: tuple[Rung, ...]
    steps: tuple[str, ...] = Field(description="the derivation, one sentence a step, with figures")
    findings: tuple[Finding, ...] = ()
    catalogue_version: str
    calibration_version: str | None = None
