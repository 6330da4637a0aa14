"""An authority, its file, and a server's TLS with a certificate of it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from tests.unit.probes.network.asking import AUTHORITY_NAME


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name=AUTHORITY_NAME)


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    return context
