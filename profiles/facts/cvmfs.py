"""CVMFS over HTTP: every way from this node to a Stratum-1, and what verified data came along it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Seconds, Text
from profiles.facts.routes import Route

UnixSeconds = Annotated[float, Field(ge=0, le=253_402_300_799, allow_inf_nan=False)]
"""Seconds since 1970, UTC."""

Difference = Annotated[float, Field(allow_inf_nan=False)]
"""Seconds, of either sign."""

Hash = Annotated[str, Field(max_length=64)]


class CvmfsRoute(Route):
    """One (proxy or direct) × Stratum-1 × repository."""

    verified: bool = Field(
        description="manifest, certificate, whitelist and master key fit, and nothing is rolled back"
    )
    revision: int | None = Field(default=None, description="of the manifest, verified or not", ge=0)
    published_s: UnixSeconds | None = Field(default=None, description="publication of that revision")
    root_catalog: Hash | None = None
    catalog_bytes: Bytes | None = Field(default=None, description="root catalog before compression")
    ttl_s: Count | None = Field(default=None, description="how long a client may keep the manifest")
    behind_s: Seconds | None = Field(
        default=None,
        description="by how much the revision is older than the newest that was verified; 0 = newest",
    )
    whitelist_expires_s: UnixSeconds | None = None
    master_key: Text | None = Field(default=None, description="key that signed the whitelist")
    snapshot_age_s: Seconds | None = Field(
        default=None, description="age of the Stratum-1's last snapshot, by its own clock"
    )
    initial_snapshot: bool = Field(
        default=False, description="the Stratum-1 copies the repository for the first time"
    )
    clock_skew_s: Difference | None = Field(
        default=None,
        description="this node's clock minus the server's, within a second or so; positive = ahead",
    )
    cold_s: Seconds | None = Field(
        default=None, description="time to the first byte of the certificate's object"
    )
    warm_s: Seconds | None = Field(default=None, description="the same, asked once more")
    directly: Text | None = Field(
        default=None,
        description="what the same object looked like without the proxy, where it was broken through it",
    )


class NewestManifest(Model):
    """The newest verified revision of a repository, of all routes."""

    repository: Text
    revision: int = Field(ge=0)
    root_catalog: Hash
    published_s: UnixSeconds
    ttl_s: Count


class GeoAnswer(Model):
    """What the geo API of a Stratum-1 said about the order of the servers."""

    target: Text
    order: tuple[int, ...] = Field(
        max_length=64, description="positions in cvmfs.stratum_ones, nearest first, from 1"
    )
    error: Text | None = Field(default=None, description="why there is no order")


class CvmfsFacts(Facts):
    """Every field is null in the no-outbound profile."""

    routes: tuple[CvmfsRoute, ...] | None = Field(max_length=128)
    newest: tuple[NewestManifest, ...] | None = Field(max_length=16)
    proxies_origin: Text | None = Field(description="where the proxies are configured")
    now_s: UnixSeconds | None = Field(description="this node's clock when the probe began")
    fetched_bytes: Bytes | None = Field(description="bodies of all answers together")
    problems: tuple[Text, ...] | None = Field(
        max_length=64, description="keys and proxy settings that could not be used; a sentence each"
    )
    geo: tuple[GeoAnswer, ...] | None = Field(max_length=16)
