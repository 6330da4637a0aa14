"""The XRootD probe against healthy servers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from profiles.checks import Status
from tests.integration.xrootd.asking import Asked, asking, text_of, token_of
from tests.lab.xrootd import LFN, Cluster, Server, XrootdLab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("xrootd")]


def test_a_healthy_server(xrootd_lab: XrootdLab, xrootd_server: Server) -> None:
    found = Asked(asking(xrootd_server.url))
    for check_id in ("XRD-01", "XRD-02", "XRD-03", "XRD-04", "XRD-07"):
        assert found[check_id].status is Status.OK, text_of(found[check_id])
    assert found.facts.doors
    door = found.facts.doors[0]
    assert door.server is not None
    assert (door.server.software, door.server.site_name, door.server.roles) == (
        "v5.5.3",
        "T2_XX_Lab",
        ("server",),
    )
    assert (door.server.auth, door.server.tls_offered) == ((), False)
    assert door.size_bytes == xrootd_lab.nano.size_bytes
    assert door.checksum is not None
    assert door.checksum.read == door.checksum.server == xrootd_lab.nano.adler32
    assert door.sequential is not None
    assert door.sequential.read_bytes == xrootd_lab.nano.size_bytes
    assert door.sparse is not None
    assert 4 * door.sparse.read_bytes <= xrootd_lab.nano.size_bytes
    assert door.vector_same is True
    assert [family.family.value for family in door.families if family.works] == ["IPv4"]
    assert found.facts.routes
    assert [step.outcome for step in found.facts.routes[0].steps] == ["ok"] * 3 + ["not tried"] + ["ok"] * 7


def test_a_healthy_cluster_shows_the_chain(xrootd_lab: XrootdLab, xrootd_cluster: Cluster) -> None:
    found = Asked(asking(redirectors=(xrootd_cluster.redirector.url,)))
    for check_id in ("XRD-01", "XRD-05", "XRD-06"):
        assert found[check_id].status is Status.OK, text_of(found[check_id])
    assert found.facts.doors
    door = found.facts.doors[0]
    assert door.server is not None
    assert "manager" in door.server.roles
    assert door.data_server is not None
    assert door.data_server.endswith(f":{xrootd_cluster.servers[1].port}")
    assert [hop.rpartition(":")[2] for hop in door.hops] == [
        str(xrootd_cluster.redirector.port),
        str(xrootd_cluster.servers[1].port),
    ]
    assert door.sequential is None  # the federation is not loaded with a measurement
    assert found["XRD-03"].status is Status.SKIPPED


def test_a_healthy_server_with_tls_and_a_token(
    xrootd_lab: XrootdLab, xrootd_tokens: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(xrootd_lab, tmp_path, monkeypatch)
    found = Asked(asking(xrootd_tokens.url))
    for check_id in ("XRD-01", "XRD-02", "XRD-03", "XRD-04", "XRD-08"):
        assert found[check_id].status is Status.OK, text_of(found[check_id])
    assert found.facts.doors
    door = found.facts.doors[0]
    assert door.server is not None
    assert door.server.auth == ("ztn",)
    assert "login" in door.server.tls_demands
    assert door.certificate is not None
    assert door.certificate.verified
    assert "localhost" in door.certificate.names
    assert token.read_text() not in found.facts.model_dump_json()


def test_a_healthy_server_with_gsi_and_voms(
    xrootd_lab: XrootdLab, xrootd_gsi: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = xrootd_lab.authority
    proxy = authority.voms_proxy(authority.user("Alice"), xrootd_lab.voms_host)
    monkeypatch.setenv("X509_CERT_DIR", str(authority.certificates))
    monkeypatch.setenv("X509_USER_PROXY", str(proxy))
    found = Asked(asking(xrootd_gsi.url))
    for check_id in ("XRD-02", "XRD-03", "XRD-04"):
        assert found[check_id].status is Status.OK, text_of(found[check_id])
    assert found.facts.doors
    assert found.facts.doors[0].server is not None
    assert found.facts.doors[0].server.auth == ("gsi",)


def test_the_agent_itself_in_its_bounds_of_memory(
    xrootd_lab: XrootdLab, xrootd_tokens: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_of(xrootd_lab, tmp_path, monkeypatch)
    config = tmp_path / "agent.toml"
    config.write_text(
        f'[siteconf]\ntest_lfn = "{LFN}"\npath = "/nonexistent"\n'
        f'[xrootd]\nlocal_urls = ["{xrootd_tokens.url}"]\nredirectors = []\n'
    )
    argv = [
        sys.executable,
        "-I",
        "-m",
        "agent",
        "probe",
        "credentials",
        "xrootd",
        "--config",
        str(config),
        "--json",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    profile = json.loads(done.stdout)
    found = {check["id"]: check["status"] for check in profile["checks"]}
    assert {
        check_id: found[check_id] for check_id in ("XRD-01", "XRD-02", "XRD-03", "XRD-04", "XRD-08")
    } == dict.fromkeys(("XRD-01", "XRD-02", "XRD-03", "XRD-04", "XRD-08"), "OK"), done.stderr
    assert profile["facts"]["xrootd"]["doors"][0]["client"] == "bindings"
