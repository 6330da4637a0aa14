"""Settings of `agent daemon`. Everything that leaves the process beyond its own pages is off until it is asked for."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from probes.section import AbsolutePath, Section

DAY_S = 86_400.0
Period = Annotated[float, Field(ge=10, le=30 * DAY_S, allow_inf_nan=False)]


def _hours(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("must be two times of day in UTC, such as 22:00-05:00")
    return text


class BenchGateSettings(Section):
    """When the daemon may benchmark."""

    allowed: bool = Field(default=False, description="benchmark this node now and then; off: never")
    quiet_hours_utc: Annotated[str, AfterValidator(_hours)] = Field(
        default="22:00-05:00", description="a benchmark begins only within these hours, UTC"
    )
    every_days: float = Field(
        default=7.0,
        ge=1,
        le=366,
        description="least time between two benchmarks: by default never twice a week",
    )
    first_after_days: float = Field(
        default=7.0,
        ge=0,
        le=366,
        description="how long to wait where no note of an earlier benchmark is found, since the note may have been lost; "
        "0 where `daemon.bench.note_directory` outlives the daemon",
    )
    note_directory: AbsolutePath | None = Field(
        default=None,
        description="keeps the note of the last benchmark; unset = with the other notes of the agent",
    )
    budget_s: float = Field(default=52.0, ge=10, le=1200, description="seconds for the payloads")
    copies: int | None = Field(
        default=None, ge=1, description="copies at most; unset = as many as cores are granted"
    )
    idle_load_per_cpu: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="load averages over 1 and 5 minutes above this mean that the node works",
    )
    yield_busy_share: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="share of the node's CPUs that others keep busy at which a running benchmark is given up",
    )


class ClusterSettings(Section):
    """What is told to Kubernetes, and how its API is reached; unset = as every pod finds it."""

    node_feature: bool = Field(
        default=False,
        description="keep a NodeFeature object of this node (needs create, get, update in its namespace)",
    )
    events: bool = Field(
        default=False,
        description="an Event on the daemon's own pod when a verdict turns (needs create of events)",
    )
    feature_file: AbsolutePath | None = Field(
        default=None,
        description="feature file to keep, e.g. /etc/kubernetes/node-feature-discovery/features.d/sitecap",
    )
    api_url: str | None = Field(
        default=None,
        max_length=1024,
        pattern=r"^https://[^\s/@]+$",
        description="https://host:port of the API server",
    )
    service_account_path: AbsolutePath = Field(
        default="/var/run/secrets/kubernetes.io/serviceaccount",
        description="directory with token, ca.crt and namespace",
    )
    token_file: AbsolutePath | None = Field(
        default=None, description="read anew for each request: it is renewed"
    )
    ca_file: AbsolutePath | None = Field(default=None, description="authorities of the API server")
    namespace: str | None = Field(
        default=None, max_length=63, description="of the pod and of the NodeFeature object"
    )
    pod_name_env: str = Field(
        default="POD_NAME", description="variable with the pod's name, by the downward API"
    )
    pod_uid_env: str = Field(
        default="POD_UID", description="variable with the pod's UID, by the downward API"
    )
    timeout_s: float = Field(default=10.0, gt=0, le=60, description="of one request to the API server")


class DaemonSettings(Section):
    """How often the daemon looks, where it answers, whom it tells."""

    period_s: Period = Field(default=1800.0, description="of probes that ask only this node")
    network_period_s: Period = Field(default=7200.0, description="of probes that ask other hosts")
    periods_s: dict[str, Period] = Field(
        default_factory=dict, description="probe = period of its own, e.g. { cvmfs_mount = 600.0 }"
    )
    probes: tuple[str, ...] = Field(default=(), max_length=64, description="the probes to run; empty = all")
    jitter: float = Field(
        default=0.1, ge=0, le=0.5, description="share of a period by which each look is moved at random"
    )
    spread_s: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="network probes first run at a random moment up to this after the start",
    )
    confirm_s: float = Field(
        default=60.0, ge=1, le=3600, description="a verdict that turned is looked at again this much later"
    )
    report_s: float = Field(
        default=6 * 3600.0, ge=60, le=30 * DAY_S, description="a profile is handed in at least this often"
    )
    listen: str | None = Field(
        default=None,
        max_length=253,
        description="address of /healthz, /readyz, /metrics; unset = all addresses",
    )
    port: int = Field(default=9617, ge=0, le=65_535, description="of them; 0 = one that is free")
    unhealthy_after_s: float = Field(
        default=300.0,
        ge=30,
        le=3600,
        description="/healthz is 503 when the loop has not turned for this long",
    )
    root: AbsolutePath = Field(
        default="/", description="directory that holds the host's file tree, e.g. /host"
    )
    bench: BenchGateSettings = BenchGateSettings()
    cluster: ClusterSettings = ClusterSettings()
