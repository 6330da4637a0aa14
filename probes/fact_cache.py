"""Facts of network probes kept between runs, so that a node that is looked at often does not ask the outside each time.

One file a probe in the private state directory. A file that is damaged, of other settings, of another version of the agent,
too old or of the future is as good as none: the probe asks again and writes it anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from probes.settings import Settings
from probes.spec import Probe
from profiles.base import Facts

MAX_BYTES = 4 * 1024 * 1024
"""As much as a probe's child may send."""

ENVIRONMENT = ("BEARER_TOKEN_FILE", "X509_USER_PROXY", "X509_CERT_DIR", "XDG_RUNTIME_DIR", "SITECONFIG_PATH")
"""Variables that change what the network probes ask or how they are answered; their values are paths, not secrets."""


class Known(NamedTuple):
    """Facts of an earlier run."""

    facts: Facts
    gathered_at: datetime
    age_s: float

    @property
    def reason(self) -> str:
        """What the profile says of where these facts come from."""
        return f"facts of {self.gathered_at:%H:%M:%S}Z, asked {self.age_s:.0f} s ago"


def digest_of(settings: Settings, agent_version: str, environment: Mapping[str, str]) -> str:
    """Names a way of asking: facts gathered under another digest are not used. Holds no secret."""
    words = {
        "settings": settings.model_dump(mode="json"),
        "version": agent_version,
        "node": os.uname().nodename,
        "environment": {name: environment.get(name) for name in ENVIRONMENT},
        "token": bool(environment.get("BEARER_TOKEN")),
    }
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode("utf-8", "replace")).hexdigest()


class FactCache:
    """Facts in `directory`, used while younger than `max_age_s`.

    Args:
        directory: private to this user (`probes.lock.state_directory`).
        digest: of `digest_of`.
        max_age_s: seconds of the wall clock.
    """

    def __init__(self, directory: Path, digest: str, max_age_s: float) -> None:
        self._directory = directory
        self._digest = digest
        self._max_age_s = max_age_s

    def get(self, probe: Probe) -> Known | None:
        """Facts of an earlier run of `probe` that may be used again; None if there are none."""
        try:
            note = json.loads(_read(self._path(probe.name)))
            if note["digest"] != self._digest:
                return None
            age_s = time.time() - float(note["gathered_at"])
            # A clock that was set back makes facts of the future; how old they are nobody knows.
            if not 0 <= age_s < self._max_age_s:
                return None
            facts = probe.facts_model.model_validate_json(json.dumps(note["facts"]))
            return Known(facts, datetime.fromtimestamp(float(note["gathered_at"]), UTC), age_s)
        except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError, ValidationError):
            return None

    def put(self, probe: Probe, facts: Facts) -> None:
        """Keep facts just gathered; where they cannot be written, the next run asks again."""
        note: dict[str, Any] = {
            "digest": self._digest,
            "gathered_at": time.time(),
            "facts": facts.model_dump(mode="json"),
        }
        path = self._path(probe.name)
        new = path.with_suffix(".new")
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(note, stream)
            new.replace(path)

    def _path(self, name: str) -> Path:
        return self._directory / f"facts-{name}.json"


def _read(path: Path) -> bytes:
    # Non-blocking, so that a pipe in place of the file is an error and not a hang.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError("too large")
    return content
