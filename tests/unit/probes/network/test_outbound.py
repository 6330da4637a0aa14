"""Outbound connections, both families of addresses and the look-up of names."""

from __future__ import annotations

import socket

import pytest

from probes.host import Host
from probes.network import PROBE
from probes.settings import Settings
from profiles.checks import Status
from tests.unit.probes.network.asking import UNRESOLVABLE, Forbidden, endpoint, probed, settings, verdicts
from tests.unit.probes.network_servers import black_hole, closed_port, serving


def test_both_families_are_reached() -> None:
    with serving() as v4, serving(family=socket.AF_INET6) as v6:
        facts = probed(settings(endpoint(v4.port, name="four"), endpoint(v6.port, host="::1", name="six")))
    found = verdicts(facts)
    assert found["NET-02"].status is Status.OK
    assert found["NET-02"].value == 2
    assert found["NET-03"].status is Status.OK
    assert (facts.ipv4_local_kind, facts.ipv6_local_kind) == ("loopback", "loopback")
    assert PROBE.summarise(facts) == "2 of 2 endpoints, IPv4 + IPv6"


def test_a_name_is_looked_up_and_timed() -> None:
    with serving() as server:
        facts = probed(settings(endpoint(server.port, host="localhost")))
    assert facts.endpoints is not None
    assert facts.endpoints[0].resolve_s is not None
    assert facts.endpoints[0].target == f"localhost:{server.port}"
    assert verdicts(facts)["NET-02"].status is Status.OK
    assert "localhost" in verdicts(facts)["NET-01"].evidence[0]


def test_one_dead_family_of_two_is_a_warning() -> None:
    with serving() as server:
        chosen = settings(endpoint(server.port), endpoint(closed_port(), host="::1", name="six"))
        found = verdicts(probed(chosen))
    assert found["NET-03"].status is Status.WARNING
    assert "IPv6" in found["NET-03"].summary
    assert "ECONNREFUSED" in " ".join(found["NET-03"].evidence)


def test_without_any_ipv6_address_the_family_is_skipped() -> None:
    with serving() as server:
        assert verdicts(probed(settings(endpoint(server.port))))["NET-03"].status is Status.SKIPPED


@pytest.mark.parametrize(("essential", "status"), [(False, Status.WARNING), (True, Status.CRITICAL)])
def test_a_refused_endpoint_weighs_as_much_as_it_is_essential(essential: bool, status: Status) -> None:
    with serving() as server:
        chosen = settings(
            endpoint(server.port), endpoint(closed_port(), name="broken one", essential=essential)
        )
        found = verdicts(probed(chosen))
    assert found["NET-02"].status is status
    assert "broken one" in found["NET-02"].summary
    assert found["NET-02"].value == 1


def test_a_black_hole_ends_by_the_time_out_and_costs_only_itself() -> None:
    with serving() as server, black_hole() as port:
        facts = probed(settings(endpoint(server.port), endpoint(port, name="hole"), connect_timeout_s=0.3))
    assert facts.endpoints is not None
    assert facts.endpoints[1].attempts[0].errno_name == "ETIMEDOUT"
    assert verdicts(facts)["NET-02"].status is Status.WARNING


def test_no_endpoint_at_all_is_critical_and_names_the_site_profile() -> None:
    found = verdicts(probed(settings(endpoint(closed_port()), endpoint(closed_port(), name="other"))))
    assert found["NET-02"].status is Status.CRITICAL
    assert found["NET-03"].status is Status.CRITICAL
    assert "no-outbound" in (found["NET-02"].hint or "")
    assert found["CTX-03"].status is Status.UNKNOWN
    assert found["NET-05"].status is Status.SKIPPED


def test_names_that_do_not_resolve() -> None:
    facts = probed(settings(endpoint(443, host=UNRESOLVABLE, tls=True)))
    found = verdicts(facts)
    assert found["NET-01"].status is Status.CRITICAL
    assert "resolver or no outbound" in (found["NET-01"].hint or "")
    assert found["NET-02"].status is Status.CRITICAL
    assert found["NET-04"].status is Status.SKIPPED


@pytest.mark.parametrize(("essential", "status"), [(False, Status.WARNING), (True, Status.CRITICAL)])
def test_one_name_that_does_not_resolve(essential: bool, status: Status) -> None:
    with serving() as server:
        chosen = settings(
            endpoint(server.port, host="localhost"),
            endpoint(1, host=UNRESOLVABLE, name="x", essential=essential),
        )
        found = verdicts(probed(chosen))
    assert found["NET-01"].status is status


def test_a_slow_look_up_is_a_warning() -> None:
    with serving() as server:
        facts = probed(settings(endpoint(server.port, host="localhost")))
    assert facts.endpoints is not None
    assert verdicts(facts)["NET-01"].status is Status.OK or facts.endpoints[0].resolve_s > 1  # type: ignore[operator]
    slow = facts.model_copy(
        update={"endpoints": (facts.endpoints[0].model_copy(update={"resolve_s": 1.01}),)}
    )
    assert verdicts(slow)["NET-01"].status is Status.WARNING


def test_the_no_outbound_profile_opens_nothing_and_skips_all() -> None:
    chosen = Settings(site_profile="no-outbound")
    facts = probed(chosen, Host(Forbidden()))
    found = verdicts(facts, chosen)
    assert {result.status for result in found.values()} == {Status.SKIPPED}
    assert all("no-outbound" in (result.reason or "") for result in found.values())


def test_no_configured_endpoint_is_skipped_with_its_reason() -> None:
    found = verdicts(probed(settings()))
    assert {result.status for result in found.values()} == {Status.SKIPPED}
    assert found["NET-02"].reason == "network.endpoints is empty"
