"""The agent on one side of a wire, real servers on the other: far away, lossy, cut, black-holed, half dead, out of time."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from probes.registry import builtin_probes
from profiles.checks import Status
from profiles.facts.network import Family
from profiles.facts.routes import Route, Step
from profiles.facts.webdav import WebdavDoor
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.lab import LabUnavailableError, links, need_commands, skip_or_fail
from tests.lab.davserver import FILE, FILE_BYTES, DavServer, serving
from tests.lab.links import DEAD_6, FAR, FAR_6, Link, Namespace
from tests.lab.profiles import check, complete_profile

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("links")]

# pytest finds fixtures by the names of the module.
link = links.link

DOOR = "door.lab"
ONE_WAY_S = 0.025


@pytest.fixture
def door(link: Link) -> Iterator[DavServer]:
    """A WebDAV door on the far side, by the name DOOR over both families."""
    link.near.names({DOOR: [FAR, FAR_6]})
    with contextlib.ExitStack() as held:
        try:
            yield held.enter_context(serving(inside=link.far))
        except LabUnavailableError as reason:
            skip_or_fail(reason)


def settings(port: int, **more: dict[str, Any]) -> dict[str, Any]:
    """What the agent is told to try: one endpoint and one door."""
    endpoints = [{"name": "far", "host": DOOR, "port": port, "essential": True}]
    return {
        "network": {"endpoints": endpoints},
        "webdav": {"urls": [f"http://{DOOR}:{port}{FILE}"], "timeout_s": 20, **more.pop("webdav", {})},
        **more,
    }


def probed(
    inside: Namespace, told: dict[str, Any], directory: Path, *names: str, before: tuple[str, ...] = ()
) -> str:
    """What `agent probe --json` prints in a namespace."""
    config = directory / "agent.toml"
    config.write_text(_toml(told))
    agent = (sys.executable, "-m", "agent", "probe", "--json", "--quiet", "--config", str(config), *names)
    done = inside.run(*before, *agent, limit_s=180)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def _toml(tables: dict[str, Any]) -> str:
    """TOML of values and of one level of tables; JSON's scalars and arrays are TOML's, but for inline tables."""
    lines = [f"{key} = {_value(value)}" for key, value in tables.items() if not isinstance(value, dict)]
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)


def webdav(profile: CapabilityProfile) -> tuple[WebdavDoor, Route, dict[str, Step]]:
    """The one door, its route, and the route's steps by name."""
    facts = profile.facts.webdav
    assert facts is not None
    (one,), (route,) = facts.doors or (), facts.routes or ()
    return one, route, {step.name: step for step in route.steps}


def test_a_server_far_away_works_and_its_distance_is_seen(
    link: Link, door: DavServer, tmp_path: Path
) -> None:
    link.delay(ONE_WAY_S)

    profile = complete_profile(probed(link.near, settings(door.port), tmp_path, "network", "webdav"))

    assert check(profile, "NET-02").status is Status.OK
    assert check(profile, "NET-03").status is Status.OK
    assert profile.facts.network is not None
    (endpoint,) = profile.facts.network.endpoints or ()
    assert {attempt.family: attempt.works for attempt in endpoint.attempts} == dict.fromkeys(Family, True)
    assert all((attempt.connect_s or 0) >= 2 * ONE_WAY_S for attempt in endpoint.attempts), endpoint
    seen, route, steps = webdav(profile)
    assert route.works, route
    assert seen.read_bytes == FILE_BYTES
    assert (steps["connect"].duration_s or 0) >= 2 * ONE_WAY_S
    # One way to connect, one to ask and one to be answered, and the acknowledgement in between.
    assert (seen.first_byte_s or 0) >= 4 * ONE_WAY_S


def test_a_lossy_wire_is_slow_but_works(link: Link, door: DavServer, tmp_path: Path) -> None:
    link.lose(one_in=25)

    profile = complete_profile(probed(link.near, settings(door.port), tmp_path, "network", "webdav"))

    seen, route, _ = webdav(profile)
    assert check(profile, "NET-02").status is Status.OK
    assert route.works, route
    assert seen.read_adler32 == seen.digest_adler32


def test_a_thin_wire_shows_as_a_low_rate(link: Link, door: DavServer, tmp_path: Path) -> None:
    link.far.limit_rate("4mbit")

    profile = complete_profile(probed(link.near, settings(door.port), tmp_path, "webdav"))

    result = check(profile, "DAV-01")
    assert result.status is Status.WARNING, result
    assert "slow" in result.summary
    assert isinstance(result.value, int | float)
    assert result.value < 4e6 / 8


def test_a_wire_cut_in_mid_transfer_is_diagnosed(link: Link, door: DavServer, tmp_path: Path) -> None:
    link.swallow(after_bytes=500_000)
    told = settings(door.port, webdav={"timeout_s": 4})

    profile = complete_profile(probed(link.near, told, tmp_path, "webdav"))

    seen, route, steps = webdav(profile)
    assert steps["range"].outcome == "ok", route
    assert route.broken is not None
    assert (route.broken.name, route.broken.fault) == ("read", "too-slow"), route
    assert 0 < (seen.read_bytes or 0) < FILE_BYTES
    assert check(profile, "DAV-01").status is Status.CRITICAL
    assert f"fails at read: {seen.read_bytes} bytes came" in check(profile, "DAV-01").summary


def test_a_wire_that_is_gone_is_no_route(link: Link, door: DavServer, tmp_path: Path) -> None:
    link.cut()

    profile = complete_profile(probed(link.near, settings(door.port), tmp_path, "network", "webdav"))

    _, route, _ = webdav(profile)
    assert route.broken is not None
    assert (route.broken.name, route.broken.fault) == ("connect", "connect")
    assert "unreachable" in (route.broken.detail or "").lower()
    assert check(profile, "NET-02").status is Status.CRITICAL
    assert check(profile, "DAV-01").status is Status.CRITICAL


def test_a_black_hole_ends_with_facts_for_every_route(link: Link, door: DavServer, tmp_path: Path) -> None:
    link.swallow()
    told = settings(door.port, webdav={"timeout_s": 2})
    told["webdav"]["urls"] += [f"davs://{DOOR}:{door.port + offset}{FILE}" for offset in (1, 2)]

    profile = complete_profile(probed(link.near, told, tmp_path, "network", "webdav"))

    assert profile.facts.webdav is not None
    routes = profile.facts.webdav.routes or ()
    assert [(route.broken.name, route.broken.fault) for route in routes if route.broken] == (
        [("connect", "timeout")] * 3
    )
    assert check(profile, "NET-02").status is Status.CRITICAL
    assert check(profile, "DAV-01").status is Status.CRITICAL
    assert "firewall" in (check(profile, "DAV-01").hint or "")


def test_a_firewall_that_drops_is_a_time_out_and_not_a_refusal(
    link: Link, door: DavServer, tmp_path: Path
) -> None:
    try:
        link.far.drop("-p", "tcp", "--dport", str(door.port))
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    link.near.names({DOOR: [FAR]})

    told = settings(door.port, webdav={"timeout_s": 3})
    dropped = complete_profile(probed(link.near, told, tmp_path, "webdav"))
    refused = complete_profile(probed(link.near, settings(door.port + 1), tmp_path, "webdav"))

    faults = [webdav(profile)[1].broken for profile in (dropped, refused)]
    assert [step.fault for step in faults if step] == ["timeout", "connect"]


def test_an_ipv6_address_that_is_advertised_but_dead(link: Link, door: DavServer, tmp_path: Path) -> None:
    link.near.names({DOOR: [FAR, DEAD_6]})

    profile = complete_profile(probed(link.near, settings(door.port), tmp_path, "network", "webdav"))

    families = check(profile, "NET-03")
    assert families.status is Status.WARNING, families
    assert "no endpoint is reached over IPv6, only over IPv4" in families.summary
    result = check(profile, "DAV-01")
    assert result.status is Status.WARNING, result
    assert "dead over IPv6" in result.summary
    assert webdav(profile)[1].works
    assert DEAD_6 not in profile.model_dump_json()


@contextlib.contextmanager
def telling_the_time(inside: Namespace) -> Iterator[int]:
    """The port of an HTTP server on FAR that has the right time."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = inside.call(lambda: ThreadingHTTPServer((FAR, 0), Handler))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("offset", "status", "words"),
    [("+600s", Status.CRITICAL, "ahead of"), ("-600s", Status.CRITICAL, "behind"), ("+0s", Status.OK, "clock")],
)  # fmt: skip
def test_a_clock_that_is_ten_minutes_off(
    link: Link, tmp_path: Path, offset: str, status: Status, words: str
) -> None:
    try:
        need_commands("faketime")
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    link.near.names({DOOR: [FAR]})
    with telling_the_time(link.far) as port:
        told = settings(port)
        told["network"]["endpoints"][0]["http_path"] = "/"
        fake = ("faketime", "-f", offset)
        profile = complete_profile(probed(link.near, told, tmp_path, "network", before=fake))

    result = check(profile, "CTX-03")
    assert result.status is status, result
    assert words in result.summary
    assert isinstance(result.value, int | float)
    assert round(result.value, -2) == int(offset.removesuffix("s"))


def everywhere(name: str) -> dict[str, Any]:
    """A configuration in which every endpoint that there is a setting for lies on the host `name`."""
    return {
        "budget_s": 60,
        "network": {
            "endpoints": [
                {"name": "central", "host": name, "port": 443, "tls": True, "essential": True},
                {"name": "redirector", "host": name, "port": 1094},
                {"name": "stratum", "host": name, "port": 80, "http_path": "/"},
            ],
            "throughput_url": f"http://{name}:8000/object",
            "http_proxy": f"http://{name}:3128",
        },
        "cvmfs": {
            "stratum_ones": [f"http://{name}:8000", f"http://{name}:8001"],
            "proxies": f"http://{name}:3128|http://{name}:3129;DIRECT",
            "budget_s": 6,
        },
        "squid": {
            "wpad_urls": [f"http://{name}/wpad.dat"],
            "frontier_servers": [f"http://{name}:8000/frontier"],
            "proxies": [f"http://{name}:3128", f"http://{name}:3129"],
            "budget_s": 6,
        },
        "xrootd": {
            "local_urls": [f"root://{name}:1094", f"roots://{name}:1095"],
            "redirectors": [f"root://{name}:1096", f"root://{name}:1097"],
            "budget_s": 6,
        },
        "webdav": {"urls": [f"davs://{name}:2880/f", f"http://{name}:2881/f"], "budget_s": 6},
    }


def test_everything_black_holed_still_gives_a_whole_profile(link: Link, tmp_path: Path) -> None:
    link.near.names({DOOR: [FAR, FAR_6]})
    link.swallow()

    profile = read_profile(probed(link.near, everywhere(DOOR), tmp_path).encode())

    assert profile.limits.partial is False, profile.limits
    assert profile.limits.duration_s > 0
    outside = {probe.name for probe in builtin_probes() if probe.uses_network}
    assert outside <= {run.name for run in profile.limits.probes}
    judged = [result for result in profile.checks if result.probe in outside]
    # Names come from /etc/hosts here, and how many proxies are configured needs no connection.
    local = {"NET-01", "SQD-03"}
    rules = {one.id: one.rule for probe in builtin_probes() for one in probe.checks}
    for result in judged:
        if result.id in local:
            continue
        assert result.status is not Status.OK, result
        # Some rules know nothing worse than a warning: a download or a fall-back that fails.
        assert result.status is not Status.WARNING or "CRITICAL" not in rules[result.id], result
        if result.status in (Status.UNKNOWN, Status.SKIPPED):
            assert result.reason, result
    assert {"NET-02", "NET-03", "DAV-01"} <= {
        result.id for result in judged if result.status is Status.CRITICAL
    }
