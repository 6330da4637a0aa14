"""The squid probe through real squids, with a Stratum-1 and a Frontier-like server behind them, healthy and broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from probes.squid import PROBE
from profiles.checks import CheckResult, Status
from profiles.facts.squid import SquidFacts
from tests.lab import frontier as frontier_lab
from tests.lab import stratum1 as stratum1_lab
from tests.lab.frontier import Frontier
from tests.lab.squid import Squid
from tests.lab.stratum1 import Repository, Stratum1
from tests.unit.probes.network_servers import serving

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("squid")]

OK, WARNING, CRITICAL, SKIPPED = Status.OK, Status.WARNING, Status.CRITICAL, Status.SKIPPED
REPOSITORY = "lab.example.org"


@dataclass
class Lab:
    """Everything that a site's worker node talks to."""

    first: Squid
    second: Squid
    denying: Squid
    forgetful: Squid
    dead: str
    stratum_one: Stratum1
    frontier: Frontier
    directory: Path

    def settings(self, *proxies: str, backups: tuple[str, ...] = (), balance: bool = False) -> Settings:
        """A site whose SITECONF names the proxies; CVMFS uses the same."""
        self._write_siteconf(proxies, backups, balance)
        return Settings.model_validate(
            {
                "cvmfs": {
                    "repositories": [REPOSITORY],
                    "http_repositories": [REPOSITORY],
                    "stratum_ones": [self.stratum_one.url],
                    "proxies": ("|" if balance else ";").join(proxies) or "DIRECT",
                },
                "siteconf": {"path": str(self.directory)},
                "squid": {"timeout_s": 2.0, "budget_s": 20.0},
            }
        )

    def _write_siteconf(self, proxies: tuple[str, ...], backups: tuple[str, ...], balance: bool) -> None:
        lines = ['<load balance="proxies"/>'] if balance else []
        lines += [f'<proxy url="{url}"/>' for url in proxies]
        lines += [f'<backupproxy url="{url}"/>' for url in backups]
        lines += [f'<server url="{self.frontier.url}"/>']
        path = self.directory / "JobConfig" / "site-local-config.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            '<site-local-config><site name="T2_XX_Lab"><calib-data><frontier-connect>'
            f"{''.join(lines)}</frontier-connect></calib-data></site></site-local-config>"
        )


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Stratum1, Frontier]]:
    stratum_one = Stratum1(Repository(name=REPOSITORY))
    with stratum_one.serving(), Frontier().serving() as frontier:
        yield stratum_one, frontier


@pytest.fixture
def lab(
    servers: tuple[Stratum1, Frontier],
    open_squid: Squid,
    second_squid: Squid,
    denying_squid: Squid,
    forgetful_squid: Squid,
    dead_proxy: str,
    tmp_path: Path,
) -> Iterator[Lab]:
    stratum_one, frontier = servers
    yield Lab(
        open_squid, second_squid, denying_squid, forgetful_squid, dead_proxy, stratum_one, frontier, tmp_path
    )
    stratum_one.faults.clear()
    frontier.fault = None


def probed(settings: Settings) -> SquidFacts:
    facts = PROBE.gather(Host(LiveDoor()), settings)
    assert isinstance(facts, SquidFacts)
    return facts


def verdicts(facts: SquidFacts, settings: Settings, **others: Any) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, settings, others))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return {result.id: result for result in results}


@dataclass(frozen=True)
class Case:
    """One state of the site.

    Attributes:
        name: of the fault.
        arrange: breaks the lab while the block lasts, and gives the settings.
        expected: check → status and a piece of its summary.
        hints: check → a piece of its hint.
    """

    name: str
    arrange: Callable[[Lab, ExitStack], Settings]
    expected: dict[str, tuple[Status, str]]
    hints: dict[str, str]


def _healthy(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings(lab.first.url, lab.second.url, balance=True)


def _acl(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings(lab.denying.url)


def _all_down(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings(lab.dead, lab.dead.replace("127.0.0.1", "localhost"))


def _one_down(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings(lab.dead, lab.second.url)


def _one_of_balanced_down(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings(lab.first.url, lab.dead, balance=True)


def _dead_origin(lab: Lab, stack: ExitStack) -> Settings:
    settings = lab.settings(lab.first.url, lab.second.url)
    cvmfs = settings.cvmfs.model_copy(update={"stratum_ones": (lab.dead,)})
    return settings.model_copy(update={"cvmfs": cvmfs})


def _silent(lab: Lab, stack: ExitStack) -> Settings:
    stack.enter_context(_paused(lab.second))
    return lab.settings(lab.second.url)


def _no_caching(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings(lab.first.url, lab.forgetful.url)


def _frontier_error(lab: Lab, stack: ExitStack) -> Settings:
    lab.frontier.fault = frontier_lab.Fault.ERROR
    return lab.settings(lab.first.url, lab.second.url)


def _frontier_damaged(lab: Lab, stack: ExitStack) -> Settings:
    lab.frontier.fault = frontier_lab.Fault.DAMAGED
    return lab.settings(lab.first.url, lab.second.url)


def _frontier_portal(lab: Lab, stack: ExitStack) -> Settings:
    lab.frontier.fault = frontier_lab.Fault.HTML
    return lab.settings(lab.first.url, lab.second.url)


def _only_direct(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings(lab.denying.url, lab.dead)


def _only_backup(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings(lab.dead, backups=(lab.first.url,))


def _no_proxy(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings()


def _portal(lab: Lab, stack: ExitStack) -> Settings:
    lab.stratum_one.faults[".cvmfspublished"] = stratum1_lab.Fault.HTML
    return lab.settings(lab.forgetful.url)


def _unresolvable(lab: Lab, stack: ExitStack) -> Settings:
    return lab.settings("http://squid.invalid:3128", lab.second.url)


@contextmanager
def _paused(squid: Squid) -> Iterator[None]:
    squid.pause()
    try:
        yield
    finally:
        squid.resume()


CASES = (
    Case(
        "healthy",
        _healthy,
        {
            "SQD-01": (OK, "a manifest comes through all 2 proxies"),
            "SQD-02": (OK, "2 of 2 answer from their cache"),
            "SQD-03": (OK, "2 proxies"),
            "SQD-04": (OK, "Frontier answers through (address):"),
            "SQD-05": (SKIPPED, "was not looked at in this run"),
        },
        {},
    ),
    Case(
        "squid ACL deny",
        _acl,
        {
            "SQD-01": (
                CRITICAL,
                "403 from the proxy itself (ERR_ACCESS_DENIED): its access list does not let this node through",
            ),
            "SQD-02": (SKIPPED, "no manifest came"),
            "SQD-03": (WARNING, "only one proxy"),
            "SQD-04": (CRITICAL, "Frontier answers only directly"),
        },
        {"SQD-01": "ACL of the squid's http_access", "SQD-04": "ACL of the squid's http_access"},
    ),
    Case(
        "all proxies down",
        _all_down,
        {
            "SQD-01": (CRITICAL, "all 2 proxies fail"),
            "SQD-02": (SKIPPED, "no manifest came"),
            "SQD-04": (CRITICAL, "Frontier answers only directly"),
        },
        {"SQD-01": "nothing listens on that port"},
    ),
    Case(
        "one of two down",
        _one_down,
        {
            "SQD-01": (WARNING, "1 of 2 proxies fail"),
            "SQD-02": (OK, "1 of 1"),
            "SQD-04": (WARNING, "only after fail-over"),
        },
        {"SQD-01": "nothing listens on that port"},
    ),
    Case(
        "one of two that share the load down",
        _one_of_balanced_down,
        {"SQD-01": (WARNING, "1 of 2 proxies fail"), "SQD-04": (WARNING, "only after fail-over")},
        {},
    ),
    Case(
        "503 from squid",
        _dead_origin,
        {
            "SQD-01": (
                CRITICAL,
                "503 from the proxy itself (ERR_CONNECT_FAIL): it cannot connect to the server",
            ),
            "SQD-04": (OK, "Frontier answers through"),
        },
        {"SQD-01": "directly the Stratum-1 fails too"},
    ),
    Case(
        "proxy silent",
        _silent,
        {
            "SQD-01": (CRITICAL, "no answer within 2 s"),
            "SQD-02": (SKIPPED, "no manifest came"),
            "SQD-04": (CRITICAL, "Frontier answers only directly"),
        },
        {"SQD-01": "does not answer in time"},
    ),
    Case(
        "caching off",
        _no_caching,
        {
            "SQD-01": (OK, "all 2"),
            "SQD-02": (WARNING, "shows no sign of caching"),
            "SQD-04": (OK, "Frontier answers"),
        },
        {"SQD-02": "cache deny"},
    ),
    Case(
        "Frontier error",
        _frontier_error,
        {"SQD-01": (OK, "all 2"), "SQD-04": (CRITICAL, "by no way: (address):")},
        {},
    ),
    Case(
        "Frontier payload damaged",
        _frontier_damaged,
        {"SQD-04": (CRITICAL, "the MD5 of the payload is not the one that the server gives")},
        {},
    ),
    Case(
        "HTML in place of Frontier",
        _frontier_portal,
        {"SQD-04": (CRITICAL, "the reply is not Frontier's XML")},
        {},
    ),
    Case(
        "Frontier only direct",
        _only_direct,
        {"SQD-01": (CRITICAL, "all 2 proxies fail"), "SQD-04": (CRITICAL, "Frontier answers only directly")},
        {"SQD-01": "nothing listens on that port", "SQD-04": "ACL of the squid's http_access"},
    ),
    Case(
        "Frontier only through the backup",
        _only_backup,
        {"SQD-03": (WARNING, "only one proxy"), "SQD-04": (CRITICAL, "only through the backup proxy")},
        {},
    ),
    Case(
        "no proxy at all",
        _no_proxy,
        {
            "SQD-01": (SKIPPED, "no proxy is configured"),
            "SQD-03": (WARNING, "no proxy of its own"),
            "SQD-04": (CRITICAL, "Frontier answers only directly; no proxy of the site"),
        },
        {},
    ),
    Case(
        "HTML with status 200",
        _portal,
        {"SQD-01": (CRITICAL, "that are no manifest")},
        {"SQD-01": "a portal or a filter"},
    ),
    Case(
        "proxy's name does not resolve",
        _unresolvable,
        {"SQD-01": (WARNING, "squid.invalid:3128: its name"), "SQD-04": (WARNING, "only after fail-over")},
        {"SQD-01": "does not resolve"},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_state_of_the_proxies_has_its_own_verdict(lab: Lab, case: Case) -> None:
    with ExitStack() as stack:
        settings = case.arrange(lab, stack)
        facts = probed(settings)
        found = verdicts(SquidFacts.model_validate_json(facts.model_dump_json()), settings)
    for check, (status, text) in case.expected.items():
        assert (found[check].status, text in found[check].summary) == (status, True), found[check]
    for check, text in case.hints.items():
        assert text in (found[check].hint or ""), found[check]
    assert "127.0.0.1" not in facts.model_dump_json()


def test_proxies_by_wpad_are_tried_like_configured_ones(lab: Lab) -> None:
    program = f"""function FindProxyForURL(url, host) {{
        if (isInNet(myIpAddress(), "10.0.0.0", "255.0.0.0")) return "PROXY {lab.first.url}; PROXY {lab.dead}";
        return "DIRECT"; }}"""
    with serving(body=program.encode(), content_type="application/x-ns-proxy-autoconfig") as wpad:
        settings = lab.settings()
        cvmfs = settings.cvmfs.model_copy(update={"proxies": "auto"})
        squid = settings.squid.model_copy(update={"wpad_urls": (f"http://127.0.0.1:{wpad.port}/wpad.dat",)})
        settings = settings.model_copy(update={"cvmfs": cvmfs, "squid": squid})
        facts = probed(settings)
    found = verdicts(facts, settings)
    assert found["SQD-03"].value == 2
    assert (found["SQD-01"].status, "1 of 2 proxies fail" in found["SQD-01"].summary) == (WARNING, True)
    assert found["SQD-04"].status is OK


def test_the_requests_really_go_through_the_proxy(lab: Lab) -> None:
    before = len(lab.second.requests())
    asked = len(lab.frontier.queries)
    probed(lab.settings(lab.second.url))
    lines = lab.second.requests()[before:]
    manifest = f"GET {lab.stratum_one.url}/cvmfs/{REPOSITORY}/.cvmfspublished"
    assert sum(manifest in line for line in lines) == 2
    assert sum(f"GET {lab.frontier.url}/Frontier/type=frontier_request" in line for line in lines) == 1
    assert lab.frontier.queries[asked:] == ["SELECT 1 FROM DUAL"] * 2
