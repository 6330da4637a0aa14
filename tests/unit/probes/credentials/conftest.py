"""A user who has no credentials yet, and an issuer of tokens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.tokens import Issuer


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """No credential of the caller's; a user number that nobody has, so that /tmp/bt_u… and /tmp/x509up_u… are ours."""
    for name in ("BEARER_TOKEN", "BEARER_TOKEN_FILE", "X509_USER_PROXY", "X509_CERT_DIR", "SITECONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    runtime = tmp_path / "runtime"
    runtime.mkdir(exist_ok=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    number = 2_000_000_000 + os.getpid()
    monkeypatch.setattr(os, "geteuid", lambda: number)
    monkeypatch.setattr(os, "getuid", lambda: number)
    yield number
    for name in ("bt_u", "x509up_u"):
        Path(f"/tmp/{name}{number}").unlink(missing_ok=True)
