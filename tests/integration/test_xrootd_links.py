"""XRootD over a wire: a dead IPv6 address, a black hole, a cut in the middle of a file, a lossy way."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles.checks import Status
from profiles.facts.xrootd import XrootdFacts
from profiles.profile import CapabilityProfile
from tests.lab import LabUnavailableError, links, skip_or_fail
from tests.lab.links import DEAD_6, FAR, FAR_6, Link
from tests.lab.profiles import check, complete_profile
from tests.lab.xrootd import LFN, Server, XrootdLab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("xrootd")]

link = links.link

DOOR = "door.lab"


@pytest.fixture
def far_server(link: Link, xrootd_lab: XrootdLab) -> Iterator[Server]:
    """A healthy server on the far side, by the name DOOR over both families."""
    link.near.names({DOOR: [FAR, FAR_6]})
    with contextlib.ExitStack() as held:
        try:
            yield held.enter_context(xrootd_lab.serving("far", inside=link.far))
        except LabUnavailableError as reason:
            skip_or_fail(reason)


def probed(link: Link, server: Server, directory: Path, **more: float) -> CapabilityProfile:
    """What the agent finds out about the door from the near side."""
    told = {"connect_timeout_s": 2, "request_timeout_s": 5, "budget_s": 20, **more}
    config = directory / "agent.toml"
    config.write_text(
        f'[siteconf]\npath = "/nonexistent"\ntest_lfn = "{LFN}"\n'
        f"[xrootd]\nlocal_urls = {json.dumps([f'root://{DOOR}:{server.port}'])}\nredirectors = []\n"
        + "".join(f"{name} = {value}\n" for name, value in told.items())
    )
    agent = (sys.executable, "-m", "agent", "probe", "--json", "--quiet", "--config", str(config), "xrootd")
    done = link.near.run(*agent, limit_s=120)
    assert done.returncode in (0, 1), done.stderr
    return complete_profile(done.stdout)


def facts_of(profile: CapabilityProfile) -> XrootdFacts:
    assert profile.facts.xrootd is not None
    return profile.facts.xrootd


def test_a_lossy_way_works(link: Link, far_server: Server, tmp_path: Path) -> None:
    link.delay(0.01)
    link.lose(one_in=200)
    profile = probed(link, far_server, tmp_path)
    for check_id in ("XRD-01", "XRD-02", "XRD-03", "XRD-04"):
        assert check(profile, check_id).status is Status.OK, check(profile, check_id)
    (door,) = facts_of(profile).doors or ()
    assert all((family.connect_s or 0) >= 0.02 for family in door.families), door.families


def test_an_ipv6_address_that_is_advertised_but_dead(link: Link, far_server: Server, tmp_path: Path) -> None:
    link.near.names({DOOR: [FAR, DEAD_6]})
    profile = probed(link, far_server, tmp_path)
    result = check(profile, "XRD-01")
    assert result.status is Status.WARNING, result
    assert f"{DOOR}:{far_server.port} has IPv6 addresses and does not answer there" in result.summary
    assert DEAD_6 not in profile.model_dump_json()


def test_a_black_hole_is_a_firewall(link: Link, far_server: Server, tmp_path: Path) -> None:
    link.swallow()
    profile = probed(link, far_server, tmp_path)
    (route,) = facts_of(profile).routes or ()
    assert route.broken is not None
    assert (route.broken.name, route.broken.fault) == ("connect", "timeout")
    assert check(profile, "XRD-01").status is Status.CRITICAL
    assert "firewall" in str(check(profile, "XRD-01").hint)


def test_a_wire_that_is_cut_in_the_middle_of_the_file(link: Link, far_server: Server, tmp_path: Path) -> None:
    link.swallow(after_bytes=400_000)
    profile = probed(link, far_server, tmp_path)
    (route,) = facts_of(profile).routes or ()
    steps = {step.name: step for step in route.steps}
    assert steps["open"].outcome == "ok", route
    assert route.broken is not None
    assert (route.broken.name, route.broken.fault) == ("read", "timeout"), route
    assert check(profile, "XRD-03").status is Status.CRITICAL
    (door,) = facts_of(profile).doors or ()
    assert door.size_bytes is not None
