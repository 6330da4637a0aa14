"""Each fault of a token or a proxy has its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from profiles.checks import Status
from tests.integration.xrootd.asking import (
    Asked,
    asking,
    compute_only,
    expired,
    garbage,
    readable_for_others,
    text_of,
    token_of,
    wrong_audience,
    wrong_scope,
)
from tests.lab.xrootd import Server, XrootdLab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("xrootd")]


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
