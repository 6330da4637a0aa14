"""What a token claims and how its file lies there: each fault is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from probes.credentials import PROBE
from probes.settings import Settings
from profiles.checks import Status
from profiles.facts.network import NetworkFacts
from tests.lab.tokens import Issuer
from tests.unit.probes.credentials.asking import (
    CRIT,
    HOUR,
    LOCAL,
    NOW,
    OK,
    SKIP,
    WARN,
    probed,
    raw,
    token_file,
    verdicts,
)
from tests.unit.probes.siteconf_tree import write


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
