"""The agent's configuration: TOML file < environment < flags, and where each value came from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.daemon.settings import DaemonSettings
from agent.delivery.settings import DeliverySettings
from agent.pilot.settings import PilotSettings
from probes.settings import Settings
from probes.spec import Check, Probe
from sitecap import layers
from sitecap.layers import Layers, nearest

ENV_PREFIX = "SITECAP_"


class ConfigError(Exception):
    """The configuration cannot be used; the text names the key, the place, and the remedy."""


class BenchSettings(BaseModel):
    """Settings of `agent bench`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cache_directory: str | None = Field(
        default=None,
        description="where event sets are kept; unset = the batch slot's scratch, else $XDG_CACHE_HOME/sitecap",
    )
    cache_max_bytes: int = Field(
        default=4 * 1024**3,
        ge=0,
        description="bound on the event sets kept; the least recently used make room",
    )
    memory_per_copy_bytes: int = Field(
        default=2 * 1024**3, ge=64 * 1024**2, description="private memory that one copy of a kernel may have"
    )


class Config(Settings):
    """Settings of probing, and those of the agent itself."""

    budget_s: float = Field(default=60.0, gt=0, le=3600, description="bound on a whole run of the probes")
    lock_wait_s: float = Field(
        default=30.0, ge=0, le=3600, description="how long to wait for another run on this node"
    )
    identify: bool = Field(default=False, description="put the host name into the profile")
    bench: BenchSettings = Field(default_factory=BenchSettings)
    daemon: DaemonSettings = Field(default_factory=DaemonSettings)
    pilot: PilotSettings = Field(default_factory=PilotSettings)
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)


Loaded = layers.Loaded[Config]
"""The checked configuration, and every value with its origin."""

LAYERS = Layers(
    model=Config,
    error=ConfigError,
    program="agent",
    env_prefix=ENV_PREFIX,
    not_ours=("SITECAP_CAPACITY_",),  # the service's, which may run on the same machine
    open_tables=("thresholds", "skip_checks"),
    private=("delivery.url", "delivery.proxy"),  # somebody may have put a password there
)


def load(flags: Mapping[str, Any], environment: Mapping[str, str], path: Path | None = None) -> Loaded:
    """Merge the three layers and check the result; see `Layers.load`.

    Raises:
        ConfigError: file missing or not TOML, unknown key, wrong type.
    """
    return LAYERS.load(flags, environment, path)


def check_against_catalogue(config: Config, catalogue: Mapping[str, tuple[Probe, Check]]) -> None:
    """Refuse thresholds and skips of checks that do not exist, and thresholds of the wrong type.

    Raises:
        ConfigError: naming the key and the nearest right one.
    """
    for check_id in [*config.thresholds, *config.skip_checks]:
        if check_id not in catalogue:
            raise ConfigError(
                f"there is no check {check_id!r}{nearest(check_id, catalogue)}; see `agent probe --list`"
            )
    for check_id, named in config.thresholds.items():
        bounds = {bound.name: bound for bound in catalogue[check_id][1].bounds}
        for name, value in named.items():
            key = f"thresholds.{check_id}.{name}"
            if name not in bounds:
                raise ConfigError(f"{key}: {check_id} has no threshold {name!r}{nearest(name, bounds)}")
            number = isinstance(bounds[name].default, int | float)
            if not (_is_number(value) if number else isinstance(value, str)):
                kind = "a number" if number else "text"
                raise ConfigError(f"{key}: needs {kind}, got {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def parse_assignment(text: str) -> tuple[str, Any]:
    """KEY=VALUE of a flag; see `Layers.assignment`.

    Raises:
        ConfigError: there is no "=".
    """
    return LAYERS.assignment(text, "cvmfs.proxies=http://squid:3128")
