"""Each fault of a proxy and of its VOMS attributes is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from profiles.checks import Status
from profiles.facts.credentials import CredentialsFacts, ProxyFacts, VomsFacts
from tests.unit.probes.credentials.asking import CRIT, HOUR, OK, SKIP, WARN, probed, verdicts

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
