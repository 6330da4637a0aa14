"""What an import gives: figures, and one sentence for each thing that could not be used."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from capacity.fleet.model import Pledge, SiteInfo
from capacity.hs06.model import CpuDescription, Part, Positive

Short = Annotated[str, Field(max_length=255)]


class ImportedScore(Part):
    """One full benchmark run on one node, as somebody reported it."""

    report_id: Short = Field(description="of the run, as its report calls itself; the same one counts once")
    kind: Literal["HS23", "HS06"]
    total: Positive = Field(description="of all CPUs that were loaded together")
    loaded_cpus: Annotated[int, Field(ge=1, le=1_000_000)]
    cpu: CpuDescription
    site: Annotated[str, Field(max_length=64)] | None = None
    hostname: Short | None = None
    node_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    measured_at: AwareDatetime | None = None
    source: Annotated[str, Field(max_length=200)]
    ratios: dict[str, float] = Field(
        default_factory=dict, description="workload → its result over that of the reference machine"
    )


class Imported(Part):
    """All that a file gave."""

    scores: tuple[ImportedScore, ...] = ()
    sites: tuple[SiteInfo, ...] = ()
    pledges: tuple[Pledge, ...] = ()
    problems: tuple[str, ...] = Field(default=(), description="what was left out and why, one sentence each")
