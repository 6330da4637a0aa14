"""CVMFS over HTTP against a Stratum-1 that breaks on demand, directly and through real squids: each fault has its name."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from probes.cvmfs import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.cvmfs import CvmfsFacts, CvmfsRoute
from tests.lab.cvmfs_repository import Repository, now_utc
from tests.lab.squid import Squid
from tests.lab.stratum1 import Fault, Stratum1

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs-http")]

NAME = "lab.example.org"
CHUNKED = "/sw/el9/big.bin"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SLOW_S = 3.0
"""Time-out of one object for what never ends; all else has the time that a busy machine needs."""
ENDS_BY_TIME = (Fault.DRIP, Fault.SLOW_HEADER)


@dataclass
class Outcome:
    """What one run of the probe came to."""

    facts: CvmfsFacts
    results: dict[str, CheckResult]

    @property
    def routes(self) -> tuple[CvmfsRoute, ...]:
        assert self.facts.routes is not None
        return self.facts.routes

    def broken(self, number: int = 0) -> tuple[str, str | None]:
        """Step and class of the fault of a route."""
        step = self.routes[number].broken
        assert step is not None, self.routes[number]
        assert step.detail
        return step.name, step.fault

    def status(self, check: str) -> Status:
        return self.results[check].status

    def evidence(self, check: str) -> str:
        return "\n".join(self.results[check].evidence)


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Outcome]:
    """Runs the probe with the lab's master key on the node."""

    def probe(*urls: str, host: Host | None = None, **wanted: Any) -> Outcome:
        settings = Settings.model_validate(
            {
                "cvmfs": {
                    "http_repositories": (NAME,),
                    "stratum_ones": urls,
                    "proxies": "DIRECT",
                    "keys_path": str(Repository().keys.write(tmp_path / "keys")),
                    "cache_path": str(tmp_path / "cache"),
                    "test_paths": {NAME: CHUNKED},
                    "timeout_s": 30,
                    "budget_s": 90,
                    **wanted,
                }
            }
        )
        facts = PROBE.gather(host or Host(LiveDoor()), settings)
        given = PROBE.judge(facts, Judging(PROBE, settings, {"cvmfs": facts}))
        return Outcome(facts, {result.id: result for result in given})

    return probe


@pytest.fixture
def server() -> Iterator[Stratum1]:
    """A Stratum-1 of its own for each test: a squid would remember what another test had on the same port."""
    with Stratum1(Repository()).serving() as healthy:
        yield healthy


def catalog_of(repository: Repository, *statements: str) -> Repository:
    """The same repository with a root catalog on which somebody ran SQL; everything is signed and fits its hash."""
    database = sqlite3.connect(":memory:")
    database.deserialize(repository.root_catalog())
    database.executescript(";".join(statements))
    changed = database.serialize()
    database.close()
    return repository.with_root_catalog(changed)


# Name of the fault → the repository that is served, and what breaks on the way.
BROKEN_CHAINS: dict[str, tuple[Callable[[Repository], Repository], dict[str, Fault], tuple[str, str]]] = {
    "signature byte flipped": (
        lambda good: good,
        {".cvmfspublished": Fault.FLIPPED},
        ("signature", "bad-signature"),
    ),
    "wrong repository name": (
        lambda good: replace(good, manifest_name="other.example.org"),
        {},
        ("manifest", "wrong-name"),
    ),
    "whitelist of another repository": (
        lambda good: replace(good, whitelist_name="other.example.org"),
        {},
        ("whitelist", "wrong-name"),
    ),
    "whitelist expired": (
        lambda good: replace(good, expires_at=now_utc() - 2 * HOUR),
        {},
        ("whitelist", "whitelist-expired"),
    ),
    "fingerprint removed": (
        lambda good: replace(good, fingerprints=()),
        {},
        ("whitelist", "not-whitelisted"),
    ),
    "whitelist byte flipped": (
        lambda good: good,
        {".cvmfswhitelist": Fault.FLIPPED},
        ("whitelist", "whitelist-signature"),
    ),
    "HTML with status 200": (lambda good: good, {"*": Fault.HTML}, ("manifest", "not-a-manifest")),
    "503 of the Stratum-1": (lambda good: good, {"*": Fault.UNAVAILABLE}, ("manifest", "http-status")),
    "drip-feed": (lambda good: good, {".cvmfspublished": Fault.DRIP}, ("manifest", "too-slow")),
    "takes the request and says nothing": (
        lambda good: good,
        {"*": Fault.SLOW_HEADER},
        ("manifest", "timeout"),
    ),
    "reset in mid-manifest": (lambda good: good, {".cvmfspublished": Fault.RESET}, ("manifest", "reset")),
    "truncated manifest": (
        lambda good: good,
        {".cvmfspublished": Fault.TRUNCATED},
        ("manifest", "truncated"),
    ),
    "manifest without end": (
        lambda good: good,
        {".cvmfspublished": Fault.ENDLESS},
        ("manifest", "too-large"),
    ),
    "reset in mid-certificate": (lambda good: good, {"X": Fault.RESET}, ("certificate", "reset")),
    "wrong certificate": (lambda good: good, {"X": Fault.OTHER_CONTENT}, ("certificate", "bad-hash")),
}


@pytest.mark.parametrize("name", BROKEN_CHAINS)
def test_each_broken_chain_has_its_own_diagnosis(
    name: str, server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    change, faults, expected = BROKEN_CHAINS[name]
    server.repositories = [change(Repository())]
    server.faults.update(faults)
    slow = any(fault in ENDS_BY_TIME for fault in faults.values())

    outcome = ask(server.url, timeout_s=SLOW_S if slow else 30)

    assert outcome.broken() == expected
    assert outcome.status("CVH-01") is Status.CRITICAL
    assert expected[1] in outcome.results["CVH-01"].summary
    assert f"broken at {expected[0]}: {expected[1]}" in outcome.evidence("CVH-01")
    assert outcome.results["CVH-01"].hint
    assert outcome.status("CVH-05") is Status.SKIPPED


def _bomb(good: Repository) -> Repository:
    return replace(good, root_object=zlib.compress(bytes(30_000_000), 9))


BROKEN_CATALOGS: dict[str, tuple[Callable[[Repository], Repository], Fault | None, str]] = {
    "reset in mid-object": (lambda good: good, Fault.RESET, "reset"),
    "drip-fed object": (lambda good: good, Fault.DRIP, "too-slow"),
    "truncated object": (lambda good: good, Fault.TRUNCATED, "truncated"),
    "object stored short": (lambda good: good, Fault.SHORT, "truncated"),
    "wrong content": (lambda good: good, Fault.OTHER_CONTENT, "bad-hash"),
    "HTML instead of an object": (lambda good: good, Fault.HTML, "bad-hash"),
    "404 catalog": (lambda good: good, Fault.NOT_FOUND, "http-status"),
    "zlib bomb": (_bomb, None, "bomb"),
    "not SQLite": (lambda good: good.with_root_catalog(b"something else" * 100), None, "bad-catalog"),
    "hostile schema": (
        lambda good: catalog_of(
            good,
            "ALTER TABLE catalog RENAME TO real",
            "CREATE VIEW catalog AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x AS md5path_1, "
            "x AS md5path_2, x AS hash, x AS size, x AS flags, x AS symlink FROM c",
        ),
        None,
        "bad-catalog",
    ),
    "catalog of another revision": (
        lambda good: catalog_of(good, "UPDATE properties SET value = '7' WHERE key = 'revision'"),
        None,
        "bad-catalog",
    ),
}


@pytest.mark.parametrize("name", BROKEN_CATALOGS)
def test_each_broken_catalog_has_its_own_diagnosis(
    name: str, server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    change, fault, expected = BROKEN_CATALOGS[name]
    repository = change(Repository())
    server.repositories = [repository]
    if fault is not None:
        server.faults[repository.root_path] = fault

    outcome = ask(server.url, timeout_s=SLOW_S if fault in ENDS_BY_TIME else 30)

    assert outcome.broken() == ("catalog", expected)
    assert outcome.status("CVH-01") is Status.OK  # the manifest is as good as ever
    assert outcome.status("CVH-05") is Status.CRITICAL
    assert expected in outcome.evidence("CVH-05")


@pytest.mark.parametrize("fault", [Fault.OTHER_CONTENT, Fault.RESET, Fault.NOT_FOUND])
def test_a_piece_of_a_chunked_file_is_checked_too(
    fault: Fault, server: Stratum1, ask: Callable[..., Outcome]
) -> None:
    server.faults[Repository().chunks_of(CHUNKED)[1]] = fault

    outcome = ask(server.url)

    expected = {Fault.OTHER_CONTENT: "bad-hash", Fault.RESET: "reset", Fault.NOT_FOUND: "http-status"}[fault]
    assert outcome.broken() == ("file", expected)
    assert outcome.status("CVH-05") is Status.CRITICAL


def test_healthy_directly_and_through_squid_from_two_stratum_ones(
    server: Stratum1, ask: Callable[..., Outcome], open_squid: Squid
) -> None:
    server.repositories = [repository := Repository()]
    with Stratum1(repository).serving() as second:
        outcome = ask(server.url, second.url, proxies=f"{open_squid.url};DIRECT", geo_order=True)

    assert [route.verified for route in outcome.routes] == [True] * 4
    assert all(step.outcome == "ok" for route in outcome.routes for step in route.steps)
    assert {check: result.status for check, result in outcome.results.items()} == {
        f"CVH-0{number}": Status.OK for number in range(1, 8)
    }
    assert f"{CHUNKED}: 262144 bytes in 3 objects, 3 catalogs" in outcome.evidence("CVH-05")
    assert outcome.facts.newest is not None
    assert outcome.facts.newest[0].revision == 42


def test_what_squid_spoils_is_told_from_what_the_stratum_one_has(
    server: Stratum1, ask: Callable[..., Outcome], open_squid: Squid
) -> None:
    repository = replace(Repository(), revision=1001)
    server.repositories = [repository]
    server.faults[repository.root_path] = Fault.OTHER_CONTENT
    ask(server.url, proxies=open_squid.url)  # now it is in the squid's cache
    server.faults.clear()

    outcome = ask(server.url, proxies=open_squid.url)

    assert outcome.broken() == ("catalog", "corrupt-in-proxy")
    assert outcome.routes[0].directly == "fine"
    assert outcome.status("CVH-05") is Status.CRITICAL
    assert "fine directly" in outcome.results["CVH-05"].summary
    assert "proxy" in outcome.results["CVH-05"].summary


def test_a_manifest_that_squid_spoils(
    server: Stratum1, ask: Callable[..., Outcome], open_squid: Squid
) -> None:
    server.faults[".cvmfspublished"] = Fault.FLIPPED
    ask(server.url, proxies=open_squid.url)
    server.faults.clear()

    outcome = ask(server.url, proxies=f"{open_squid.url};DIRECT")

    assert outcome.broken(0) == ("signature", "corrupt-in-proxy")
    assert outcome.routes[1].verified
    assert outcome.status("CVH-01") is Status.WARNING
    assert outcome.status("CVH-05") is Status.CRITICAL
    assert "fine directly" in outcome.evidence("CVH-01")


def test_what_is_corrupt_directly_as_well_is_not_blamed_on_squid(
    server: Stratum1, ask: Callable[..., Outcome], open_squid: Squid
) -> None:
    repository = replace(Repository(), revision=1002)
    server.repositories = [repository]
    server.faults[repository.root_path] = Fault.OTHER_CONTENT

    outcome = ask(server.url, proxies=open_squid.url)

    assert outcome.broken() == ("catalog", "bad-hash")
    assert outcome.routes[0].directly == "bad-hash as well"


def test_503_of_squid_is_an_error_of_the_proxy(ask: Callable[..., Outcome], open_squid: Squid) -> None:
    with Stratum1(Repository()).serving() as gone:
        url = gone.url

    outcome = ask(url, proxies=open_squid.url)

    assert outcome.broken() == ("manifest", "proxy-error")
    assert "ERR_CONNECT_FAIL" in outcome.evidence("CVH-01")
    assert "squid" in (outcome.results["CVH-01"].hint or "")


def test_503_of_the_stratum_one_is_not_blamed_on_squid(
    server: Stratum1, ask: Callable[..., Outcome], open_squid: Squid
) -> None:
    server.faults["*"] = Fault.UNAVAILABLE

    assert ask(server.url, proxies=open_squid.url).broken() == ("manifest", "http-status")


def test_an_acl_that_refuses_is_named(
    server: Stratum1, ask: Callable[..., Outcome], denying_squid: Squid
) -> None:
    outcome = ask(server.url, proxies=denying_squid.url)

    assert outcome.broken() == ("manifest", "proxy-denied")
    assert "its access list does not let this node through" in outcome.evidence("CVH-01")


def test_one_of_two_proxies_down_is_a_warning_that_names_it(
    server: Stratum1, ask: Callable[..., Outcome], open_squid: Squid, dead_proxy: str
) -> None:
    outcome = ask(server.url, proxies=f"{dead_proxy}|{open_squid.url}")

    assert outcome.status("CVH-01") is Status.WARNING
    assert outcome.broken(0) == ("connect", "connect")
    assert dead_proxy.rpartition(":")[2] in outcome.evidence("CVH-01")
    assert outcome.routes[1].verified


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
