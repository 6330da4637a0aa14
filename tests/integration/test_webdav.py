"""The webdav probe against real doors (xrootd with XrdHttp), healthy and spoiled: each fault has its own diagnosis."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from probes import credentials
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from probes.webdav import PROBE, gather
from profiles.checks import CheckResult, Status
from profiles.facts.routes import Step
from profiles.facts.webdav import WebdavDoor
from tests.lab import LabUnavailableError, skip_or_fail, xrootd
from tests.lab.authority import Authority, Files
from tests.lab.davserver import FILE_BYTES, DavServer, serving
from tests.lab.middle import Spoiling, spoiled
from tests.lab.tokens import Issuer

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("webdav")]


@dataclass(frozen=True)
class Site:
    """One authority, one issuer of tokens, a person with a VOMS server, and four doors."""

    authority: Authority
    issuer: Issuer
    plain: DavServer
    secure: DavServer
    expired: DavServer
    by_proxy: DavServer
    user: Files
    voms: Files


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The doors of a site; `expired` shows a certificate that has expired, `by_proxy` takes members of /cms."""
    with contextlib.ExitStack() as held:
        try:
            authority = Authority(tmp_path_factory.mktemp("authority"))
            issuer = Issuer()
            good = authority.host(["localhost"])
            old = authority.host(["localhost"], valid_for=timedelta(hours=-1), file_name="old")
            doors = [held.enter_context(serving())]
            doors += [
                held.enter_context(serving(authority=authority, host=host, issuer=issuer))
                for host in (good, old)
            ]
            voms = authority.host(["voms.lab"])
            authority.lsc(trusted := tmp_path_factory.mktemp("vomsdir"), voms)
            doors.append(held.enter_context(serving(authority=authority, host=good, voms=trusted)))
        except LabUnavailableError as reason:
            skip_or_fail(reason)
        plain, secure, expired, by_proxy = doors
        yield Site(authority, issuer, plain, secure, expired, by_proxy, authority.user(), voms)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the caller's is found; a test sets what it wants found."""
    for name in ("BEARER_TOKEN", "BEARER_TOKEN_FILE", "X509_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("X509_USER_PROXY", str(tmp_path / "no-proxy"))


@dataclass(frozen=True)
class Look:
    """What the probe found at one door, and the verdict."""

    door: WebdavDoor
    steps: dict[str, Step]
    broken: Step | None
    result: CheckResult

    @property
    def story(self) -> tuple[Status, str | None, str | None]:
        """Status, and where and how it broke."""
        return (
            self.result.status,
            self.broken.name if self.broken else None,
            self.broken.fault if self.broken else None,
        )


def look(url: str, authority: Authority | None = None, **wanted: float) -> Look:
    """Gather and judge one door; each question may take long enough for a busy machine."""
    ca_path = None if authority is None else str(authority.certificates)
    webdav = {"urls": [url], "ca_path": ca_path, "timeout_s": 20, "budget_s": 60, **wanted}
    settings = Settings.model_validate({"webdav": webdav})
    host = Host(LiveDoor())
    facts = gather(host, settings)
    known = {"webdav": facts, "credentials": credentials.PROBE.gather(host, settings)}
    (result,) = PROBE.judge(facts, Judging(PROBE, settings, known))
    (door,), (route,) = facts.doors or (), facts.routes or ()
    return Look(door, {step.name: step for step in route.steps}, route.broken, result)


def test_a_healthy_plain_door_is_ok(site: Site) -> None:
    seen = look(site.plain.url())

    assert seen.story == (Status.OK, None, None), seen
    assert {name for name, step in seen.steps.items() if step.outcome != "ok"} == {"tls"}
    assert (seen.door.size_bytes, seen.door.read_bytes) == (FILE_BYTES, FILE_BYTES)
    assert seen.door.read_adler32 == seen.door.digest_adler32 == f"{zlib.adler32(site.plain.content):08x}"
    assert "XrootD" in (seen.door.server or "")


def test_a_token_opens_a_secure_door(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token = site.issuer.token()
    monkeypatch.setenv("BEARER_TOKEN", token)

    seen = look(site.secure.url(scheme="davs"), site.authority)

    assert seen.story == (Status.OK, None, None), seen
    assert all(step.outcome == "ok" for step in seen.steps.values()), seen.steps
    assert (seen.door.secure, seen.door.credential) == (True, "token")
    assert token not in repr(seen)


def test_a_token_never_goes_over_plain_http(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEARER_TOKEN", site.issuer.token())

    seen = look(site.secure.url(scheme="http"))

    # The same server would let this token in over TLS.
    assert [one.credential for one in seen.door.tried] == ["none"]
    assert seen.result.status is Status.CRITICAL


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "no bearer token is found"),
        ({"expires_in_s": -100}, "the token expired"),
        ({"valid_in_s": 600}, "only"),
        ({"scope": "storage.read:/other"}, "reading below /other"),
        ({"scope": "compute.read"}, "compute.read"),
        ({"aud": "https://other.example"}, "audience is https://other.example"),
    ],
    ids=["missing", "expired", "not-yet-valid", "wrong-path", "wrong-scope", "wrong-audience"],
)
def test_a_token_that_does_not_open_the_door(
    site: Site, monkeypatch: pytest.MonkeyPatch, token: dict[str, object] | None, words: str
) -> None:
    if token is not None:
        monkeypatch.setenv("BEARER_TOKEN", site.issuer.token(**token))  # type: ignore[arg-type]

    seen = look(site.secure.url(scheme="davs"), site.authority)

    assert seen.story == (Status.CRITICAL, "propfind", "http-403"), seen
    assert words in seen.result.summary, seen.result.summary
    assert seen.steps["range"].outcome == "not reached"


def test_a_token_that_is_none_is_not_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEARER_TOKEN", "two words")

    seen = look(site.secure.url(scheme="davs"), site.authority)

    assert seen.story == (Status.CRITICAL, "propfind", "http-403")
    assert seen.door.tried[0].status is None
    assert "RFC 6750" in (seen.door.tried[0].reason or "")


def test_a_proxy_is_tried_after_a_token_that_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEARER_TOKEN", site.issuer.token(scope="compute.read"))
    monkeypatch.setenv("X509_USER_PROXY", str(site.authority.proxy(site.authority.user())))

    seen = look(site.secure.url(scheme="davs"), site.authority)

    assert [(one.credential, one.status) for one in seen.door.tried] == [("token", 403), ("x509", 403)]
    assert seen.story == (Status.CRITICAL, "propfind", "http-403")


def test_a_voms_proxy_opens_a_door_that_takes_the_group(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        proxy = site.authority.voms_proxy(site.user, site.voms)
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    monkeypatch.setenv("X509_USER_PROXY", str(proxy))

    seen = look(site.by_proxy.url(scheme="davs"), site.authority)

    assert seen.story == (Status.OK, None, None), seen
    assert seen.door.credential == "x509"


def test_a_proxy_without_voms_attributes_is_said_to_lack_them(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X509_USER_PROXY", str(site.authority.proxy(site.user)))

    seen = look(site.by_proxy.url(scheme="davs"), site.authority)

    assert seen.story == (Status.CRITICAL, "propfind", "http-403"), seen
    assert "no VOMS attributes" in seen.result.summary


def test_an_authority_that_this_node_lacks(site: Site, tmp_path: Path) -> None:
    seen = look(site.secure.url(scheme="davs"), Authority(tmp_path / "other", name="Other CA"))

    assert seen.story == (Status.CRITICAL, "tls", "tls-authority"), seen
    assert "authority" in seen.result.summary
    assert "IGTF" in (seen.result.hint or "")


def test_no_authorities_at_all(site: Site, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "other")
    for path in authority.certificates.iterdir():
        path.unlink()

    seen = look(site.secure.url(scheme="davs"), authority)

    assert seen.story == (Status.CRITICAL, "tls", "no-authorities"), seen


def test_a_name_that_is_not_in_the_certificate(site: Site) -> None:
    seen = look(site.secure.url(scheme="davs", host="127.0.0.1"), site.authority)

    assert seen.story == (Status.CRITICAL, "tls", "tls-name"), seen
    assert "127.0.0.1" not in repr(seen.door)


def test_a_certificate_that_has_expired(site: Site) -> None:
    seen = look(site.expired.url(scheme="davs"), site.authority)

    assert seen.story == (Status.CRITICAL, "tls", "tls-expired"), seen


def test_no_such_file(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEARER_TOKEN", site.issuer.token())

    seen = look(site.secure.url("/store/test/nothing", scheme="davs"), site.authority)

    assert seen.story == (Status.CRITICAL, "propfind", "http-404"), seen
    assert "test_lfn" in (seen.result.hint or "")


def test_a_directory_is_not_a_file(site: Site) -> None:
    assert look(site.plain.url("/store/test/")).story[1:] == ("propfind", "not-a-file")


@pytest.mark.parametrize(
    ("spoiling", "broken"),
    [
        (Spoiling(silent_after_bytes=0), ("options", "silent")),
        (Spoiling(cut_after_bytes=0), ("options", "reset")),
        (Spoiling(cut_after_bytes=5000, cut="reset"), ("range", "reset")),
        (Spoiling(cut_after_bytes=20_000, cut="close"), ("range", "truncated")),
        (Spoiling(silent_after_bytes=20_000), ("range", "too-slow")),
        (Spoiling(drip_bytes=512, drip_every_s=0.1), ("range", "too-slow")),
        (Spoiling(cut_after_bytes=200_000, cut="close"), ("read", "truncated")),
        (Spoiling(flip_at=40_000), ("digest", "wrong-digest")),
    ],
    ids=[
        "silent", "reset-at-once", "reset-in-the-range", "truncated", "silent-in-the-range", "drip-feed",
        "cut-in-the-read", "a-byte-flipped",
    ],
)  # fmt: skip
def test_a_door_behind_a_bad_middle(site: Site, spoiling: Spoiling, broken: tuple[str, str]) -> None:
    """Answers to OPTIONS and PROPFIND are shorter than 1 kB, so the counts fall where the names say."""
    with spoiled(site.plain.port, spoiling) as middle:
        seen = look(f"http://localhost:{middle.port}/store/test/file.bin", timeout_s=3)

    assert seen.story == (Status.CRITICAL, *broken), seen


def test_a_silent_door_ends_within_its_budget(site: Site) -> None:
    with spoiled(site.plain.port, Spoiling(silent_after_bytes=0)) as middle:
        seen = look(f"http://localhost:{middle.port}/store/test/file.bin", timeout_s=20, budget_s=1)

    assert seen.story == (Status.CRITICAL, "options", "silent"), seen
    assert list(seen.steps) == [
        "resolve", "connect", "tls", "options", "propfind", "range", "multi-range", "read", "digest",
    ]  # fmt: skip


def test_a_real_redirector_sends_readers_on_to_the_server_that_has_the_file() -> None:
    with contextlib.ExitStack() as held:
        try:
            lab = held.enter_context(xrootd.running())
            cluster = held.enter_context(lab.cluster(http=True))
        except LabUnavailableError as reason:
            skip_or_fail(reason)
        seen = look(f"http://localhost:{cluster.redirector.port}{xrootd.LFN}")
        absent = look(f"http://localhost:{cluster.redirector.port}/store/test/nothing.root")

    assert seen.story == (Status.OK, None, None), seen
    assert seen.door.redirected_to == (f"(address):{cluster.servers[1].port}",)
    assert seen.door.read_adler32 == seen.door.digest_adler32
    assert absent.story == (Status.CRITICAL, "propfind", "http-404"), absent
