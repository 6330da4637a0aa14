"""The directory of the grid's authorities; none of it opens a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from probes.credentials.gather import GRID_AUTHORITIES
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from tests.lab.tokens import Issuer
from tests.unit.probes.credentials.asking import CRIT, OK, WARN, probed, verdicts
from tests.unit.probes.siteconf_tree import write


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
