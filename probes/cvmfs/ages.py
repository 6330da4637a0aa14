"""Which manifests are older than they may be: roll-back, as apart from a Stratum-1 that lags and says so. Pure.

A signed manifest stays signed for ever, so whoever serves an old one freezes a repository at a revision with known holes.
The client refuses what is older than what it has seen (cvmfs/manifest_fetch.cc); we have seen what the other routes
of this run verified, and what the client of this node remembers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from probes.cvmfs.chain import utc
from probes.cvmfs.signed import Manifest

GRACE_S = 8 * 3600.0
"""A newer revision must have been out for so long before an older one counts as rolled back: the age above which
cvmfs-servermon calls a snapshot late, so a Stratum-1 had the time to copy it."""

_BREADCRUMB = re.compile(r"[0-9a-f]{40}(?:-rmd160|-shake128)?T(\d{1,15})(?:R(\d{1,15}))?\s*")


@dataclass(frozen=True)
class Seen:
    """A manifest that was verified, and where.

    Attributes:
        server: of the Stratum-1.
        snapshot_s: when the Stratum-1 says it copied last, seconds since 1970; None if it does not say.
    """

    server: str
    manifest: Manifest
    snapshot_s: float | None


@dataclass(frozen=True)
class Remembered:
    """What this node's CVMFS client has seen already; seconds since 1970."""

    published_s: int
    revision: int | None


def parse_breadcrumb(text: str) -> Remembered | None:
    """The client's memory of a repository (cache file cvmfschecksum.NAME: hash, T, seconds, R, revision)."""
    match = _BREADCRUMB.fullmatch(text)
    if match is None:
        return None
    return Remembered(int(match[1]), int(match[2]) if match[2] else None)


def newest(seen: Sequence[Seen]) -> Seen | None:
    """The one that was published last."""
    return max(seen, key=lambda one: (one.manifest.published_s, one.manifest.revision), default=None)


def rolled_back(one: Seen, seen: Sequence[Seen], remembered: Remembered | None, now_s: float) -> str | None:
    """Why a verified manifest is a roll-back, None if it is none.

    Args:
        one: the manifest in question.
        seen: all that were verified for this repository.
        remembered: what the client of this node knows.
        now_s: seconds since 1970.
    """
    same = newest([other for other in seen if other.server == one.server])
    if same is not None and _is_late(one.manifest, same.manifest, now_s):
        return (
            f"{_named(one.manifest)}, but the same Stratum-1 gives revision {same.manifest.revision} another way: "
            "something in between keeps an old copy"
        )
    best = newest(seen)
    if (
        best is not None
        and _is_late(one.manifest, best.manifest, now_s)
        and not _lags(one, best.manifest.published_s)
    ):
        return f"{_named(one.manifest)}, but another Stratum-1 has {_named(best.manifest)}"
    if (
        remembered is not None
        and one.manifest.published_s < remembered.published_s < now_s - GRACE_S
        and not _lags(one, remembered.published_s)
    ):
        return f"{_named(one.manifest)}, but this node's client has seen one of {utc(remembered.published_s)} already"
    return None


def _is_late(manifest: Manifest, other: Manifest, now_s: float) -> bool:
    older = (manifest.published_s, manifest.revision) < (other.published_s, other.revision)
    return older and other.published_s < now_s - GRACE_S


def _lags(one: Seen, published_s: float) -> bool:
    """Whether the Stratum-1 itself says that it copied last before the newer revision had been out for long."""
    return one.snapshot_s is not None and one.snapshot_s < published_s + GRACE_S


def _named(manifest: Manifest) -> str:
    return f"revision {manifest.revision} of {utc(manifest.published_s)}"
