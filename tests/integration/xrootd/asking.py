"""The XRootD probe against a server of the lab, with the credentials of a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from probes.credentials import PROBE as CREDENTIALS
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from probes.xrootd import PROBE
from profiles.checks import CheckResult
from profiles.facts.routes import Step
from profiles.facts.xrootd import XrootdFacts
from tests.lab.xrootd import LFN, XrootdLab

MISSING = "/store/test/no-such-file.root"


class Asked:
    """Facts and verdicts of one run of the probe, with those of the credentials probe beside them."""

    def __init__(self, chosen: Settings, host: Host | None = None) -> None:
        facts = PROBE.gather(host or Host(LiveDoor()), chosen)
        assert isinstance(facts, XrootdFacts)
        assert XrootdFacts.model_validate_json(facts.model_dump_json()) == facts
        self.facts = facts
        others = {"credentials": CREDENTIALS.gather(Host(LiveDoor()), chosen), PROBE.name: facts}
        results = PROBE.judge(facts, Judging(PROBE, chosen, others))
        assert [result.id for result in results] == [check.id for check in PROBE.checks]
        self.verdicts: dict[str, CheckResult] = {result.id: result for result in results}

    def __getitem__(self, check_id: str) -> CheckResult:
        return self.verdicts[check_id]

    @property
    def broken(self) -> Step:
        """The first broken step of the first route."""
        assert self.facts.routes
        step = self.facts.routes[0].broken
        assert step is not None
        return step


def asking(
    *urls: str, redirectors: tuple[str, ...] = (), lfn: str = LFN, federation_lfn: str = LFN, **more: Any
) -> Settings:
    return Settings.model_validate(
        {
            "siteconf": {"test_lfn": lfn, "path": "/nonexistent"},
            "xrootd": {
                "local_urls": urls,
                "redirectors": redirectors,
                "federation_lfn": federation_lfn,
                "connect_timeout_s": 2,
                "request_timeout_s": 10,
                "budget_s": 30,
                **more,
            },
        }
    )


def text_of(result: CheckResult) -> str:
    return " | ".join([result.summary, result.hint or "", *result.evidence])


def token_of(lab: XrootdLab, directory: Path, monkeypatch: pytest.MonkeyPatch, **claims: Any) -> Path:
    path = directory / "token"
    path.write_text(lab.issuer.token(**claims))
    path.chmod(0o600)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
    monkeypatch.setenv("X509_CERT_DIR", str(lab.authority.certificates))
    return path


def expired(path: Path, lab: XrootdLab) -> None:
    path.write_text(lab.issuer.token(expires_in_s=-3600, issued_ago_s=7200))


def wrong_audience(path: Path, lab: XrootdLab) -> None:
    path.write_text(lab.issuer.token(aud="https://elsewhere.example"))


def wrong_scope(path: Path, lab: XrootdLab) -> None:
    path.write_text(lab.issuer.token(scope="storage.read:/store/user"))


def compute_only(path: Path, lab: XrootdLab) -> None:
    path.write_text(lab.issuer.token(scope="compute.read compute.create"))


def garbage(path: Path, lab: XrootdLab) -> None:
    path.write_text("not.a.token\n")


def readable_for_others(path: Path, lab: XrootdLab) -> None:
    path.chmod(0o644)
