"""A token is looked for in the places of the WLCG, in their order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from probes.credentials import PROBE
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.checks import Status
from tests.lab.tokens import Issuer
from tests.unit.probes.credentials.asking import CRIT, SKIP, probed, token_file, verdicts


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
