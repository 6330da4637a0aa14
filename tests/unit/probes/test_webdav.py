"""What the webdav probe makes of doors that misbehave, of hostile answers, and of settings that name none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from probes.webdav import PROBE, content, gather, redirects, refusal
from profiles.checks import CheckResult, Status
from profiles.facts.credentials import CredentialFile, CredentialsFacts, ProxyFacts, TokenFacts
from profiles.facts.network import Family, FamilyAttempt
from profiles.facts.routes import Route, Step
from profiles.facts.webdav import CredentialKind, CredentialTry, WebdavDoor, WebdavFacts
from tests.unit.probes.dav_fake import CONTENT, Door, multistatus, serving
from tests.unit.probes.network_servers import closed_port, listening


def settings(*urls: str, **more: Any) -> Settings:
    return Settings.model_validate({"webdav": {"urls": urls, "timeout_s": 20, "budget_s": 60, **more}})


def judged(facts: WebdavFacts) -> CheckResult:
    (result,) = PROBE.judge(facts, Judging(PROBE, Settings(), {"webdav": facts}))
    return result


def looked(door: Door, **more: Any) -> tuple[WebdavFacts, CheckResult]:
    with serving(door):
        facts = gather(Host(LiveDoor()), settings(door.url, **more))
    return facts, judged(facts)


def test_an_honest_door_is_ok_and_shows_every_step() -> None:
    facts, result = looked(door := Door())

    assert result.status is Status.OK, result
    (route,) = facts.routes or ()
    assert {step.name: step.outcome for step in route.steps if step.outcome != "ok"} == {"tls": "not tried"}
    assert [method for method, _, _ in door.asked] == ["OPTIONS", "PROPFIND", "GET", "GET", "GET", "HEAD"]
    assert not any("Authorization" in fields for _, _, fields in door.asked)


@pytest.mark.parametrize(
    ("door", "step", "fault", "status"),
    [
        (Door(dav=None), "options", "not-webdav", Status.CRITICAL),
        (Door(propfind=(200, b"<html>Welcome</html>")), "propfind", "not-webdav", Status.CRITICAL),
        (Door(propfind=(207, b"<html>Welcome</html>")), "propfind", "not-webdav", Status.CRITICAL),
        (Door(propfind=(207, b"not xml at all")), "propfind", "not-webdav", Status.CRITICAL),
        (Door(propfind=(503, b"")), "propfind", "http-503", Status.CRITICAL),
        (
            Door(propfind=(207, b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>')),
            "propfind", "hostile-xml", Status.CRITICAL,
        ),
        (Door(propfind=(207, b"<a>" * 40_000)), "propfind", "hostile-xml", Status.CRITICAL),
        (Door(propfind=(207, b"<a>" * 20_000)), "propfind", "not-webdav", Status.CRITICAL),
        (
            Door(propfind=(207, multistatus("<D:getcontentlength>-5</D:getcontentlength>"))),
            "propfind", "not-webdav", Status.CRITICAL,
        ),
        (
            Door(propfind=(207, multistatus("<D:getcontentlength>7</D:getcontentlength>", "HTTP/1.1 404 no"))),
            "propfind", "not-webdav", Status.CRITICAL,
        ),
        (
            Door(propfind=(207, multistatus("<D:resourcetype><D:collection/></D:resourcetype>"))),
            "propfind", "not-a-file", Status.CRITICAL,
        ),
        (Door(ranges="none"), "range", "no-range", Status.CRITICAL),
        (Door(content_range="bytes 5-9/10"), "range", "wrong-range", Status.CRITICAL),
        (Door(ranges="single"), "multi-range", "no-multi-range", Status.WARNING),
        (Door(digest=None), "digest", "no-digest", Status.WARNING),
        (Door(digest="md5=1B2M2Y8AsgTpgAmY7PhCfg=="), "digest", "no-digest", Status.WARNING),
        (Door(digest="adler32=12345678"), "digest", "wrong-digest", Status.CRITICAL),
    ],
    ids=[
        "no-dav-field", "html-200", "html-207", "no-xml", "overloaded", "external-entity", "endless-xml", "deep-xml",
        "negative-size", "property-not-found", "directory", "no-ranges", "wrong-range", "one-range-only", "no-digest",
        "other-digest", "wrong-digest",
    ],
)  # fmt: skip
def test_each_fault_of_a_door_is_named(door: Door, step: str, fault: str, status: Status) -> None:
    facts, result = looked(door)

    (route,) = facts.routes or ()
    assert route.broken is not None
    assert (route.broken.name, route.broken.fault, result.status) == (step, fault, status), route
    assert result.hint
    assert fault in " ".join(result.evidence)


def test_a_large_file_is_read_in_part_and_its_checksum_not_compared() -> None:
    facts, result = looked(Door(digest="adler32=12345678"), max_file_bytes=1000, read_bytes=70_000)

    (door,) = facts.doors or ()
    assert (door.read_bytes, door.read_adler32, door.digest_adler32) == (70_000, None, "12345678")
    assert result.status is Status.OK


def test_a_closed_port_and_an_unknown_name_are_told_apart() -> None:
    urls = (f"http://localhost:{closed_port()}/f", "davs://no..name/f")
    facts = gather(Host(LiveDoor()), settings(*urls))

    faults = [route.broken.fault for route in facts.routes or () if route.broken]
    assert faults == ["connect", "dns"]
    assert judged(facts).status is Status.CRITICAL
    assert "2 of 2 doors fail" in judged(facts).summary


def test_what_speaks_no_http_is_said_to() -> None:
    with listening(reply=b"SSH-2.0-x\r\n") as port:
        facts = gather(Host(LiveDoor()), settings(f"http://127.0.0.1:{port}/f", timeout_s=5))

    (route,) = facts.routes or ()
    assert route.broken is not None
    assert (route.broken.name, route.broken.fault) == ("options", "not-http")
    assert "127.0.0.1" not in facts.model_dump_json()


def test_no_outbound_opens_nothing() -> None:
    with serving(Door()) as door:
        wanted = settings(door.url).model_copy(update={"site_profile": "no-outbound"})
        facts = gather(Host(LiveDoor()), wanted)

    assert (facts.doors, facts.routes, door.asked) == (None, None, [])
    assert judged(facts).status is Status.SKIPPED
    assert "no-outbound" in judged(facts).summary


def test_a_site_without_siteconf_is_skipped_with_the_reason(tmp_path: Path) -> None:
    wanted = Settings.model_validate({"siteconf": {"path": str(tmp_path / "none")}})
    facts = gather(Host(LiveDoor()), wanted)

    assert judged(facts).status is Status.SKIPPED
    assert "webdav.urls is not set" in judged(facts).summary


def siteconf(directory: Path, prefix: str) -> Settings:
    """Settings that name a SITECONF whose WebDAV protocol has this prefix."""
    (directory / "JobConfig").mkdir()
    (directory / "JobConfig" / "site-local-config.xml").write_text(
        '<site-local-config><site name="T2_XX_Lab"><data-access><catalog volume="Disk" protocol="XRootD"/>'
        "</data-access></site></site-local-config>"
    )
    protocols = [
        {"protocol": "XRootD", "access": "site-ro", "prefix": "root://localhost/"},
        {"protocol": "WebDAV", "access": "global-rw", "prefix": prefix},
    ]
    storage = [{"site": "T2_XX_Lab", "volume": "Disk", "protocols": protocols}]
    (directory / "storage.json").write_text(json.dumps(storage))
    named = {"path": str(directory), "test_lfn": "/store/test/file"}
    return Settings.model_validate({"siteconf": named, "webdav": {"timeout_s": 20}})


def test_the_doors_of_siteconf_are_tried(tmp_path: Path) -> None:
    with serving(Door()) as door:
        facts = gather(Host(LiveDoor()), siteconf(tmp_path, f"http://localhost:{door.port}/dav"))

    (found,) = facts.doors or ()
    assert (found.path, found.origin) == ("/dav/store/test/file", "SITECONF: Disk, WebDAV")
    assert judged(facts).status is Status.OK


@pytest.mark.parametrize(
    "url",
    ["root://se.example.org//f", "davs://se.example.org", "davs://user@se.example.org/f", "https://a b/f"],
)
def test_a_setting_that_is_no_webdav_url_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="must be davs://"):
        settings(url)


@pytest.mark.parametrize("prefix", ["root://localhost/", "https://user@localhost/", "https://localhost:0/"])
def test_siteconf_with_a_prefix_that_is_no_webdav_url_is_skipped_with_it(tmp_path: Path, prefix: str) -> None:
    facts = gather(Host(LiveDoor()), siteconf(tmp_path, prefix))

    assert judged(facts).status is Status.SKIPPED
    assert "is not a davs://" in judged(facts).summary


def test_a_recording_replays_to_the_same_facts(tmp_path: Path) -> None:
    directory = tmp_path / "recording"
    begin(directory)
    with serving(Door()) as door:
        recorder = RecordingDoor(LiveDoor(), directory, "webdav", None)
        facts = gather(Host(recorder), settings(door.url))
        recorder.close()
    finish(directory, agent_version="0", created_at="now", redacted=False)

    assert gather(Host(ReplayDoor(Recording(directory), "webdav")), settings(door.url)) == facts
    # What is read for the rate is not kept.
    assert sum(path.stat().st_size for path in directory.iterdir()) < len(CONTENT)


CAPABILITY = "uuid=one-time-capability"


def test_a_door_that_sends_readers_on_to_a_pool_works(tmp_path: Path) -> None:
    directory = tmp_path / "recording"
    begin(directory)
    with serving(Door(wanted_query=CAPABILITY)) as pool, serving(Door()) as door:
        door.onward = f"{pool.url}?{CAPABILITY}"
        recorder = RecordingDoor(LiveDoor(), directory, "webdav", None)
        facts = gather(Host(recorder), settings(door.url))
        recorder.close()
        target = f"localhost:{pool.port}"
    finish(directory, agent_version="0", created_at="now", redacted=False)

    assert judged(facts).status is Status.OK, judged(facts)
    (found,) = facts.doors or ()
    assert found.redirected_to == (target,)
    assert found.read_bytes == len(CONTENT)
    assert target in " ".join(judged(facts).evidence)
    # The capability is for the one who was given it, not for the reader of a recording.
    assert CAPABILITY not in "".join(path.read_text() for path in directory.iterdir())
    assert gather(Host(ReplayDoor(Recording(directory), "webdav")), settings(door.url)) == facts


def test_a_circle_of_redirections_ends() -> None:
    with serving(Door()) as door:
        door.onward = door.url
        facts = gather(Host(LiveDoor()), settings(door.url))

    (route,) = facts.routes or ()
    assert route.broken is not None
    assert (route.broken.name, route.broken.fault) == ("range", "redirect-loop")
    assert judged(facts).status is Status.CRITICAL


@pytest.mark.parametrize("location", ["ftp://localhost/f", "http://localhost:99999/f", "//[::1/f"])
def test_a_redirection_to_no_url_is_said_to_be_one(location: str) -> None:
    facts, result = looked(Door(onward=location))

    (route,) = facts.routes or ()
    assert route.broken is not None
    assert (route.broken.name, route.broken.fault) == ("range", "bad-redirect")
    assert result.status is Status.CRITICAL


@pytest.mark.parametrize(
    ("origin", "location", "trusted"),
    [
        ("https://se.example.org/f", "https://se.example.org:8443/f", True),
        ("https://se.example.org/f", "https://pool7.example.org/f", True),
        ("https://se.example.org/f", "/other", True),
        ("https://se.example.org/f", "http://pool7.example.org/f", False),
        ("https://se.example.org/f", "https://pool7.example.net/f", False),
        ("https://example.org/f", "https://stranger.org/f", False),
        ("https://10.1.2.3/f", "https://11.1.2.3/f", False),
    ],
)
def test_a_credential_goes_along_only_over_tls_and_in_the_doors_domain(
    origin: str, location: str, trusted: bool
) -> None:
    found = redirects.target(origin, 307, {"location": location})

    assert found is not None
    assert found.trusted is trusted


def credentials(**token: Any) -> CredentialsFacts:
    facts = TokenFacts(source="BEARER_TOKEN", size_bytes=900, **token)
    proxy = ProxyFacts(source="/tmp", file=CredentialFile(path="/tmp/x"), kind="rfc3820", expires_in_s=3600)
    return CredentialsFacts(
        token=facts, proxy=proxy, authorities=None, absent={"authorities": "not looked at"}
    )


@pytest.mark.parametrize(
    ("sent", "token", "words"),
    [
        ("token", {"expires_in_s": -90}, "expired 90 s ago"),
        ("token", {"valid_in_s": 300}, "valid in 300 s only"),
        ("token", {"problem": "it has two parts, not three"}, "two parts"),
        ("token", {"audiences": ("https://other",)}, "audience is https://other"),
        ("token", {"audiences": ("https://se:443",), "scopes": ("compute.create",)}, "allow no reading"),
        ("token", {"audiences": ("se",), "scopes": ("storage.read:/else",)}, "below /else"),
        (
            "token",
            {"audiences": (refusal.ANY_AUDIENCE,), "scopes": ("storage.read:/store",)},
            "nothing is wrong as far as this node can tell",
        ),
        ("x509", {}, "no VOMS attributes"),
    ],
)
def test_a_refusal_is_explained_by_the_credential_that_was_sent(
    sent: CredentialKind, token: dict[str, Any], words: str
) -> None:
    door = WebdavDoor(
        target="se:443", path="/dav/store/f", origin="o", secure=True, tried=(CredentialTry(credential=sent, status=403),)
    )  # fmt: skip

    found = refusal.why(door, credentials(**token))

    assert words in found.reason
    assert found.hint


def test_a_dead_family_of_addresses_is_a_warning() -> None:
    attempts = (
        FamilyAttempt(family=Family.IPV4, addresses=1, works=True, connect_s=0.01),
        FamilyAttempt(
            family=Family.IPV6, addresses=1, works=False, errno_name="ETIMEDOUT", detail="no answer within 5 s"
        ),
    )  # fmt: skip
    door = WebdavDoor(target="se:443", path="/f", origin="webdav.urls", secure=True, attempts=attempts)
    route = Route(subject="/f", target="se:443", via="direct", steps=(Step(name="digest", outcome="ok"),))

    result = judged(WebdavFacts(doors=(door,), routes=(route,)))

    assert result.status is Status.WARNING
    assert "IPv6" in result.summary


def test_a_slow_read_is_a_warning_and_a_short_one_says_nothing() -> None:
    def rated(read_bytes: int) -> CheckResult:
        door = WebdavDoor(
            target="se:443", path="/f", origin="o", secure=True, read_bytes=read_bytes, read_s=9.0, first_byte_s=1.0
        )  # fmt: skip
        route = Route(subject="/f", target="se:443", via="direct", steps=(Step(name="read", outcome="ok"),))
        return judged(WebdavFacts(doors=(door,), routes=(route,)))

    assert rated(4_000_000).status is Status.WARNING
    assert rated(4_000_000).value == 500_000
    assert rated(40_000).status is Status.OK


def test_a_refusal_names_the_credentials_that_were_tried() -> None:
    door = WebdavDoor(
        target="se:443",
        path="/f",
        origin="o",
        secure=True,
        tried=(CredentialTry(credential="token", status=403), CredentialTry(credential="x509", status=403)),
    )
    steps = (Step(name="propfind", outcome="failed", fault="http-403", detail="status 403"),)
    route = Route(subject="/f", target="se:443", via="direct", steps=steps)

    result = judged(WebdavFacts(doors=(door,), routes=(route,)))

    assert result.status is Status.CRITICAL
    assert "token and x509" in result.summary


@given(st.binary(max_size=400))
def test_any_answer_to_propfind_gives_properties_or_one_clause(answer: bytes) -> None:
    try:
        said: object = content.properties(answer).size_bytes
    except ValueError as error:
        said = str(error)

    assert (
        said is None or (isinstance(said, int) and said >= 0) or (isinstance(said, str) and "\n" not in said)
    )


@given(st.text(max_size=80), st.binary(max_size=400))
def test_any_multipart_answer_is_taken_apart_or_refused(content_type: str, body: bytes) -> None:
    found = content.parts(f"multipart/byteranges; boundary={content_type}", body)

    assert found is None or all(len(piece) <= last - first + 1 for (first, last), piece in found.items())


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("adler32=2c52e144", "2c52e144"),
        ("ADLER32=2C52E144", "2c52e144"),
        ("md5=x==,adler32=abc", "00000abc"),
        ("adler32=123456789", None),
        ("adler32=", None),
        (None, None),
    ],
)
def test_digest_fields(field: str | None, expected: str | None) -> None:
    assert content.adler32(field) == expected
