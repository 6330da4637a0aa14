"""The XRootD probe against real servers: healthy ones, and one for each fault that a site meets."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from probes import live_xrootd_clients
from probes.credentials import PROBE as CREDENTIALS
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import Recording, RecordingDoor, ReplayDoor, begin, finish
from probes.redact import Redactor
from probes.settings import Settings
from probes.xrootd import PROBE
from profiles.checks import CheckResult, Status
from profiles.facts.routes import Step
from profiles.facts.xrootd import XrootdFacts
from tests.lab.authority import Authority
from tests.lab.xrootd import LFN, Cluster, Server, XrootdLab, free_ports
from tests.lab.xrootd_fake import circle, silent

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("xrootd")]

MISSING = "/store/test/no-such-file.root"


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the credentials that a test gives itself: none of the machine's."""
    for name in ("BEARER_TOKEN", "BEARER_TOKEN_FILE", "X509_CERT_DIR", "X509_CERT_FILE", "X509_USER_PROXY"):
        monkeypatch.delenv(name, raising=False)


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


# -- healthy ---------------------------------------------------------------------------------------------------------


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


def token_of(lab: XrootdLab, directory: Path, monkeypatch: pytest.MonkeyPatch, **claims: Any) -> Path:
    path = directory / "token"
    path.write_text(lab.issuer.token(**claims))
    path.chmod(0o600)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
    monkeypatch.setenv("X509_CERT_DIR", str(lab.authority.certificates))
    return path


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


# -- faults of servers -----------------------------------------------------------------------------------------------


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


@pytest.fixture
def own_name() -> str:
    """The name of this machine: XRootD's client does not look at the certificate's names when it is told localhost."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        pytest.skip(f"this machine's own name, {name}, has no address")
    return name


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


# -- faults of credentials ---------------------------------------------------------------------------------------------


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


def missing(path: Path, lab: XrootdLab) -> None:
    path.write_text("")


TOKEN_FAULTS: list[tuple[Callable[[Path, XrootdLab], None], str, str, tuple[str, ...]]] = [
    (missing, "XRD-02", "no-credential-accepted", ("no bearer token",)),
    (expired, "XRD-02", "no-credential-accepted", ("expired 60 minutes ago",)),
    (garbage, "XRD-02", "no-credential-accepted", ("is no token",)),
    (readable_for_others, "XRD-02", "no-credential-accepted", ("mode 0644", "chmod 600")),
    (wrong_audience, "XRD-03", "denied", ("audience https://elsewhere.example",)),
    (wrong_scope, "XRD-03", "denied", ("storage.read:/store/user", "does not cover")),
    (compute_only, "XRD-03", "denied", ("compute.read", "does not let anyone read")),
]


@pytest.mark.parametrize(
    ("spoil", "check_id", "fault", "words"), TOKEN_FAULTS, ids=[spoil.__name__ for spoil, *_ in TOKEN_FAULTS]
)
def test_what_is_wrong_with_the_token(
    xrootd_lab: XrootdLab,
    xrootd_tokens: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path, XrootdLab], None],
    check_id: str,
    fault: str,
    words: tuple[str, ...],
) -> None:
    path = token_of(xrootd_lab, tmp_path, monkeypatch)
    spoil(path, xrootd_lab)
    found = Asked(asking(xrootd_tokens.url))
    assert found[check_id].status is Status.CRITICAL
    reading = [step for step in found.facts.routes[0].steps if step.outcome == "failed"]  # type: ignore[index]
    assert fault in [step.fault for step in reading]
    for word in words:
        assert word in f"{found[check_id].summary} {found[check_id].hint}"
    if len(secret := path.read_text().strip()) > 40:
        assert secret not in "".join(map(text_of, found.verdicts.values()))


def test_a_proxy_that_is_named_and_missing_keeps_the_token_from_being_sent(
    xrootd_lab: XrootdLab, xrootd_tokens: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_of(xrootd_lab, tmp_path, monkeypatch)
    monkeypatch.setenv("X509_USER_PROXY", str(tmp_path / "no-proxy"))
    found = Asked(asking(xrootd_tokens.url))
    assert found["XRD-02"].status is Status.CRITICAL
    assert "no-proxy, which does not exist" in found["XRD-02"].summary
    assert "unset X509_USER_PROXY" in str(found["XRD-02"].hint)


def without_voms(lab: XrootdLab) -> Path:
    return lab.authority.proxy(lab.authority.user("Bob"), file_name="plain.pem")


def expired_proxy(lab: XrootdLab) -> Path:
    return lab.authority.proxy(
        lab.authority.user("Bob"), valid_for=timedelta(hours=-2), file_name="expired.pem"
    )


@pytest.mark.parametrize(
    ("make", "check_id", "words"),
    [
        (None, "XRD-02", "no X.509 proxy"),
        (expired_proxy, "XRD-02", "expired 2 hours ago"),
        (without_voms, "XRD-03", "no VOMS attributes"),
    ],
)
def test_what_is_wrong_with_the_proxy(
    xrootd_lab: XrootdLab,
    xrootd_gsi: Server,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[XrootdLab], Path] | None,
    check_id: str,
    words: str,
) -> None:
    monkeypatch.setenv("X509_CERT_DIR", str(xrootd_lab.authority.certificates))
    if make is not None:
        monkeypatch.setenv("X509_USER_PROXY", str(make(xrootd_lab)))
    found = Asked(asking(xrootd_gsi.url))
    assert found[check_id].status is Status.CRITICAL
    assert words in found[check_id].summary


# -- by what is installed ----------------------------------------------------------------------------------------------


def test_xrdfs_takes_the_place_of_the_bindings(
    xrootd_lab: XrootdLab, xrootd_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        live_xrootd_clients, "installed", lambda: {"bindings": None, "xrdfs": "xrdfs", "xrdcp": "xrdcp"}
    )
    found = Asked(asking(xrootd_server.url))
    assert found.facts.doors
    door = found.facts.doors[0]
    assert door.client == "xrdfs"
    assert door.checksum is not None
    assert door.checksum.read == door.checksum.server == xrootd_lab.nano.adler32
    for check_id in ("XRD-02", "XRD-03", "XRD-04", "XRD-07"):
        assert found[check_id].status is Status.OK, text_of(found[check_id])
    assert "by xrdcp" in found["XRD-07"].summary
    missing_file = Asked(asking(xrootd_server.url, lfn=MISSING))
    assert missing_file.broken.fault == "not-found"


@pytest.fixture
def by_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that has xrdfs and xrdcp, and no Python bindings."""
    found = {"bindings": None, "xrdfs": "xrdfs", "xrdcp": "xrdcp"}
    monkeypatch.setattr(live_xrootd_clients, "installed", lambda: found)


def test_xrdfs_goes_through_a_redirector(by_commands: None, xrootd_cluster: Cluster) -> None:
    found = Asked(asking(redirectors=(xrootd_cluster.redirector.url,)))
    for check_id in ("XRD-05", "XRD-06"):
        assert found[check_id].status is Status.OK, text_of(found[check_id])
    lost = Asked(asking(redirectors=(xrootd_cluster.redirector.url,), federation_lfn=MISSING))
    assert lost.broken.fault == "not-found"


@pytest.mark.parametrize(
    ("spoil", "check_id", "words"),
    [
        (expired, "XRD-02", "expired"),
        (readable_for_others, "XRD-02", "mode 0644"),
        (wrong_scope, "XRD-03", "does not cover"),
    ],
)
def test_what_xrdfs_says_of_a_token_is_understood(
    by_commands: None,
    xrootd_lab: XrootdLab,
    xrootd_tokens: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path, XrootdLab], None],
    check_id: str,
    words: str,
) -> None:
    path = token_of(xrootd_lab, tmp_path, monkeypatch)
    good = Asked(asking(xrootd_tokens.url))
    assert good["XRD-03"].status is Status.OK, text_of(good["XRD-03"])
    spoil(path, xrootd_lab)
    found = Asked(asking(xrootd_tokens.url))
    assert found[check_id].status is Status.CRITICAL
    assert words in found[check_id].summary


def test_a_missing_proxy_keeps_xrdfs_from_tls(
    by_commands: None,
    xrootd_lab: XrootdLab,
    xrootd_tokens: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token_of(xrootd_lab, tmp_path, monkeypatch)
    monkeypatch.setenv("X509_USER_PROXY", str(tmp_path / "no-proxy"))
    found = Asked(asking(xrootd_tokens.url))
    assert "no-proxy, which does not exist" in found["XRD-02"].summary


def test_the_bare_protocol_says_how_far_a_client_would_come(
    xrootd_lab: XrootdLab, xrootd_server: Server, xrootd_tokens: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X509_CERT_DIR", str(xrootd_lab.authority.certificates))
    monkeypatch.setattr(
        live_xrootd_clients, "installed", lambda: {"bindings": None, "xrdfs": None, "xrdcp": None}
    )
    found = Asked(asking(xrootd_server.url, xrootd_tokens.url))
    assert found["XRD-01"].status is Status.OK
    assert found["XRD-02"].status is Status.UNKNOWN
    assert "ztn" in found["XRD-02"].summary
    assert found["XRD-03"].status is Status.UNKNOWN
    assert found.facts.routes
    steps = {step.name: step.outcome for step in found.facts.routes[0].steps}
    assert (steps["auth"], steps["stat"], steps["open"]) == ("ok", "ok", "not tried")


# -- more ----------------------------------------------------------------------------------------------------------------


def test_the_baskets_of_a_real_tree_are_read(xrootd_lab: XrootdLab, xrootd_server: Server) -> None:
    baskets = xrootd_lab.nano.baskets
    assert len(baskets) > 100
    job = {
        "url": xrootd_server.url,
        "path": LFN,
        "timeouts": live_xrootd_clients.timeouts(2, 10),
        "read_bytes": 1,
        "max_file_bytes": 0,
        "chunks": [list(one) for one in baskets],
    }
    steps = {
        step["step"]: step for step in live_xrootd_clients.by_bindings(job, 20) if isinstance(step, dict)
    }
    assert steps["sparse"]["error"] is None
    assert steps["sparse"]["bytes"] == sum(length for _, length in baskets)


def test_a_file_is_written_and_deleted_where_it_is_asked_for(xrootd_server: Server) -> None:
    found = Asked(asking(xrootd_server.url, write_url=f"{xrootd_server.url}//store/test/probe"))
    assert found["STO-01"].status is Status.OK, text_of(found["STO-01"])
    assert "checksum right" in found["STO-01"].summary
    assert [path.name for path in (xrootd_server.local().parent / "probe").iterdir()] == []
    assert Asked(asking(xrootd_server.url))["STO-01"].status is Status.SKIPPED


def test_a_token_that_may_only_read_cannot_write(
    xrootd_lab: XrootdLab, xrootd_tokens: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_of(xrootd_lab, tmp_path, monkeypatch)
    found = Asked(asking(xrootd_tokens.url, write_url=f"{xrootd_tokens.url}//store/test"))
    assert found["STO-01"].status is Status.CRITICAL
    assert "create" in found["STO-01"].summary


def test_a_recording_replays_to_the_same_facts_and_has_no_token(
    xrootd_lab: XrootdLab,
    xrootd_server: Server,
    xrootd_tokens: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = token_of(xrootd_lab, tmp_path, monkeypatch).read_text()
    closed = f"root://localhost:{free_ports(1)[0]}"
    chosen = asking(xrootd_server.url, closed, xrootd_tokens.url, redirectors=(xrootd_server.url,))
    directory = tmp_path / "recording"
    begin(directory)
    door = RecordingDoor(LiveDoor(), directory, PROBE.name, Redactor({}, b"key"))
    lived = Asked(chosen, Host(door))
    door.close()
    finish(directory, agent_version="0", created_at="2026-11-22T00:00:00Z", redacted=True)
    replayed = Asked(chosen, Host(ReplayDoor(Recording(directory), PROBE.name)))
    assert replayed.facts == lived.facts
    assert all(token not in path.read_text() for path in directory.iterdir())
    assert lived.facts.routes
    assert lived.facts.routes[2].broken is None
    assert json.loads(lived.facts.model_dump_json())["doors"][0]["checksum"]


@pytest.fixture(scope="module")
def _stack() -> Iterator[Callable[[AbstractContextManager[Any]], Any]]:
    with ExitStack() as stack:
        yield stack.enter_context
