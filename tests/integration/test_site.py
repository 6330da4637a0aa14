"""A whole healthy site on loopback is green, and its recording says the same on any machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.engine import Engine
from tests.lab.site import NAME, REPOSITORY, Site, running

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("containers")]

NOBODY = 65534
REMOTE = ("network", "siteconf", "credentials", "squid", "cvmfs", "xrootd", "webdav")
NOT_APPLICABLE = {
    "NET-03": "loopback has one family here",
    "NET-06": "no URL is configured for it",
    "CFG-04": "no central hash is configured",
    "CRD-01": "a token is enough",
    "CRD-02": "a token is enough",
    "CVH-07": "geo order is asked only where it is wanted",
    "CVM-02": "no client is installed beside the mount",
    "CVM-08": "the client's process is not visible",
    "STO-01": "nothing is written unless asked for",
}
"""What may be skipped at this site, and why."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    try:
        manager = running(directory)
        started = manager.__enter__()
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    try:
        yield started
    finally:
        manager.__exit__(None, None, None)


def agent(site: Site, *arguments: str, inside: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-m", "agent", "probe", *arguments, "--config", str(site.configuration)]
    return subprocess.run(
        [*(site.inside if inside else ()), *command],
        env=dict(site.environment),
        capture_output=True,
        text=True,
        timeout=120,
    )


def verdicts(profile: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["status"] for check in profile["checks"]}


def test_everything_is_green(site: Site) -> None:
    done = agent(site, *REMOTE, "--json")
    profile = json.loads(done.stdout)
    found = verdicts(profile)
    assert {name: found[name] for name in found if found[name] not in ("OK", "SKIPPED")} == {}
    assert {name for name in found if found[name] == "SKIPPED"} <= set(NOT_APPLICABLE)
    assert done.returncode == 0
    assert profile["site"]["name"] == NAME
    assert profile["limits"]["partial"] is False


def test_the_route_table_shows_every_way(site: Site) -> None:
    screen = agent(site, "cvmfs", "xrootd", "--verbose").stdout
    assert REPOSITORY in screen
    for stratum_one in site.stratum_ones:
        for squid in site.squids:
            server, proxy = (
                url.replace("http://127.0.0.1", "localhost") for url in (stratum_one.url, squid.url)
            )
            assert any(server in line and proxy in line for line in screen.splitlines()), (server, proxy)
    assert "FAIL" not in screen


def test_an_unprivileged_container_without_a_mount_sees_the_same(
    site: Site, podman: Engine, tmp_path: Path
) -> None:
    """Nobody's process in an image of busybox: no privileges, no client software, no /cvmfs."""
    token = tmp_path / "token"
    token.write_text(site.lab.issuer.token())
    token.chmod(0o600)
    os.chown(token, NOBODY, NOBODY)
    tmp_path.chmod(0o755)
    # All of the node but its mount.
    names = ("agent.toml", "SITECONF", "keys")
    brought = [*(site.directory / name for name in names), site.lab.directory, tmp_path]
    done = podman.run_agent(
        podman.images.busybox,
        ["probe", *REMOTE, "--json", "--config", str(site.configuration)],
        network="host",
        extra=[
            f"--user={NOBODY}:{NOBODY}",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            *(f"--volume={path}:{path}:ro" for path in brought),
            f"--env=X509_CERT_DIR={site.environment['X509_CERT_DIR']}",
            f"--env=BEARER_TOKEN_FILE={token}",
        ],
    )
    profile = json.loads(done.stdout)
    found = verdicts(profile)
    assert {name: found[name] for name in found if found[name] in ("CRITICAL", "UNKNOWN")} == {
        "CVM-13": "CRITICAL"
    }
    assert all(
        not _broken(route) for name in ("cvmfs", "squid") for route in profile["facts"][name]["routes"]
    )
    assert profile["facts"]["xrootd"]["doors"][0]["sequential"]["read_bytes"] > 0


def test_a_recording_says_the_same_and_holds_no_secret(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "recording"
    live = json.loads(agent(site, *REMOTE, "--json", "--record", str(kept)).stdout)
    replayed = json.loads(agent(site, *REMOTE, "--json", "--replay", str(kept), inside=False).stdout)
    assert verdicts(replayed) == verdicts(live)
    assert replayed["facts"] == live["facts"]
    token = Path(site.environment["BEARER_TOKEN_FILE"]).read_text().strip()
    for text in (
        *(path.read_text() for path in kept.iterdir()),
        json.dumps(live),
    ):
        assert token not in text
        assert token.split(".")[2] not in text


def test_a_site_that_breaks_is_named_at_its_hop(site: Site) -> None:
    """One squid pauses: its routes break, the other's work, nothing is critical."""
    site.squids[0].pause()
    try:
        profile = json.loads(agent(site, "squid", "cvmfs", "--json").stdout)
    finally:
        site.squids[0].resume()
    found = verdicts(profile)
    assert found["CVH-01"] == "WARNING"
    assert found["SQD-01"] == "WARNING"
    paused = site.squids[0].url.replace("http://127.0.0.1", "localhost")
    for route in profile["facts"]["cvmfs"]["routes"]:
        assert bool(_broken(route)) is (route["via"] == paused), route


def _broken(route: dict[str, Any]) -> list[str]:
    return [step["name"] for step in route["steps"] if step["outcome"] == "failed"]
