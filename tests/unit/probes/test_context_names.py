"""The context probe: names of site and host, the time left, and what is made of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from probes import context_site
from probes.settings import Settings
from profiles.checks import Status
from profiles.facts.batch import ClaimSource, SlotClaim
from profiles.facts.context import ContextFacts, Runtime, SiteName, SiteNameSource
from tests.unit.probes.context_facts import facts_with, gathered, slot, verdict
from tests.unit.probes.slot_hosts import EXT4_ROOT

REPOSITORY = Path(__file__).parents[3]
SITECONF = '<site-local-config><site name="T2_DE_Test"><event-data/></site></site-local-config>'
LOCAL_SITECONF = "/cvmfs/cms.cern.ch/SITECONF/local/JobConfig/site-local-config.xml"


def test_three_sources_name_the_site(tmp_path: Path) -> None:
    facts = gathered(
        tmp_path,
        settings=Settings(site_name="T2_DE_Test"),
        env={"GLIDEIN_CMSSite": "T2_DE_Test"},
        files={LOCAL_SITECONF: SITECONF},
    )
    assert {(name.source.value, name.name) for name in facts.site_names} == {
        ("configuration", "T2_DE_Test"), ("GLIDEIN_CMSSite", "T2_DE_Test"), ("SITECONF", "T2_DE_Test"),
    }  # fmt: skip
    assert verdict("CTX-02", facts).status is Status.OK


def test_siteconfig_path_is_believed_before_cvmfs(tmp_path: Path) -> None:
    local = "/etc/siteconf/JobConfig/site-local-config.xml"
    files = {local: SITECONF, LOCAL_SITECONF: SITECONF.replace("DE", "FR")}
    facts = gathered(tmp_path, env={"SITECONFIG_PATH": "/etc/siteconf"}, files=files)
    assert [name.name for name in facts.site_names] == ["T2_DE_Test"]


def test_a_cvmfs_that_hangs_costs_only_the_name_of_the_site(tmp_path: Path) -> None:
    hang = ("run", [["ls", "-L", LOCAL_SITECONF]], ["ETIMEDOUT", "ls: killed after 2 s"])
    files = {LOCAL_SITECONF: SITECONF, "/proc/self/mountinfo": EXT4_ROOT}
    facts = gathered(tmp_path, files=files, errors=[hang])
    assert facts.site_names == ()
    assert facts.runtime is Runtime.NONE


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"\xff\xfe\x00",
        b"<site name='T2_DE_Test'",
        b"<a><b/></a>",
        b'<!DOCTYPE a [<!ENTITY x "T2_XX_X">]><a><site name="&x;"/></a>',
        b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;<site name="T2_DE_Test"/></a>',
        b"<a>" * 20_000,
    ],
)
def test_a_siteconf_that_is_not_plain_xml_names_nothing(xml: bytes) -> None:
    assert context_site.site_of(xml) is None


def test_sources_that_disagree_are_a_warning() -> None:
    said = (
        SiteName(name="T2_DE_Test", source=SiteNameSource.CONFIGURATION),
        SiteName(name="T2_DE_Other", source=SiteNameSource.SITECONF),
    )
    result = verdict("CTX-02", facts_with(site_names=said))
    assert result.status is Status.WARNING
    assert "T2_DE_Other" in result.summary


def test_what_the_batch_system_says_counts_and_an_osg_name_does_not() -> None:
    said = (SiteName(name="T2_DE_Test", source=SiteNameSource.CONFIGURATION),)
    cms = slot(None, SlotClaim(source=ClaimSource.HTCONDOR, site_name="T1_US_Other"))
    osg = slot(None, SlotClaim(source=ClaimSource.GLIDEIN, site_name="Some-OSG-Site"))
    assert verdict("CTX-02", facts_with(site_names=said), batch=cms).status is Status.WARNING
    assert verdict("CTX-02", facts_with(site_names=said), batch=osg).status is Status.OK


def test_a_configured_name_that_is_none_of_cms_is_a_warning() -> None:
    said = (SiteName(name="our-site", source=SiteNameSource.CONFIGURATION),)
    assert verdict("CTX-02", facts_with(site_names=said)).status is Status.WARNING
    assert verdict("CTX-02", facts_with()).status is Status.SKIPPED


# -- time left ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends_in_s", "status"),
    [(1800, Status.OK), (1799, Status.WARNING), (-5, Status.WARNING), (None, Status.SKIPPED)],
)
def test_time_left(ends_in_s: float | None, status: Status) -> None:
    result = verdict("CTX-06", facts_with(), batch=slot(ends_in_s))
    assert (result.status, result.value) == (status, ends_in_s)


def test_time_left_is_unknown_if_the_batch_probe_failed() -> None:
    assert verdict("CTX-06", facts_with()).status is Status.UNKNOWN


# -- host name ---------------------------------------------------------------------------------------------


def named(name: str, addresses: list[str], back: str | None) -> list[tuple[str, list[Any], Any]]:
    found: list[tuple[str, list[Any], Any]] = [
        ("fqdn", [], name),
        ("resolve", [name], [addresses, [], None, 0.01]),
    ]
    if back is not None:
        found.append(("run", [["getent", "hosts", addresses[0]]], [0 if back else 2, back, ""]))
    return found


@pytest.mark.parametrize(
    ("name", "addresses", "back", "status"),
    [
        ("wn7.example.org", ["192.0.2.7"], "192.0.2.7  wn7.example.org wn7\n", Status.OK),
        ("wn7.example.org", ["192.0.2.7"], "192.0.2.7  other.example.org\n", Status.WARNING),
        ("wn7.example.org", ["192.0.2.7"], "", Status.WARNING),
        ("wn7.example.org", ["192.0.2.7"], None, Status.UNKNOWN),
        ("wn7.example.org", ["127.0.1.1"], None, Status.WARNING),
        ("wn7.example.org", [], None, Status.WARNING),
        ("wn7", ["192.0.2.7"], "192.0.2.7 wn7\n", Status.WARNING),
    ],
)
def test_the_host_name_both_ways(
    tmp_path: Path, name: str, addresses: list[str], back: str | None, status: Status
) -> None:
    facts = gathered(tmp_path, answers=named(name, addresses, back))
    assert verdict("CTX-07", facts).status is status
    assert "192.0.2" not in facts.model_dump_json()
    assert "wn7" not in facts.model_dump_json()


def test_a_container_with_its_own_name_is_not_asked_for_one() -> None:
    facts = facts_with(runtime=Runtime.DOCKER, name_is_qualified=False)
    assert verdict("CTX-07", facts).status is Status.SKIPPED
    inside = facts_with(runtime=Runtime.APPTAINER, name_is_qualified=False)
    assert verdict("CTX-07", inside).status is Status.WARNING


def test_no_resolver_is_asked_where_nothing_may_leave_the_node(tmp_path: Path) -> None:
    quiet = Settings(site_profile="no-outbound")
    facts = gathered(tmp_path, settings=quiet, answers=named("wn7.example.org", ["192.0.2.7"], ""))
    assert facts.name_resolves is None
    assert verdict("CTX-07", facts, quiet).status is Status.SKIPPED


MUTE = """
import socket, sys
mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mute.bind(("127.0.0.1", 53))
from probes.context import PROBE; from probes.host import Host; from probes.live import LiveDoor
from probes.settings import Settings
print(PROBE.gather(Host(LiveDoor()), Settings()).model_dump_json())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a name server of our own needs root and its own namespaces")
def test_a_name_server_that_never_answers_costs_only_the_name(tmp_path: Path) -> None:
    """The resolver's own patience is longer than the probe's deadline."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    set_up = "hostname wn7.example.org; ip link set lo up"
    for name in ("resolv.conf", "hosts"):
        set_up += f"; mount --bind '{tmp_path}/{name}' /etc/{name}"
    done = subprocess.run(
        ["unshare", "-mnu", "sh", "-ec", f'{set_up}; exec "$@"', "sh", sys.executable, "-c", MUTE],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0 and ("unshare" in done.stderr or "ip:" in done.stderr):
        pytest.skip(f"no network namespace can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    facts = ContextFacts.model_validate_json(done.stdout)
    assert facts.name_resolves is None
    assert "did not answer" in facts.absent["name_resolves"]
    assert facts.os_id is not None
    assert verdict("CTX-07", facts).status is Status.UNKNOWN
