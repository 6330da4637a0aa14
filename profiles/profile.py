"""The capability profile, schema 1.4: what a node is, which checks it passed, what it can compute.

Versions are MAJOR.MINOR. A MINOR only adds optional fields, so a reader ignores what it does not know and takes every
document of its MAJOR. Nothing in it identifies a person; node names and addresses only if they were asked for.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from profiles.base import Count, Model, Seconds, Text
from profiles.checks import CheckResult
from profiles.node_facts import NodeFacts
from profiles.payload_result import BenchInfo, PayloadResult

SCHEMA_VERSION = "1.4"
MAJOR = 1


class AgentInfo(Model):
    """The program that wrote the profile."""

    name: Literal["sitecap"] = "sitecap"
    version: Text


class SiteInfo(Model):
    """The site that the node belongs to, and who says so."""

    name: Annotated[str, Field(pattern=r"^T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48}$", description="CMS site name")]
    source: Text


class NodeInfo(Model):
    """Which node: a stable pseudonym, so that two profiles of one node can be told to be of one node."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    id_basis: tuple[Text, ...] = Field(description="what the pseudonym is a hash of, by kind")
    hostname: Text | None = Field(default=None, description="only if it was asked for")
    boot_key: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        default=None,
        description="pseudonym of the machine since its last start, the same in all its containers and slots (1.3)",
    )


class Scope(Model):
    """What the profile speaks for: the whole node or one slot of it."""

    kind: Literal["slot", "node"]
    cores_granted: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    cores_present: Count | None


class ProbeRun(Model):
    """How one probe ended."""

    name: Text
    outcome: Literal["finished", "timeout", "crashed", "flooded", "interrupted", "stuck", "left-out"]
    duration_s: Seconds | None = None
    reason: Text | None = None


class RunLimits(Model):
    """What bounded the run that made this profile."""

    budget_s: Seconds
    duration_s: Seconds
    partial: bool = Field(description="true if something that was asked for is missing")
    reason: Text | None = None
    probes: tuple[ProbeRun, ...] = Field(default=(), max_length=64)

    @model_validator(mode="after")
    def _partial_has_a_reason(self) -> Self:
        if self.partial and not self.reason:
            raise ValueError("limits.partial is true without limits.reason")
        return self


class CapabilityProfile(Model):
    """One look at one node."""

    schema_version: Annotated[str, Field(pattern=r"^1\.[0-9]{1,3}$")] = SCHEMA_VERSION
    id: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            description="UUID version 7 (RFC 9562)",
        ),
    ]
    created_at: AwareDatetime = Field(description="UTC")
    agent: AgentInfo
    site: SiteInfo | None = None
    node: NodeInfo
    scope: Scope
    facts: NodeFacts
    checks: tuple[CheckResult, ...] = Field(max_length=512)
    payloads: tuple[PayloadResult, ...] = Field(default=(), max_length=256)
    bench: BenchInfo | None = Field(
        default=None, description="how the payloads were run; null = they were not"
    )
    limits: RunLimits

    @model_validator(mode="after")
    def _one_verdict_per_check(self) -> Self:
        if len({check.id for check in self.checks}) < len(self.checks):
            times = Counter(check.id for check in self.checks)
            twice = next(name for name, number in times.items() if number > 1)
            raise ValueError(f"checks: {twice} is there twice; a profile has one verdict per check")
        return self
