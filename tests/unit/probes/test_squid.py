"""The squid probe without squids: its bounds, its recordings, and judgements that no lab is needed for."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probes.answers import Json
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.redact import Redactor
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from probes.squid import PROBE
from profiles.checks import CheckResult, Status
from profiles.facts.routes import Route, Step, StepOutcome
from profiles.facts.squid import ProxyFacts, SquidFacts
from tests.unit.probes.network_servers import closed_port, serving


class Forbidden:
    """A door behind which nothing may be asked."""

    def ask(self, kind: str, args: list[Json]) -> Any:
        raise AssertionError(f"{kind} {args} was asked")

    def observe(self, name: str, args: list[Json], live: Any) -> Any:
        raise AssertionError(f"{name} {args} was observed")


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """URL of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def settings(tmp_path: Path, *proxies: str, stratum_one: str, frontier: str, **squid: Any) -> Settings:
    return Settings.model_validate(
        {
            "siteconf": {"path": str(tmp_path / "no-siteconf")},
            "cvmfs": {"stratum_ones": [stratum_one], "proxies": "DIRECT"},
            "squid": {"proxies": proxies, "frontier_servers": [f"{frontier}/FrontierProd"], **squid},
        }
    )


def judged(facts: SquidFacts, chosen: Settings | None = None) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, chosen or Settings(), {}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return {result.id: result for result in results}


def recorded(chosen: Settings, tmp_path: Path) -> tuple[SquidFacts, SquidFacts]:
    """Facts of a run that is recorded, and those of its replay."""
    directory = tmp_path / "recording"
    begin(directory)
    door = RecordingDoor(LiveDoor(), directory, PROBE.name, Redactor({"localhost": "host"}, b"key"))
    live = PROBE.gather(Host(door), chosen)
    door.close()
    finish(directory, agent_version="test", created_at="now", redacted=True)
    replayed = PROBE.gather(Host(ReplayDoor(Recording(directory), PROBE.name)), chosen)
    assert isinstance(live, SquidFacts)
    assert isinstance(replayed, SquidFacts)
    return live, replayed


def test_without_a_route_out_nothing_is_opened() -> None:
    chosen = Settings(site_profile="no-outbound")
    facts = PROBE.gather(Host(Forbidden()), chosen)
    assert isinstance(facts, SquidFacts)
    assert PROBE.summarise(facts) == "not tried"
    for result in judged(facts, chosen).values():
        assert result.status is Status.SKIPPED
        assert "no-outbound" in str(result.reason)


def test_silent_proxies_and_servers_cost_no_more_than_the_budget(tmp_path: Path) -> None:
    with silent() as nobody:
        chosen = settings(
            tmp_path,
            nobody,
            nobody.replace("127.0.0.1", "localhost"),
            stratum_one=nobody,
            frontier=nobody,
            timeout_s=30.0,
            budget_s=1.0,
        )
        facts = PROBE.gather(Host(LiveDoor()), chosen)
    assert isinstance(facts, SquidFacts)
    assert len(facts.routes) == 3
    for route in facts.routes[:-1]:
        broken = route.broken
        assert broken is not None
        assert (broken.name, broken.fault) == ("manifest", "timeout")
        # The budget is what ended it, not the 30 s of one exchange.
        assert "no answer within 1 s" in str(broken.detail) or "no answer within 0." in str(broken.detail)
    assert judged(facts)["SQD-01"].status is Status.CRITICAL


def test_a_run_that_was_out_of_time_is_replayed_as_it_was(tmp_path: Path) -> None:
    with silent() as nobody:
        chosen = settings(tmp_path, nobody, stratum_one=nobody, frontier=nobody, timeout_s=9.0, budget_s=0.5)
        live, replayed = recorded(chosen, tmp_path)
    assert replayed.routes == live.routes
    assert judged(replayed) == judged(live)


def test_a_recording_gives_the_same_verdicts_and_no_address(tmp_path: Path) -> None:
    with serving(body=b"<html/>", content_type="text/html") as portal:
        url = f"http://127.0.0.1:{portal.port}"
        chosen = settings(tmp_path, url, f"http://127.0.0.1:{closed_port()}", stratum_one=url, frontier=url)
        live, replayed = recorded(chosen, tmp_path)
    assert judged(replayed) == judged(live)
    assert "127.0.0.1" not in live.model_dump_json()


def test_a_proxy_with_a_password_is_refused_and_not_shown(tmp_path: Path) -> None:
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}"
        chosen = settings(tmp_path, "http://user:hunter2@squid:3128", stratum_one=url, frontier=url)
        facts = PROBE.gather(Host(LiveDoor()), chosen)
    assert isinstance(facts, SquidFacts)
    assert facts.proxies == ()
    assert "hunter2" not in facts.model_dump_json()


# -- judged like SAM ------------------------------------------------------------------------------------------------


def proxy(name: str, group: int, role: str = "site", *, for_frontier: bool = True) -> ProxyFacts:
    return ProxyFacts.model_validate(
        {"name": name, "role": role, "group": group, "for_frontier": for_frontier, "origin": "test"}
    )


def way(via: str, *, frontier: StepOutcome) -> Route:
    good = [Step(name=name, outcome="ok") for name in ("resolve", "connect", "manifest", "cache")]
    fault = "timeout" if frontier == "failed" else None
    last = Step(name="frontier", outcome=frontier, fault=fault, detail="no answer" if fault else None)
    return Route(subject="cms.cern.ch", target="s1:80", via=via, steps=(*good, last))


SITE = (proxy("a:1", 1), proxy("b:1", 2), proxy("backup:1", 3, "backup"), proxy("c:1", 4, for_frontier=False))


@pytest.mark.parametrize(
    ("answering", "status", "text"),
    [
        ({"a:1", "b:1", "backup:1", "c:1", "direct"}, Status.OK, "through a:1"),
        ({"a:1"}, Status.OK, "through a:1"),
        ({"b:1", "direct"}, Status.WARNING, "only after fail-over, through b:1; a:1: no answer"),
        ({"backup:1", "direct"}, Status.CRITICAL, "only through the backup proxy backup:1; a:1: no answer"),
        ({"c:1", "direct"}, Status.CRITICAL, "only directly; a:1: no answer"),
        ({"direct"}, Status.CRITICAL, "only directly; a:1: no answer"),
        (set(), Status.CRITICAL, "by no way: no answer"),
    ],
)
def test_frontier_is_judged_like_sam(answering: set[str], status: Status, text: str) -> None:
    names = [*(member.name for member in SITE), "direct"]
    routes = tuple(way(name, frontier="ok" if name in answering else "failed") for name in names)
    found = judged(SquidFacts(proxies=SITE, routes=routes, origin="test", servers=()))["SQD-04"]
    assert (found.status, text in found.summary) == (status, True), found


@pytest.mark.parametrize(
    ("members", "status", "count"),
    [
        (SITE, Status.OK, 3),
        (SITE[1:3], Status.WARNING, 1),
        (SITE[2:3], Status.WARNING, 0),
        ((), Status.WARNING, 0),
    ],
)
def test_backups_are_not_proxies_of_the_site(
    members: tuple[ProxyFacts, ...], status: Status, count: int
) -> None:
    found = judged(SquidFacts(proxies=members, origin="test", servers=()))["SQD-03"]
    assert (found.status, found.value) == (status, count)
