"""The probe of the credentials on this machine: its facts, its verdicts, and tokens to find."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

from probes.credentials import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.base import Facts
from profiles.checks import CheckResult, Status
from profiles.facts.credentials import CredentialsFacts

OK, WARN, CRIT, SKIP = Status.OK, Status.WARNING, Status.CRITICAL, Status.SKIPPED
HOUR = 3600.0


def probed(chosen: Settings | None = None, host: Host | None = None) -> CredentialsFacts:
    facts = PROBE.gather(host or Host(LiveDoor()), chosen or Settings())
    return CredentialsFacts.model_validate_json(facts.model_dump_json())


def verdicts(
    facts: CredentialsFacts, chosen: Settings | None = None, others: dict[str, Facts] | None = None
) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, chosen or Settings(), others or {}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return {result.id: result for result in results}


def token_file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


def raw(claims: Any, header: Any = None) -> str:
    parts = [header or {"alg": "ES256"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


NOW = int(time.time())
DAY = 86_400
LOCAL = {"xrootd": {"local_urls": ["root://door.example:1094"]}}
