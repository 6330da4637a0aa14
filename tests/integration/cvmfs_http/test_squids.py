"""Through real squids: what a proxy spoils is told from what the Stratum-1 has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from profiles.checks import Status
from tests.integration.cvmfs_http.asking import CHUNKED, Outcome
from tests.lab.cvmfs_repository import Repository
from tests.lab.squid import Squid
from tests.lab.stratum1 import Fault, Stratum1

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs-http")]


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
