"""Credentials: discovery, claims, dates, audience, scope, file mode, authorities; and that no secret comes out."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes.credentials import PROBE
from probes.credentials.gather import GRID_AUTHORITIES
from probes.errors import HostError
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recorded_answers import decode
from probes.recording import Recording, RecordingDoor, ReplayDoor, begin, finish
from probes.redact import Redactor
from probes.settings import Settings
from profiles.base import Facts
from profiles.checks import CheckResult, Status
from profiles.facts.credentials import CredentialsFacts, ProxyFacts, VomsFacts
from profiles.facts.network import NetworkFacts
from tests.lab.tokens import Issuer
from tests.unit.probes.siteconf_tree import write

OK, WARN, CRIT, SKIP = Status.OK, Status.WARNING, Status.CRITICAL, Status.SKIPPED
HOUR = 3600.0


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


def probed(chosen: Settings | None = None, host: Host | None = None) -> CredentialsFacts:
    facts = PROBE.gather(host or Host(LiveDoor()), chosen or Settings())
    return CredentialsFacts.model_validate_json(facts.model_dump_json())


def verdicts(
    facts: CredentialsFacts, chosen: Settings | None = None, others: dict[str, Facts] | None = None
) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, chosen or Settings(), others or {}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return {result.id: result for result in results}


def token_file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


# -- discovery -------------------------------------------------------------------------------------------------


def test_discovery_goes_through_the_places_in_the_order_of_wlcg(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    host = Host(LiveDoor())
    assert host.token() is None
    places = [
        ("/tmp", lambda text: Path(f"/tmp/bt_u{user}").write_text(text)),
        ("XDG_RUNTIME_DIR", (tmp_path / f"runtime/bt_u{user}").write_text),
        (
            "BEARER_TOKEN_FILE",
            lambda text: monkeypatch.setenv("BEARER_TOKEN_FILE", str(token_file(tmp_path, text))),
        ),
        ("BEARER_TOKEN", lambda text: monkeypatch.setenv("BEARER_TOKEN", text)),
    ]
    for source, put in places:
        put(issuer.token(claims={"iss": f"https://{source.strip('/').lower().replace('_', '-')}.example"}))
        seen = host.token()
        assert seen is not None
        assert seen.source == source
        assert seen.issuer == f"https://{source.strip('/').lower().replace('_', '-')}.example"


def test_an_empty_place_is_passed_over(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setenv("BEARER_TOKEN", "  ")
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(token_file(tmp_path, " ")))
    (tmp_path / f"runtime/bt_u{user}").write_text(issuer.token())
    facts = probed()
    assert facts.token is not None
    assert facts.token.source == "XDG_RUNTIME_DIR"


def test_a_named_file_that_is_not_there_stops_the_search(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    (tmp_path / f"runtime/bt_u{user}").write_text(issuer.token())
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "gone"))
    found = verdicts(probed())
    assert (found["CRD-03"].status, found["CRD-04"].status) == (CRIT, Status.UNKNOWN)
    assert "BEARER_TOKEN_FILE names" in found["CRD-03"].summary


@pytest.mark.parametrize("kind", ["directory", "pipe", "loop"])
def test_a_token_place_that_is_no_file_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "odd"
    {"directory": path.mkdir, "pipe": lambda: os.mkfifo(path), "loop": lambda: path.symlink_to(path)}[kind]()
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
    found = verdicts(probed())["CRD-03"]
    # A pipe that nobody writes to is an empty place.
    assert found.status is (SKIP if kind == "pipe" else CRIT)


def test_nothing_at_all_is_skipped_unless_a_credential_is_required() -> None:
    facts = probed()
    assert [result.status for result in verdicts(facts).values()][:4] == [SKIP] * 4
    required = Settings.model_validate({"credentials": {"required": True}})
    assert verdicts(facts, required)["CRD-03"].status is CRIT
    assert PROBE.summarise(facts).startswith("no credential")


# -- claims ----------------------------------------------------------------------------------------------------


def raw(claims: Any, header: Any = None) -> str:
    parts = [header or {"alg": "ES256"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


NOW = int(time.time())
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not a token", "RFC 6750"),
        ("gärbage", "RFC 6750"),
        ("opaque-but-legal", "no JSON Web Token"),
        ("a.b.c", "header are not JSON"),
        ("e30.!!!.c", "RFC 6750"),
        ("e30.x.c", "claims are not JSON"),
        ("e30.W10.c", "claims are not a JSON object"),
        ("W10.e30.c", "header are not a JSON object"),
        ("e30.e30.c", "no claim exp"),
        (raw({"exp": "soon"}), "exp is no date"),
        (raw({"exp": True}), "exp is no date"),
        (raw({"exp": 1e300}), "exp is no date"),
        (raw({"exp": float("nan")}), "exp is no date"),
        (raw({"exp": -1}), "exp is no date"),
        pytest.param(raw({"exp": NOW, "nbf": []}), "nbf is no date", id="nbf"),
        ("x" * 70_000, "more than any header field"),
    ],
)
def test_a_malformed_token_is_critical_and_named(
    monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setenv("BEARER_TOKEN", text)
    facts = probed()
    found = verdicts(facts)
    assert (found["CRD-03"].status, said in found["CRD-03"].summary) == (CRIT, True), found["CRD-03"].summary
    assert "unset BEARER_TOKEN" in (found["CRD-03"].hint or "")
    assert PROBE.summarise(facts).startswith("bad token")


LOCAL = {"xrootd": {"local_urls": ["root://door.example:1094"]}}
STRICT = {"credentials": {"audiences": ["https://storage.example"]}}


@pytest.mark.parametrize(
    ("made", "chosen", "status", "said"),
    [
        ({}, {}, OK, "token valid for 60 min"),
        ({}, LOCAL, OK, "valid"),
        ({"expires_in_s": -300}, {}, CRIT, "expired 5 min ago"),
        ({"expires_in_s": 300}, {}, WARN, "5 min only"),
        ({"expires_in_s": 7 * HOUR}, {}, WARN, "lives 7.0 h"),
        ({"valid_in_s": 600}, {}, CRIT, "clock is behind by 10 min"),
        ({"issued_ago_s": -600, "valid_in_s": None}, {}, CRIT, "clock is behind by 10 min"),
        ({"valid_in_s": 30, "issued_ago_s": -30}, {}, OK, "valid"),
        ({"aud": "https://elsewhere.example"}, {}, OK, "valid"),
        (
            {"aud": "https://elsewhere.example"},
            LOCAL,
            WARN,
            "wrong audience: it is for https://elsewhere.example",
        ),
        ({"aud": "roots://door.example:1094"}, LOCAL, OK, "valid"),
        ({"aud": "door.example:1094"}, LOCAL, OK, "valid"),
        ({"aud": ["https://a.example", "DOOR.example"]}, LOCAL, OK, "valid"),
        ({"aud": "https://door.example"}, STRICT, CRIT, "the site's storage takes https://storage.example"),
        ({"aud": "https://storage.example"}, STRICT, OK, "valid"),
        ({"aud": None}, STRICT, CRIT, "it is for none"),
        ({"aud": "http://[bad"}, LOCAL, WARN, "wrong audience"),
        ({"scope": "storage.create:/ compute.read"}, {}, WARN, "does not allow to read"),
        ({"scope": None}, {}, WARN, "no scope"),
        ({"scope": "storage.read:/other"}, {}, WARN, "below /other"),
        ({"scope": "storage.read:/sto"}, {}, WARN, "below /sto"),
        ({"scope": "storage.read:/store"}, {}, OK, "valid"),
        ({"scope": "storage.read:/store/"}, {}, OK, "valid"),
        ({"scope": "storage.stage:/"}, {}, OK, "valid"),
        ({"scope": None, "claims": {"wlcg.groups": ["/cms"]}}, {}, OK, "valid"),
        ({"claims": {"wlcg.groups": ["/cms/" + "x" * 99] * 30}}, {}, WARN, "more than XRootD takes"),
        ({"claims": {"jti": None, "wlcg.ver": None}}, {}, WARN, "lacks wlcg.ver, jti"),
    ],
)
def test_each_fault_of_a_token_is_named(
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    made: dict[str, Any],
    chosen: dict[str, Any],
    status: Status,
    said: str,
) -> None:
    more = dict(made)
    if more.get("valid_in_s", 0) is None:
        more = {**more, "valid_in_s": 0, "claims": {"nbf": None}}
    monkeypatch.setenv("BEARER_TOKEN", issuer.token(**more))
    wanted = Settings.model_validate(chosen)
    found = verdicts(probed(wanted), wanted)["CRD-03"]
    assert (found.status, said in found.summary) == (status, True), found.summary


def test_the_sites_doors_come_from_siteconf(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEARER_TOKEN", issuer.token(aud="https://elsewhere.example"))
    wanted = Settings.model_validate({"siteconf": {"path": str(write(tmp_path / "T2_XX_Test"))}})
    facts = probed(wanted)
    assert facts.storage_hosts == ("door.example",)
    assert "door.example" in verdicts(facts, wanted)["CRD-03"].summary


def test_the_network_probes_clock_is_named_beside_a_token_of_the_future(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEARER_TOKEN", issuer.token(valid_in_s=600))
    names = {name: None for name in NetworkFacts.model_fields if name != "absent"}
    network = NetworkFacts.model_validate(
        {
            **names,
            "clock_skew_s": -601.0,
            "absent": {name: "not asked" for name in names if name != "clock_skew_s"},
        }
    )
    found = verdicts(probed(), others={"network": network})["CRD-03"]
    assert any("-601 s off" in line for line in found.evidence)


# -- the file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        (0o600, OK, "private"),
        (0o400, OK, "private"),
        (0o644, CRIT, "XRootD silently ignores it"),
        (0o640, CRIT, "XRootD silently ignores it"),
        (0o604, CRIT, "XRootD silently ignores it"),
        (0o622, CRIT, "silently ignores"),
    ],
)
def test_who_else_may_read_the_token_file(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, status: Status, said: str
) -> None:
    path = token_file(tmp_path, issuer.token(), mode)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
    found = verdicts(probed())["CRD-04"]
    assert (found.status, said in found.summary) == (status, True), found.summary
    assert found.value == f"{mode:04o}"


def test_a_token_file_of_somebody_else(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(token_file(tmp_path, issuer.token())))
    found = verdicts(probed())["CRD-04"]
    assert (found.status, "belongs to another user" in found.summary) == (WARN, True)


def test_a_token_in_a_variable_has_no_file(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEARER_TOKEN", issuer.token())
    assert verdicts(probed())["CRD-04"].status is SKIP


# -- the proxy, judged -----------------------------------------------------------------------------------------

CMS = VomsFacts(vo="cms", fqans=("/cms/Role=NULL",), valid_in_s=-300.0, expires_in_s=12 * HOUR)


def proxy(**more: Any) -> CredentialsFacts:
    about = {
        "source": "X509_USER_PROXY",
        "file": {"path": "/run/proxy", "mode": "0600", "own": True},
        "kind": "rfc3820",
        "certificates": 2,
        "key_bits": 2048,
        "key_fits": True,
        "valid_in_s": -300.0,
        "expires_in_s": 24 * HOUR,
        "voms": [CMS.model_dump()],
        **more,
    }
    absent = {"token": "none", "authorities": "none"}
    return CredentialsFacts(
        token=None, proxy=ProxyFacts.model_validate(about), authorities=None, absent=absent
    )


def file(mode: str = "0600", *, own: bool = True) -> dict[str, Any]:
    return {"path": "/run/proxy", "mode": mode, "own": own}


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({}, OK, "valid for 24.0 h, 2048 bits"),
        ({"expires_in_s": 5 * HOUR}, WARN, "5.0 h only"),
        ({"expires_in_s": -60.0}, CRIT, "expired 60 s ago"),
        ({"valid_in_s": 600.0}, CRIT, "clock is behind"),
        ({"valid_in_s": 30.0}, OK, "valid"),
        ({"kind": "other"}, CRIT, "before RFC 3820"),
        ({"kind": "none"}, CRIT, "no proxy"),
        ({"key_fits": None}, CRIT, "no readable private key"),
        ({"key_fits": False}, CRIT, "another certificate"),
        ({"problem": "X509_USER_PROXY names /gone, which does not exist"}, CRIT, "does not exist"),
        ({"file": file("0644")}, CRIT, "Globus clients refuse it"),
        ({"file": file("0610")}, CRIT, "mode 0610"),
        ({"expires_in_s": None}, CRIT, "no dates"),
        ({"file": file(own=False)}, WARN, "another user"),
    ],
)
def test_each_fault_of_a_proxy_is_named(more: dict[str, Any], status: Status, said: str) -> None:
    found = verdicts(proxy(**more))["CRD-01"]
    assert (found.status, said in found.summary) == (status, True), found.summary


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({}, OK, "/cms/Role=NULL for 12.0 h"),
        ({"voms": []}, WARN, "no VOMS attributes"),
        ({"voms": [CMS.model_copy(update={"vo": "atlas"})]}, WARN, "are of atlas, not of cms"),
        (
            {"voms": [CMS.model_copy(update={"expires_in_s": -60.0})]},
            WARN,
            "expired 60 s ago, before the proxy",
        ),
        ({"voms": [CMS.model_copy(update={"expires_in_s": 1800.0})]}, WARN, "30 min only"),
        ({"voms": [CMS.model_copy(update={"valid_in_s": 600.0})]}, WARN, "clock is behind"),
        ({"voms": [CMS.model_copy(update={"fqans": ()})]}, WARN, "name no group"),
        ({"voms": [], "voms_problem": "the VOMS extension is cut short"}, WARN, "cut short"),
        ({"problem": "it holds no certificate"}, SKIP, "CRD-01"),
    ],
)
def test_each_fault_of_voms_attributes_is_named(more: dict[str, Any], status: Status, said: str) -> None:
    more = {
        name: [one.model_dump() for one in value] if name == "voms" else value for name, value in more.items()
    }
    found = verdicts(proxy(**more))["CRD-02"]
    assert (found.status, said in found.summary) == (status, True), found.summary


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_proxy_file_without_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "proxy").write_bytes(content)
    monkeypatch.setenv("X509_USER_PROXY", str(tmp_path / "proxy"))
    assert verdicts(probed())["CRD-01"].status is CRIT


def test_a_named_proxy_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X509_USER_PROXY", str(tmp_path / "gone"))
    found = verdicts(probed())["CRD-01"]
    assert (found.status, "X509_USER_PROXY names" in found.summary) == (CRIT, True)


# -- authorities -----------------------------------------------------------------------------------------------


def test_a_directory_of_authorities_that_is_named_but_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X509_CERT_DIR", str(tmp_path / "gone"))
    found = verdicts(probed())["CRD-05"]
    assert (found.status, "cannot be read" in found.summary) == (CRIT, True)


def test_an_empty_directory_of_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X509_CERT_DIR", str(tmp_path))
    found = verdicts(probed())["CRD-05"]
    assert (found.status, "no authority in" in found.summary) == (CRIT, True)


def test_the_grids_authorities_come_before_the_systems(tmp_path: Path) -> None:
    pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    system = tmp_path / "etc/ssl/certs/ca-certificates.crt"
    system.parent.mkdir(parents=True)
    system.write_bytes(pem * 3)
    host = Host(LiveDoor(str(tmp_path)))
    facts = probed(host=host)
    assert facts.absent["token"].startswith("credentials are this process's own")
    found = verdicts(facts)["CRD-05"]
    assert (found.status, found.value, "only the system's" in found.summary) == (WARN, 3, True)
    grid = tmp_path / GRID_AUTHORITIES.lstrip("/")
    grid.mkdir(parents=True)
    (grid / "igtf.pem").write_bytes(pem)
    (grid / "0123abcd.0").symlink_to("igtf.pem")
    (grid / "89abcdef.0").symlink_to(f"{GRID_AUTHORITIES}/igtf.pem")  # absolute: inside the other root
    (grid / "deadbeef.0").symlink_to("gone")
    facts = probed(host=host)
    assert facts.authorities is not None
    assert (facts.authorities.origin, facts.authorities.certificates) == ("grid default", 1)
    assert facts.authorities.unreadable == ("deadbeef.0",)


def test_no_authorities_at_all(tmp_path: Path) -> None:
    facts = probed(host=Host(LiveDoor(str(tmp_path))))
    assert facts.authorities is None
    assert verdicts(facts)["CRD-05"].status is CRIT


class Offline(LiveDoor):
    """This machine, cut off."""

    def ask(self, kind: str, args: list[Any]) -> Any:
        assert kind not in ("resolve", "connect", "tls", "http", "fetch", "drain"), f"{kind} was asked"
        return super().ask(kind, args)


def test_no_connection_is_opened(issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEARER_TOKEN", issuer.token())
    wanted = Settings.model_validate({"siteconf": {"path": str(write(tmp_path / "T2_XX_Test"))}})
    for profile in ("standard", "no-outbound"):
        facts = probed(wanted.model_copy(update={"site_profile": profile}), Host(Offline()))
        assert verdicts(facts, wanted)["CRD-03"].status is OK


# -- secrets ---------------------------------------------------------------------------------------------------


def test_a_recording_holds_dates_and_scopes_but_no_secret_and_replays(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = issuer.token(claims={"sub": "d00db33f-alice", "email": "alice@example.org", "name": "Alice"})
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(token_file(tmp_path, text)))
    begin(tmp_path / "recording")
    door = RecordingDoor(LiveDoor(), tmp_path / "recording", "credentials", Redactor({}, b"k"))
    live = probed(host=Host(door))
    door.close()
    finish(tmp_path / "recording", agent_version="0", created_at="2026-01-01T00:00:00Z", redacted=True)
    kept = "".join(path.read_text() for path in (tmp_path / "recording").rglob("*.json*"))
    told = live.model_dump_json() + "".join(one.model_dump_json() for one in verdicts(live).values())
    assert "storage.read:/" in kept
    for secret in (*text.split("."), "d00db33f", "alice@example.org", "Alice"):
        assert secret not in kept
        assert secret not in told
    assert probed(host=Host(ReplayDoor(Recording(tmp_path / "recording"), "credentials"))) == live


@pytest.mark.parametrize("kind", ["token", "x509", "authorities"])
@pytest.mark.parametrize("answer", [{}, [], ["x"], "text", [None] * 16, [1] * 14])
def test_a_damaged_recording_is_an_error_of_the_host(tmp_path: Path, kind: str, answer: Any) -> None:
    args = ["/etc/grid-security/certificates"] if kind == "authorities" else []
    manifest = {"recording_version": "1.0", "agent_version": "0", "created_at": "2026-01-01T00:00:00Z"}
    (tmp_path / "recording.json").write_text(json.dumps(manifest))
    (tmp_path / "answers.jsonl").write_text(json.dumps({"ask": kind, "args": args, "answer": answer}) + "\n")
    host = Host(ReplayDoor(Recording(tmp_path), "credentials"))
    ask = {"token": host.token, "x509": host.proxy, "authorities": lambda: host.authorities(*args)}[kind]
    with pytest.raises(HostError):
        ask()


CLAIM = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.lists(st.text(max_size=4), max_size=3)
)
CLAIMS = st.dictionaries(
    st.sampled_from(["exp", "nbf", "iat", "aud", "iss", "scope", "wlcg.groups", "wlcg.ver", "sub"]), CLAIM
).map(lambda claims: {"exp": NOW + DAY, **claims})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40) | CLAIMS.map(raw)
)
def test_any_token_gives_facts_and_verdicts(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BEARER_TOKEN", text)
    chosen = Settings.model_validate({**LOCAL, "siteconf": {"path": "/nowhere"}})
    verdicts(probed(chosen), chosen)


GOOD_ANSWERS: dict[str, list[Any]] = {
    "token": [
        "BEARER_TOKEN_FILE", "/run/token", 0o600, 1000, 700, None, "ES256", "https://issuer.example", ["any"],
        ["storage.read:/"], [], "1.0", NOW + HOUR, NOW - 5.0, float(NOW), [],
    ],
    "x509": [
        "/tmp", "/tmp/x509up_u1000", 0o600, 1000, None, "rfc3820", False, 2, 2048, True, NOW - 300.0, NOW + DAY,
        [["cms", ["/cms"], NOW - 300.0, NOW + HOUR]], None,
    ],
    "authorities": [100, 100, [], [], 0, NOW + DAY, True],
}  # fmt: skip


class Told:
    """A door that tells what a recording tells, checked as a recording is checked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = {"now": float(NOW), "identity": [1000, 1000, 1000], **answers}

    def ask(self, kind: str, args: list[Any]) -> Any:
        if kind == "env":
            return "/authorities" if args == ["X509_CERT_DIR"] else None
        if kind not in self._answers:
            raise HostError("ENOTRECORDED", f"{kind} is not in the recording")
        return decode(kind, self._answers[kind])

    def observe(self, name: str, args: list[Any], live: Any) -> Any:
        raise AssertionError(name)


def test_a_good_recording_is_green() -> None:
    found = verdicts(probed(host=Host(Told(GOOD_ANSWERS))))
    assert {result.status for result in found.values()} == {OK}


def test_a_recording_of_before_these_questions_leaves_them_open() -> None:
    facts = probed(host=Host(Told({})))
    assert facts.absent["token"] == "token is not in the recording"
    assert verdicts(facts)["CRD-01"].status is SKIP


def test_authorities_in_a_mount_that_hangs_cost_only_themselves() -> None:
    class Hanging(Told):
        def ask(self, kind: str, args: list[Any]) -> Any:
            if kind == "env" and args == ["X509_CERT_DIR"]:
                return "/cvmfs/grid.cern.ch/etc/grid-security/certificates"
            if kind == "run":
                raise HostError("ETIMEDOUT", "stat: killed after 5 s")
            assert kind != "authorities", "asked although the mount hangs"
            return super().ask(kind, args)

    facts = probed(host=Host(Hanging(GOOD_ANSWERS)))
    found = verdicts(facts)
    assert [found[f"CRD-0{number}"].status for number in range(1, 6)] == [OK, OK, OK, OK, CRIT]
    assert "the mount hangs" in found["CRD-05"].summary


@given(st.sampled_from(sorted(GOOD_ANSWERS)), st.data())
def test_a_strangers_recording_gives_facts_and_verdicts(kind: str, data: st.DataObject) -> None:
    answer = list(GOOD_ANSWERS[kind])
    for place in data.draw(st.lists(st.integers(0, len(answer) - 1), min_size=1, max_size=3)):
        answer[place] = data.draw(CLAIM | st.sampled_from([1e308, -1.0, float("inf"), 2**70, "none", [[]]]))
    verdicts(probed(host=Host(Told({**GOOD_ANSWERS, kind: answer}))))
