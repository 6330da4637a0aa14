"""Each fault of a server has its name."""

from __future__ import annotations

import os
import zlib
from datetime import timedelta
from pathlib import Path

import pytest

from profiles.checks import Status
from tests.integration.xrootd.asking import MISSING, Asked, asking, text_of, token_of
from tests.lab.authority import Authority
from tests.lab.xrootd import Cluster, Server, XrootdLab, free_ports
from tests.lab.xrootd_fake import circle, silent

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("xrootd")]


def test_a_closed_port() -> None:
    found = Asked(asking(f"root://localhost:{free_ports(1)[0]}"))
    assert found["XRD-01"].status is Status.CRITICAL
    assert (found.broken.name, found.broken.fault) == ("connect", "refused")
    assert "nothing listens" in found["XRD-01"].summary


def test_a_name_without_address() -> None:
    found = Asked(asking("root://" + "a" * 64 + ".example:1094"))
    assert found["XRD-01"].status is Status.CRITICAL
    assert (found.broken.name, found.broken.fault) == ("resolve", "dns")


def test_a_server_that_says_nothing() -> None:
    with silent() as port:
        found = Asked(asking(f"root://localhost:{port}"))
    assert found["XRD-01"].status is Status.CRITICAL
    assert (found.broken.name, found.broken.fault) == ("handshake", "silent")
    assert "accepts TCP connections and says nothing" in found["XRD-01"].summary


def test_one_silent_server_costs_the_others_nothing(xrootd_server: Server) -> None:
    with silent() as port:
        found = Asked(asking(f"root://localhost:{port}", xrootd_server.url))
    assert found["XRD-01"].status is Status.CRITICAL
    assert found["XRD-03"].status is Status.WARNING  # one of two doors reads
    assert found["XRD-04"].status is Status.OK


def test_the_redirector_is_up_and_no_server_has_the_file(xrootd_cluster: Cluster) -> None:
    found = Asked(asking(redirectors=(xrootd_cluster.redirector.url,), federation_lfn=MISSING))
    assert found["XRD-01"].status is Status.OK
    assert found["XRD-05"].status is Status.CRITICAL
    assert (found.broken.name, found.broken.fault) == ("locate", "not-found")
    assert "no server has the file" in found["XRD-05"].summary
    assert found["XRD-06"].status is Status.WARNING


def test_redirections_in_a_circle() -> None:
    with circle() as (first, second):
        found = Asked(asking(redirectors=(f"root://localhost:{first.port}",)))
    assert found["XRD-05"].status is Status.CRITICAL
    assert found.broken.fault == "redirect-loop"
    for port in (first.port, second.port):
        assert str(port) in found["XRD-05"].summary
    assert "circle" in found["XRD-05"].summary
    assert found.facts.doors
    assert found.facts.doors[0].loop


def test_tls_is_demanded_and_no_authority_is_here(
    xrootd_lab: XrootdLab, xrootd_tokens: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_of(xrootd_lab, tmp_path, monkeypatch)
    empty = tmp_path / "certificates"
    empty.mkdir()
    monkeypatch.setenv("X509_CERT_DIR", str(empty))
    found = Asked(asking(xrootd_tokens.url))
    assert (found.broken.name, found.broken.fault) == ("TLS", "tls-no-ca")
    for check_id in ("XRD-02", "XRD-03", "XRD-08"):
        assert found[check_id].status is Status.CRITICAL
        assert str(empty) in found[check_id].summary
        assert "X509_CERT_DIR" in str(found[check_id].hint)


def test_a_certificate_for_another_host_name(
    xrootd_lab: XrootdLab, own_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X509_CERT_DIR", str(xrootd_lab.authority.certificates))
    with xrootd_lab.with_tls("other.lab") as server:
        found = Asked(asking(server.url.replace("localhost", own_name)))
        by_localhost = Asked(asking(server.url))
    assert (found.broken.name, found.broken.fault) == ("TLS", "tls-host-name")
    for check_id in ("XRD-02", "XRD-08"):
        assert found[check_id].status is Status.CRITICAL
        assert f"for other.lab, not for {own_name}" in found[check_id].summary
        assert "subjectAltName" in str(found[check_id].hint)
    # The route follows the client, the certificate is wrong all the same.
    assert by_localhost["XRD-02"].status is Status.OK
    assert by_localhost["XRD-08"].status is Status.CRITICAL


def test_a_certificate_for_the_host_name(
    xrootd_lab: XrootdLab, own_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X509_CERT_DIR", str(xrootd_lab.authority.certificates))
    with xrootd_lab.with_tls(own_name) as server:
        found = Asked(asking(server.url.replace("localhost", own_name)))
    for check_id in ("XRD-01", "XRD-02", "XRD-03", "XRD-08"):
        assert found[check_id].status is Status.OK, text_of(found[check_id])


@pytest.mark.parametrize(
    ("days", "trusted", "fault", "status"),
    [
        (-1, True, "tls-expired", Status.CRITICAL),
        (20, False, "tls-untrusted", Status.CRITICAL),
        (3, True, None, Status.WARNING),
    ],
)
def test_a_certificate_that_is_expired_or_untrusted_or_ends_soon(
    xrootd_lab: XrootdLab,
    own_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    trusted: bool,
    fault: str | None,
    status: Status,
) -> None:
    authority = xrootd_lab.authority if trusted else Authority(tmp_path / "other", name="Other CA")
    monkeypatch.setenv("X509_CERT_DIR", str(authority.certificates))
    with xrootd_lab.with_tls(own_name, valid_for=timedelta(days=days)) as server:
        found = Asked(asking(server.url.replace("localhost", own_name)))
    assert found["XRD-08"].status is status
    if fault is not None:
        assert (found.broken.name, found.broken.fault) == ("TLS", fault)
        assert found["XRD-02"].status is Status.CRITICAL
    else:
        assert found["XRD-03"].status is Status.OK


def test_tls_that_is_offered_and_not_demanded_is_seen(
    xrootd_lab: XrootdLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X509_CERT_DIR", str(xrootd_lab.authority.certificates))
    with xrootd_lab.with_tls("localhost", demanded=False) as server:
        plain = Asked(asking(server.url))
        secure = Asked(asking(server.url.replace("root://", "roots://")))
    assert plain["XRD-08"].status is Status.OK
    for found, outcome in ((plain, "not tried"), (secure, "ok")):
        assert found["XRD-03"].status is Status.OK, text_of(found["XRD-03"])
        assert found.facts.routes
        assert next(step.outcome for step in found.facts.routes[0].steps if step.name == "TLS") == outcome


def test_a_server_without_tls_is_asked_for_it(xrootd_server: Server) -> None:
    found = Asked(asking(xrootd_server.url.replace("root://", "roots://")))
    assert (found.broken.name, found.broken.fault) == ("TLS", "tls-not-offered")
    assert found["XRD-02"].status is Status.CRITICAL


def test_a_stored_checksum_that_is_not_that_of_the_file(xrootd_lab: XrootdLab) -> None:
    with xrootd_lab.serving("corrupt") as server:
        assert Asked(asking(server.url))["XRD-04"].status is Status.OK  # the server stores what it computed
        path = server.local()
        before = path.stat()
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        with path.open("r+b") as stream:
            stream.write(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        found = Asked(asking(server.url))
    assert found["XRD-04"].status is Status.CRITICAL
    assert (found.broken.name, found.broken.fault) == ("checksum", "checksum")
    assert f"{zlib.adler32(content):08x}" in text_of(found["XRD-04"])
    assert xrootd_lab.nano.adler32 in text_of(found["XRD-04"])
    assert found["XRD-03"].status is Status.OK


def test_a_server_that_computes_no_checksum(xrootd_lab: XrootdLab) -> None:
    with xrootd_lab.serving("none", "xrootd.chksum max 2 crc32c") as server:
        found = Asked(asking(server.url))
    assert found["XRD-04"].status is Status.SKIPPED
    assert found["XRD-03"].status is Status.OK
