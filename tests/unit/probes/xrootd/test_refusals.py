"""Why a credential was refused, as far as its facts tell."""

from __future__ import annotations

from typing import Any

import pytest

from probes.judging import Judging
from probes.settings import Settings
from probes.xrootd import PROBE
from probes.xrootd.credential_clues import clues
from profiles.facts.credentials import CredentialFile, CredentialsFacts, ProxyFacts, TokenFacts
from profiles.facts.xrootd import DoorServer, XrootdDoor
from tests.unit.probes.xrootd.asking import LFN


def a_door(target: str = "door.example:1094", auth: tuple[str, ...] = ("ztn",)) -> XrootdDoor:
    server = DoorServer(protocol="5.1.1", tls_offered=True, auth=auth)
    return XrootdDoor(target=target, path=LFN, kind="local", origin="test", server=server)


def with_token(**token: Any) -> Judging:
    file = CredentialFile(path="/run/bt_u1", mode=token.pop("mode", "0600"), own=True)
    facts = TokenFacts(
        source="BEARER_TOKEN_FILE",
        file=file,
        **{
            "size_bytes": 900,
            "expires_in_s": 3000.0,
            "audiences": ("https://wlcg.cern.ch/jwt/v1/any",),
            "scopes": ("storage.read:/",),
            **token,
        },
    )
    absent = {"proxy": "there is none", "authorities": "not looked at"}
    found = CredentialsFacts(token=facts, proxy=None, authorities=None, absent=absent)
    return Judging(PROBE, Settings(), {"credentials": found})


@pytest.mark.parametrize(
    ("token", "fault", "words"),
    [
        ({"mode": "0644"}, "no-credential-accepted", "mode 0644"),
        ({"expires_in_s": -7200.0}, "no-credential-accepted", "expired 2 hours ago"),
        ({"valid_in_s": 600.0}, "no-credential-accepted", "valid only 10 minutes from now"),
        ({"problem": "it has no three parts"}, "no-credential-accepted", "is no token"),
        ({"issued_ago_s": -600.0}, "no-credential-accepted", "is this clock behind?"),
        ({"size_bytes": 5000}, "no-credential-accepted", "5000 bytes"),
        ({"audiences": ("https://other.example",)}, "denied", "audience https://other.example"),
        ({"scopes": ("compute.read",)}, "denied", "does not let anyone read"),
        ({"scopes": ("storage.read:/store/tes",)}, "denied", "does not cover"),
    ],
)
def test_what_the_token_says_about_a_refusal(token: dict[str, Any], fault: str, words: str) -> None:
    found = clues(with_token(**token), a_door(), fault)
    assert found
    assert words in found[0].text


@pytest.mark.parametrize(
    "token",
    [
        {},
        {"audiences": ("https://door.example:1094",)},
        {"audiences": ("door.example",)},
        {"audiences": ()},
        {"scopes": ("storage.read:/store",)},
        {"scopes": (f"storage.read:{LFN}",)},
        {"scopes": (), "groups": ("/cms",)},
    ],
)
def test_a_good_token_is_not_blamed(token: dict[str, Any]) -> None:
    assert clues(with_token(**token), a_door(), "denied") == []


def test_a_bad_proxy_is_named_before_a_missing_token() -> None:
    file = CredentialFile(path="/tmp/x509up_u1", mode="0600", own=True)
    proxy = ProxyFacts(source="/tmp", file=file, kind="rfc3820", expires_in_s=-86_400.0 * 3)
    found = CredentialsFacts(
        token=None,
        proxy=proxy,
        authorities=None,
        absent={"token": "none is found", "authorities": "not looked at"},
    )
    judging = Judging(PROBE, Settings(), {"credentials": found})
    texts = [clue.text for clue in clues(judging, a_door(auth=("ztn", "gsi")), "no-credential-accepted")]
    assert texts == [
        "the proxy in /tmp/x509up_u1 expired 3 days ago",
        "there is no bearer token (none is found)",
    ]


def test_an_audience_that_the_site_takes_is_not_blamed() -> None:
    chosen_settings = Settings.model_validate({"credentials": {"audiences": ["https://alias.example"]}})
    judging = with_token(audiences=("https://alias.example",))
    judging.settings = chosen_settings
    assert clues(judging, a_door(), "denied") == []


def test_without_the_facts_of_the_credentials_nothing_is_guessed() -> None:
    assert clues(Judging(PROBE, Settings(), {}), a_door(), "denied") == []
