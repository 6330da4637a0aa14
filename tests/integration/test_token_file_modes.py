"""What CRD-04 says of a token file's mode is what a real XRootD client does with it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from probes.credentials import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.checks import Status
from tests.lab.xrootd import LFN, Server, XrootdLab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("xrootd")]


def verdict(check_id: str) -> Status:
    facts = PROBE.gather(Host(LiveDoor()), Settings.model_validate({"siteconf": {"path": "/nowhere"}}))
    results = PROBE.judge(facts, Judging(PROBE, Settings(), {}))
    return next(result.status for result in results if result.id == check_id)


@pytest.fixture
def client(
    xrootd_lab: XrootdLab, xrootd_tokens: Server, monkeypatch: pytest.MonkeyPatch
) -> subprocess.CompletedProcess[str] | Any:
    """Asks the server with the environment as it is then."""
    for name in ("BEARER_TOKEN", "BEARER_TOKEN_FILE", "X509_USER_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("X509_CERT_DIR", str(xrootd_lab.authority.certificates))

    def ask() -> subprocess.CompletedProcess[str]:
        patience = {"XRD_CONNECTIONWINDOW": "5", "XRD_CONNECTIONRETRY": "1", "XRD_REQUESTTIMEOUT": "15"}
        argv = ["xrdfs", f"root://localhost:{xrootd_tokens.port}", "stat", LFN]
        return subprocess.run(
            argv, env={**os.environ, **patience}, capture_output=True, text=True, timeout=60, check=False
        )

    return ask


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o644, 0o640, 0o620, 0o601])
def test_the_client_takes_the_token_where_the_verdict_is_ok(
    xrootd_lab: XrootdLab, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    path = tmp_path / "token"
    path.write_text(xrootd_lab.issuer.token())
    path.chmod(mode)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
    done = client()
    taken = done.returncode == 0
    assert verdict("CRD-04") is (Status.OK if taken else Status.CRITICAL), done.stderr
    assert taken or "No protocols left to try" in done.stderr


@pytest.mark.parametrize("groups", [0, 40])
def test_the_client_takes_no_token_longer_than_the_bound(
    xrootd_lab: XrootdLab, client: Any, monkeypatch: pytest.MonkeyPatch, groups: int
) -> None:
    long = [f"/cms/{'g' * 100}{number}" for number in range(groups)]
    token = xrootd_lab.issuer.token(claims={"wlcg.groups": long} if long else None)
    monkeypatch.setenv("BEARER_TOKEN", token)
    taken = client().returncode == 0
    assert taken is (len(token) <= 4096)
    assert verdict("CRD-03") is (Status.OK if taken else Status.WARNING), json.dumps(
        {"characters": len(token)}
    )
