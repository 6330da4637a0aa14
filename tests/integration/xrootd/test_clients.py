"""With the commands or the bare protocol in place of the bindings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from probes import live_xrootd_clients
from profiles.checks import Status
from tests.integration.xrootd.asking import (
    MISSING,
    Asked,
    asking,
    expired,
    readable_for_others,
    text_of,
    token_of,
    wrong_scope,
)
from tests.lab.xrootd import Cluster, Server, XrootdLab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("xrootd")]


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
