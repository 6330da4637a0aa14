"""Which doors are asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from probes.sitelocal import read_site
from probes.xrootd.doors import chosen, parsed
from profiles.checks import Status
from tests.unit.probes.xrootd.asking import LFN, Forbidden, probed, verdicts


def test_nothing_is_opened_where_there_is_no_way_out() -> None:
    facts = probed(Settings(site_profile="no-outbound"), Host(Forbidden()))
    assert {result.status for result in verdicts(facts).values()} == {Status.SKIPPED}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("root://door.example", ("door.example", 1094, False, "/")),
        ("root://door.example:1095//store/x", ("door.example", 1095, False, "/store/x")),
        ("roots://door.example/store/x", ("door.example", 1094, True, "/store/x")),
        ("xroot://[2001:db8::1]:1096//", ("2001:db8::1", 1096, False, "/")),
    ],
)
def test_the_parts_of_a_url(url: str, expected: tuple[str, int, bool, str]) -> None:
    door = parsed(url, "local", None, "test")
    assert door is not None
    assert (door.host, door.port, door.secure, door.path) == expected


@pytest.mark.parametrize(
    "url", ["file:///store/x", "root://", "root://door:port/x", "davs://door.example/x", "", "root://[::1"]
)
def test_what_is_no_url_of_a_door(url: str) -> None:
    assert parsed(url, "local", None, "test") is None


def test_an_address_in_the_configuration_does_not_come_into_the_facts() -> None:
    door = parsed("root://127.0.0.1:1094", "local", LFN, "test")
    assert door is not None
    assert door.target == "(address):1094"


SITE_LOCAL = """<site-local-config><site name="T2_XX_Test"><data-access>
<catalog site="T2_XX_Test" volume="disk" protocol="XRootD"/>
<catalog site="T1_XX_Big" volume="Federation" protocol="XRootD"/>
</data-access></site></site-local-config>"""


def storage(site: str, volume: str, prefix: str) -> str:
    return json.dumps(
        [
            {
                "site": site,
                "volume": volume,
                "protocols": [{"protocol": "XRootD", "access": "site-ro", "prefix": prefix}],
            }
        ]
    )


def test_the_doors_of_siteconf_and_of_where_it_falls_back_to(tmp_path: Path) -> None:
    own, other = tmp_path / "T2_XX_Test", tmp_path / "T1_XX_Big"
    (own / "JobConfig").mkdir(parents=True)
    other.mkdir()
    (own / "JobConfig" / "site-local-config.xml").write_text(SITE_LOCAL)
    (own / "storage.json").write_text(storage("T2_XX_Test", "disk", "root://door.example:1095//pnfs"))
    (other / "storage.json").write_text(storage("T1_XX_Big", "Federation", "root://redirector.example/"))
    wanted = Settings.model_validate(
        {
            "siteconf": {"path": str(own), "test_lfn": LFN},
            "xrootd": {"redirectors": ["root://global.example"], "federation_lfn": "/store/fed.root"},
        }
    )
    doors = chosen(wanted, read_site(Host(LiveDoor()), wanted))
    assert [(door.kind, door.host, door.port, door.path) for door in doors] == [
        ("local", "door.example", 1095, f"/pnfs{LFN}"),
        ("redirector", "redirector.example", 1094, "/store/fed.root"),
        ("redirector", "global.example", 1094, "/store/fed.root"),
    ]
