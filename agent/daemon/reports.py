"""When a profile is handed in: as soon as the shown picture has changed, and in any case once a period. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from profiles.profile import CapabilityProfile


def digest_of(profile: CapabilityProfile, labels: Mapping[str, str]) -> str:
    """Names a picture: verdicts, labels, and whose they are. Figures that change with every look are no part of it."""
    words = {
        "checks": {check.id: str(check.status) for check in profile.checks},
        "labels": dict(labels),
        "site": None if profile.site is None else profile.site.name,
        "node": [profile.node.id, profile.node.boot_key],
        "scope": profile.scope.model_dump(mode="json"),
        "version": profile.agent.version,
    }
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Reports:
    """What was handed in last.

    Attributes:
        period_s: after which the same picture is handed in again.
        digest: of the picture; None = none yet.
        at_s: when, by the clock of the loop.
    """

    period_s: float
    digest: str | None = None
    at_s: float = 0.0

    def due(self, digest: str, now_s: float) -> bool:
        """Whether this picture has to be handed in now."""
        return digest != self.digest or now_s - self.at_s >= self.period_s

    def made(self, digest: str, now_s: float) -> Self:
        """After it was."""
        return replace(self, digest=digest, at_s=now_s)
