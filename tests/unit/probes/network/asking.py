"""The network probe with the endpoints of a test: its facts and its verdicts."""

from __future__ import annotations

from typing import Any

from probes.answers import Json
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.network import PROBE
from probes.settings import Endpoint, NetworkSettings, Settings
from profiles.checks import CheckResult
from profiles.facts.network import NetworkFacts

UNRESOLVABLE = "a" * 64 + ".example"
"""A label of 64 characters is no host name (RFC 1035 §2.3.4), so no resolver is asked about it."""
AUTHORITY_NAME = "Campus Inspection Box"


def endpoint(port: int, *, host: str = "127.0.0.1", name: str = "service", **more: Any) -> Endpoint:
    return Endpoint(name=name, host=host, port=port, **more)


def settings(*endpoints: Endpoint, **more: Any) -> Settings:
    return Settings(network=NetworkSettings(endpoints=endpoints, **{"connect_timeout_s": 1.0, **more}))


def probed(chosen: Settings, host: Host | None = None) -> NetworkFacts:
    facts = PROBE.gather(host or Host(LiveDoor()), chosen)
    assert isinstance(facts, NetworkFacts)
    return facts


def verdicts(facts: NetworkFacts, chosen: Settings | None = None, **others: Any) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, chosen or Settings(), others))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return {result.id: result for result in results}


class Forbidden:
    """A door behind which nothing may be asked."""

    def ask(self, kind: str, args: list[Json]) -> Any:
        raise AssertionError(f"{kind} {args} was asked")

    def observe(self, name: str, args: list[Json], live: Any) -> Any:
        raise AssertionError(f"{name} {args} was observed")


OBJECT = bytes(range(256)) * 4096
