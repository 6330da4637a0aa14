"""The way out of a site: a real Squid between the agent and the real service, with TLS by an authority of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.integration.delivery.conftest import At
from tests.lab.delivery import stored_ids
from tests.lab.service import Service
from tests.lab.squid import Squid
from tests.unit.capacity.documents import new_id, profile

pytestmark = pytest.mark.lab


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Service]:
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    directory = tmp_path / "service"
    directory.mkdir()
    files = ("--tls-certificate", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    service = Service(directory, arguments=files, ca_file=tmp_path / "ca.pem")
    service.start()
    yield service
    service.kill()


@pytest.mark.parametrize("proxy", ["open_squid", "denying_squid"])
def test_through_squid(
    secure: Service, proxy: str, request: pytest.FixtureRequest, site_of: At, tmp_path: Path
) -> None:
    """The tunnel is asked for by name, the certificate behind it is verified; a Squid that refuses costs no profile."""
    squid: Squid = request.getfixturevalue(proxy)
    allowed = proxy == "open_squid"
    site = site_of(secure, PROXY=squid.url, CA_FILE=str(tmp_path / "ca.pem"))
    ids = [new_id() for _ in range(5)]
    path = tmp_path / "profiles.jsonl"
    path.write_bytes(b"\n".join(profile(id=one) for one in ids))
    done = site.submit("--json", "--timeout", "60" if allowed else "5", path)
    found = json.loads(done.stdout)
    asked = [line for line in squid.requests() if f"CONNECT localhost:{secure.port}" in line]
    assert asked
    if allowed:
        assert (done.returncode, found["delivered"]) == (0, 5)
        assert sorted(stored_ids(secure)) == sorted(ids)
        assert len(asked) == 1
    else:
        assert (done.returncode, found["left"]) == (4, 5)
        assert f"through the proxy {squid.url}: Tunnel connection failed: 403" in found["reason"]
        assert len(site.spool.waiting()) == 5
    assert site.token not in "".join(squid.requests())
