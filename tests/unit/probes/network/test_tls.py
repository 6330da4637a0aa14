"""Certificates, who signed them, and pages in between, against real servers on the loopback."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from probes.live_certificate import names
from profiles.checks import Status
from tests.unit.probes.network.asking import AUTHORITY_NAME, endpoint, probed, settings, verdicts
from tests.unit.probes.network_servers import serving


def test_a_certificate_of_a_configured_authority_is_verified(
    server_tls: ssl.SSLContext, ca_file: str
) -> None:
    with serving(tls=server_tls) as server:
        facts = probed(settings(endpoint(server.port, host="localhost", tls=True), ca_path=ca_file))
        assert ("HEAD", "/") in server.asked
    assert facts.endpoints is not None
    tls = facts.endpoints[0].tls
    assert tls is not None
    assert (tls.works, tls.verified) == (True, True)
    assert AUTHORITY_NAME in (tls.issuer or "")
    assert verdicts(facts)["NET-04"].status is Status.OK
    assert verdicts(facts)["CTX-03"].status is Status.OK


def test_an_unknown_authority_is_named_and_its_clock_not_believed(
    server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with serving(tls=server_tls) as server:
        facts = probed(settings(endpoint(server.port, host="localhost", tls=True), ca_path=str(other)))
        assert server.asked == []
    found = verdicts(facts)
    assert found["NET-04"].status is Status.WARNING
    assert f"organizationName={AUTHORITY_NAME}" in found["NET-04"].summary
    assert found["CTX-03"].status is Status.UNKNOWN


def test_the_directory_of_the_grid_is_used_and_then_that_of_the_system(
    server_tls: ssl.SSLContext, ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = tmp_path / "grid"
    grid.mkdir()
    (grid / "some.namespaces").write_text("TO Issuer\n")
    monkeypatch.setenv("X509_CERT_DIR", str(grid))
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)  # what OpenSSL takes for the system's authorities
    with serving(tls=server_tls) as server:
        facts = probed(settings(endpoint(server.port, host="localhost", tls=True)))
    assert facts.endpoints is not None
    assert facts.endpoints[0].tls is not None
    assert facts.endpoints[0].tls.verified
    assert facts.endpoints[0].tls.authorities == "system"
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, so no hashed directory can be made")
    shutil.copy(ca_file, grid / "authority.pem")
    subprocess.run([openssl, "rehash", str(grid)], check=True)
    with serving(tls=server_tls) as server:
        facts = probed(settings(endpoint(server.port, host="localhost", tls=True)))
    assert facts.endpoints is not None
    assert facts.endpoints[0].tls is not None
    assert facts.endpoints[0].tls.authorities == str(grid)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_authorities_that_cannot_be_used_are_no_interception(
    server_tls: ssl.SSLContext, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with serving(tls=server_tls) as server:
        found = verdicts(probed(settings(endpoint(server.port, tls=True), ca_path=str(path))))
    assert found["NET-04"].status is Status.UNKNOWN
    assert "ca.pem" in (found["NET-04"].reason or "")


def test_a_certificate_for_another_name_is_a_warning(authority: trustme.CA, ca_file: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    with serving(tls=context) as server:
        found = verdicts(probed(settings(endpoint(server.port, tls=True), ca_path=ca_file)))
    assert found["NET-04"].status is Status.WARNING
    assert "127.0.0.1" not in found["NET-04"].model_dump_json()


def test_a_port_that_takes_connections_but_speaks_no_tls(ca_file: str) -> None:
    with serving() as server:
        found = verdicts(probed(settings(endpoint(server.port, tls=True), ca_path=ca_file)))
    assert found["NET-04"].status is Status.WARNING
    assert "not TLS" in found["NET-04"].summary


def test_html_in_place_of_data_is_a_warning() -> None:
    portal = {"body": b"<html>log in</html>", "content_type": "text/html; charset=utf-8"}
    with serving(**portal) as server:  # type: ignore[arg-type]
        found = verdicts(probed(settings(endpoint(server.port, http_path="/cvmfs/info"))))
        assert server.asked == [("HEAD", "/cvmfs/info")]
    assert found["NET-04"].status is Status.WARNING
    assert "HTML" in found["NET-04"].summary


@pytest.mark.parametrize(
    ("content_type", "status", "fields", "verdict"),
    [
        ("application/json", 200, {}, Status.OK),
        ("text/html", 404, {}, Status.OK),
        ("text/html", 511, {}, Status.WARNING),
        ("text/html", 403, {"X-Squid-Error": "ERR_ACCESS_DENIED 0"}, Status.WARNING),
    ],
)
def test_what_counts_as_a_page_in_between(
    content_type: str, status: int, fields: dict[str, str], verdict: Status
) -> None:
    with serving(content_type=content_type, status=status, fields=fields) as server:
        found = verdicts(probed(settings(endpoint(server.port, http_path="/object"))))
    assert found["NET-04"].status is verdict


def test_a_cache_on_the_way_is_evidence() -> None:
    with serving(fields={"Via": "1.1 box.example (squid/5.7)"}) as server:
        found = verdicts(probed(settings(endpoint(server.port, http_path="/object"))))
    assert any("box.example" in line for line in found["NET-04"].evidence)


def test_the_names_of_an_unverified_certificate_are_those_that_a_parser_reads(authority: trustme.CA) -> None:
    pem = authority.issue_cert(
        "wn.example", common_name="Zürich 手", organization_name="A, B"
    ).cert_chain_pems[0]
    certificate = x509.load_pem_x509_certificate(pem.bytes())
    der = certificate.public_bytes(Encoding.DER)
    for found, wanted in zip(names(der), (certificate.issuer, certificate.subject), strict=True):
        for attribute in wanted:
            assert str(attribute.value) in (found or "")
    assert "commonName=Zürich 手" in (names(der)[1] or "")


@given(st.data())
def test_a_damaged_certificate_has_names_or_none(authority: trustme.CA, data: st.DataObject) -> None:
    der = bytearray(ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode()))
    for place in data.draw(st.lists(st.integers(0, len(der) - 1), min_size=1, max_size=4)):
        der[place] = data.draw(st.integers(0, 255))
    for name in names(bytes(der[: data.draw(st.integers(0, len(der)))])):
        assert name is None or (name.isprintable() and len(name) <= 512)
