"""Recordings hold no secret, and one of a stranger gives facts and verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes.errors import HostError
from probes.host import Host
from probes.live import LiveDoor
from probes.recorded_answers import decode
from probes.recording import RecordingDoor, begin, finish
from probes.redact import Redactor
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from tests.lab.tokens import Issuer
from tests.unit.probes.credentials.asking import (
    CRIT,
    DAY,
    HOUR,
    LOCAL,
    NOW,
    OK,
    SKIP,
    probed,
    raw,
    token_file,
    verdicts,
)


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


@pytest.mark.slow
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
