"""Roll-backs, lags and expired lists; and what is left open when time or traffic end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from profiles.checks import Status
from tests.integration.cvmfs_http.asking import CHUNKED, DAY, HOUR, NAME, Outcome
from tests.lab.cvmfs_repository import Repository, now_utc
from tests.lab.squid import Squid
from tests.lab.stratum1 import Fault, Stratum1

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs-http")]


def test_an_older_manifest_is_a_roll_back(server: Stratum1, ask: Callable[..., Outcome]) -> None:
    server.repositories = [Repository(revision=42, published_at=now_utc() - 2 * DAY)]
    old = Repository(revision=41, published_at=now_utc() - 5 * DAY)
    with Stratum1(old).serving() as other:
        outcome = ask(server.url, other.url)

    assert outcome.routes[0].verified
    assert outcome.broken(1) == ("manifest", "roll-back")
    assert outcome.status("CVH-01") is Status.WARNING
    assert "revision 41" in outcome.evidence("CVH-01")


def test_an_older_manifest_than_this_nodes_client_has_seen(
    server: Stratum1, ask: Callable[..., Outcome], tmp_path: Path
) -> None:
    server.repositories = [Repository(published_at=now_utc() - 5 * DAY)]
    memory = tmp_path / "cache" / "shared" / f"cvmfschecksum.{NAME}"
    memory.parent.mkdir(parents=True)
    memory.write_text(f"{'ab' * 20}T{int((now_utc() - 2 * DAY).timestamp())}R99")

    outcome = ask(server.url)

    assert outcome.broken() == ("manifest", "roll-back")
    assert outcome.status("CVH-01") is Status.CRITICAL


def test_an_old_manifest_in_squid_is_a_roll_back(ask: Callable[..., Outcome], open_squid: Squid) -> None:
    old = Repository(revision=41, published_at=now_utc() - 5 * DAY)
    with Stratum1(old, max_age_s=86_400).serving() as server:
        assert ask(server.url, proxies=open_squid.url).routes[0].verified
        server.repositories = [Repository(revision=42, published_at=now_utc() - 2 * DAY)]
        outcome = ask(server.url, proxies=f"{open_squid.url};DIRECT")

    assert outcome.broken(0) == ("manifest", "roll-back")
    assert "the same Stratum-1 gives revision 42 another way" in outcome.evidence("CVH-01")
    assert outcome.routes[1].verified


def test_a_stratum_one_a_week_old_lags_and_is_no_roll_back(
    server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    server.repositories = [Repository(revision=42, published_at=now_utc() - DAY)]
    week = now_utc() - 7 * DAY
    with Stratum1(Repository(revision=30, published_at=week - HOUR, snapshot_at=week)).serving() as old:
        outcome = ask(server.url, old.url)
        alone = ask(old.url)

    assert [route.verified for route in outcome.routes] == [True, True]
    assert outcome.status("CVH-01") is Status.OK
    assert outcome.status("CVH-03") is Status.WARNING
    assert "7.0 d" in outcome.results["CVH-03"].summary
    assert outcome.status("CVH-04") is Status.WARNING
    assert "revision 30" in outcome.results["CVH-04"].summary
    assert alone.status("CVH-03") is Status.CRITICAL


def test_a_whitelist_that_only_this_nodes_clock_finds_expired(ask: Callable[..., Outcome]) -> None:
    repository = Repository(expires_at=now_utc() - HOUR / 2)
    with Stratum1(repository, clock_s=-3 * 3600).serving() as server:
        outcome = ask(server.url)

    assert outcome.broken() == ("whitelist", "clock")
    assert "chronyd" in (outcome.results["CVH-01"].hint or "")
    assert outcome.status("CVH-02") is Status.CRITICAL
    assert "only by this node's clock" in outcome.results["CVH-02"].summary


def test_an_expired_whitelist_is_an_alarm_of_its_own(server: Stratum1, ask: Callable[..., Outcome]) -> None:
    server.repositories = [Repository(expires_at=now_utc() - 5 * HOUR)]
    expired = ask(server.url)
    server.repositories = [Repository(expires_at=now_utc() + 30 * HOUR)]
    soon = ask(server.url)

    assert expired.status("CVH-02") is Status.CRITICAL
    assert "has expired" in expired.results["CVH-02"].summary
    assert soon.status("CVH-01") is Status.OK
    assert soon.status("CVH-02") is Status.WARNING


def test_no_master_key_for_a_domain(server: Stratum1, ask: Callable[..., Outcome], tmp_path: Path) -> None:
    assert ask(server.url, keys_path=str(tmp_path / "none")).broken() == ("whitelist", "no-master-key")


def test_a_name_that_does_not_resolve(ask: Callable[..., Outcome]) -> None:
    assert ask("http://stratum-one.invalid:8000").broken() == ("connect", "dns")


def test_silent_servers_end_with_the_budget_and_with_facts_for_every_route(
    server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    server.faults["*"] = Fault.DRIP
    with Stratum1(Repository()).serving() as good:
        outcome = ask(server.url, good.url, timeout_s=60, budget_s=8)

    assert outcome.broken(0) == ("manifest", "too-slow")
    assert outcome.routes[1].verified


def test_the_bound_on_traffic_leaves_routes_untried_and_says_so(
    server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    files = {CHUNKED: bytes(range(256)) * 64, "/other": b"x"}
    server.repositories = [replace(Repository(), files=files)]
    with Stratum1(*server.repositories).serving() as second:
        outcome = ask(server.url, second.url, max_total_bytes=100_000)
        cut = ask(server.url, second.url, max_total_bytes=2_500)

    assert _catalogs(outcome) == ["ok", "ok"]
    assert _catalogs(cut) == ["not tried", "ok"]  # whichever was quicker leads
    reasons = [
        step.detail or "" for route in cut.routes for step in route.steps if step.outcome == "not tried"
    ]
    assert reasons
    assert all("max_total_bytes" in reason for reason in reasons)
    assert cut.status("CVH-05") is Status.OK


def _catalogs(outcome: Outcome) -> list[str]:
    return sorted(step.outcome for route in outcome.routes for step in route.steps if step.name == "catalog")


def test_a_large_catalog_is_left_alone(server: Stratum1, ask: Callable[..., Outcome]) -> None:
    outcome = ask(server.url, max_catalog_bytes=1000)

    assert outcome.status("CVH-05") is Status.OK
    assert "max_catalog_bytes" in outcome.results["CVH-05"].summary


def test_stratum_ones_that_know_no_order(server: Stratum1, ask: Callable[..., Outcome]) -> None:
    with Stratum1(*server.repositories).serving() as second:
        second.geo_answer = b""
        some = ask(server.url, second.url, geo_order=True)
        server.geo_answer = b"1,1\n"
        none = ask(server.url, second.url, geo_order=True)
        server.geo_answer = None

    assert some.status("CVH-07") is Status.WARNING
    assert none.status("CVH-07") is Status.CRITICAL
