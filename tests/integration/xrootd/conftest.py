"""Nobody's credentials, and the name that this machine has for itself."""

from __future__ import annotations

import socket

import pytest

from probes import live_xrootd_clients


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the credentials that a test gives itself: none of the machine's."""
    for name in ("BEARER_TOKEN", "BEARER_TOKEN_FILE", "X509_CERT_DIR", "X509_CERT_FILE", "X509_USER_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def own_name() -> str:
    """The name of this machine: XRootD's client does not look at the certificate's names when it is told localhost."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        pytest.skip(f"this machine's own name, {name}, has no address")
    return name


@pytest.fixture
def by_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that has xrdfs and xrdcp, and no Python bindings."""
    found = {"bindings": None, "xrdfs": "xrdfs", "xrdcp": "xrdcp"}
    monkeypatch.setattr(live_xrootd_clients, "installed", lambda: found)
