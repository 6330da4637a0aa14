"""What facts of CVMFS over HTTP come to, check by check."""

from __future__ import annotations

import pytest

from probes.cvmfs import PROBE, gather
from probes.cvmfs.asking import label
from probes.cvmfs.checks import HINTS
from probes.cvmfs.trust import STEPS
from probes.errors import HostError
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.cvmfs import CvmfsFacts, CvmfsRoute, GeoAnswer, NewestManifest
from profiles.facts.routes import Step

NOW_S = 1_780_000_000.0
H = 3600.0


def route(
    broken: str | None = None, fault: str = "timeout", *, untried: tuple[str, ...] = (), **more: object
) -> CvmfsRoute:
    steps, reached = [], True
    for name in STEPS:
        if name == broken:
            steps.append(Step(name=name, outcome="failed", fault=fault, detail="seen"))
            reached = False
        elif name in untried:
            steps.append(Step(name=name, outcome="not tried", detail="cvmfs.max_catalog_bytes is small"))
        else:
            detail = "/file: 1 bytes" if name == "file" else None
            steps.append(Step(name=name, outcome="ok" if reached else "not reached", detail=detail))
    fields = {
        "subject": "cms.cern.ch",
        "target": "s1:8000",
        "via": "direct",
        "steps": tuple(steps),
        "verified": broken not in ("connect", "manifest", "certificate", "signature", "whitelist"),
        "revision": 42,
        "published_s": NOW_S - H,
        "behind_s": 0.0,
        "whitelist_expires_s": NOW_S + 500 * H,
        "snapshot_age_s": H,
        "cold_s": 0.1,
        "warm_s": 0.002,
    }
    return CvmfsRoute.model_validate({**fields, **more})


def judged(*routes: CvmfsRoute, geo: tuple[GeoAnswer, ...] | None = None) -> dict[str, CheckResult]:
    newest = NewestManifest(
        repository="cms.cern.ch", revision=42, root_catalog="ab" * 20, published_s=NOW_S, ttl_s=240
    )
    facts = CvmfsFacts(
        routes=routes,
        newest=(newest,),
        proxies_origin="test",
        now_s=NOW_S,
        fetched_bytes=1,
        problems=(),
        geo=geo,
        absent={} if geo is not None else {"geo": "off"},
    )
    judging = Judging(PROBE, Settings(), {"cvmfs": facts})
    return {result.id: result for result in PROBE.judge(facts, judging)}


def test_healthy_routes_are_green() -> None:
    results = judged(route(), route(via="squid:3128"), geo=(GeoAnswer(target="s1:8000", order=(1, 2)),))
    assert {result.status for result in results.values()} == {Status.OK}
    assert list(results) == [check.id for check in PROBE.checks]


def test_one_broken_route_is_a_warning_and_none_left_is_critical() -> None:
    broken = route("connect", "dns", target="s2:8000")
    assert judged(route(), broken)["CVH-01"].status is Status.WARNING
    alone = judged(broken)["CVH-01"]
    assert alone.status is Status.CRITICAL
    assert alone.evidence == ("cms.cern.ch from s2:8000, direct: broken at connect: dns: seen",)
    assert alone.hint == HINTS["dns"]


def test_each_repository_needs_a_route_of_its_own() -> None:
    other = route("whitelist", "not-whitelisted", subject="grid.cern.ch")
    result = judged(route(), other)["CVH-01"]
    assert result.status is Status.CRITICAL
    assert "grid.cern.ch" in result.summary
    assert "cms.cern.ch" not in result.summary


@pytest.mark.parametrize(
    ("left_h", "status"), [(500, Status.OK), (47, Status.WARNING), (-1, Status.CRITICAL)]
)
def test_the_whitelists_lifetime(left_h: float, status: Status) -> None:
    assert judged(route(whitelist_expires_s=NOW_S + left_h * H))["CVH-02"].status is status


def test_a_whitelist_that_expired_on_some_routes_only() -> None:
    old = route("whitelist", "whitelist-expired", whitelist_expires_s=NOW_S - H)
    assert judged(route(), old)["CVH-02"].status is Status.WARNING


def test_a_clock_that_is_wrong_is_said_and_hinted_at() -> None:
    result = judged(route("whitelist", "clock", whitelist_expires_s=NOW_S - H, clock_skew_s=2 * H))["CVH-02"]
    assert result.status is Status.CRITICAL
    assert "only by this node's clock" in result.summary
    assert result.hint == HINTS["clock"]
    slow = judged(
        route("whitelist", "whitelist-expired", whitelist_expires_s=NOW_S - 9 * H, clock_skew_s=2 * H)
    )
    assert "only" not in slow["CVH-02"].summary


@pytest.mark.parametrize(
    ("ages_h", "status"),
    [((1, 2), Status.OK), ((1, 9), Status.WARNING), ((1, 168), Status.WARNING), ((25, 168), Status.CRITICAL)],
)
def test_the_age_of_the_stratum_ones(ages_h: tuple[float, float], status: Status) -> None:
    routes = [route(target=f"s{number}", snapshot_age_s=age * H) for number, age in enumerate(ages_h)]
    assert judged(*routes)["CVH-03"].status is status


def test_a_first_copy_may_take_nine_times_as_long() -> None:
    assert judged(route(snapshot_age_s=60 * H, initial_snapshot=True))["CVH-03"].status is Status.OK
    assert judged(route(snapshot_age_s=None, initial_snapshot=True))["CVH-03"].status is Status.SKIPPED


def test_a_spread_of_revisions_is_information_until_it_lasts() -> None:
    assert judged(route(), route(revision=41, behind_s=7 * H))["CVH-04"].status is Status.OK
    assert judged(route(), route(revision=41, behind_s=9 * H))["CVH-04"].status is Status.WARNING


def test_what_a_proxy_spoils_is_critical_although_the_rest_is_fine() -> None:
    result = judged(route(), route("catalog", "corrupt-in-proxy", via="squid:3128"))["CVH-05"]
    assert result.status is Status.CRITICAL
    assert result.summary == "proxy squid:3128 spoils the catalog of cms.cern.ch: fine directly from s1:8000"


def test_objects_that_fail_on_some_routes_or_all() -> None:
    bad = route("file", "bad-hash")
    assert judged(route(), bad)["CVH-05"].status is Status.WARNING
    assert judged(bad)["CVH-05"].status is Status.CRITICAL
    assert judged(route("connect"))["CVH-05"].status is Status.SKIPPED
    untried = judged(route(untried=("catalog", "file")))["CVH-05"]
    assert untried.status is Status.OK
    assert "max_catalog_bytes" in untried.summary


def test_the_geo_order() -> None:
    one, other = GeoAnswer(target="a", order=(1, 2)), GeoAnswer(target="b", order=(2, 1))
    silent = GeoAnswer(target="c", order=(), error="http-status: HTTP 400")
    assert judged(route())["CVH-07"].status is Status.SKIPPED
    assert judged(route(), geo=(one, one))["CVH-07"].status is Status.OK
    assert judged(route(), geo=(one, other))["CVH-07"].status is Status.WARNING
    assert judged(route(), geo=(one, silent))["CVH-07"].status is Status.WARNING
    assert judged(route(), geo=(silent,))["CVH-07"].status is Status.CRITICAL


class _Shut:
    """A door that nothing may go through."""

    def ask(self, kind: str, args: object, *live: object) -> object:
        raise AssertionError(f"asked for {kind} {args}")

    observe = ask


def test_nothing_is_opened_where_there_is_no_outbound() -> None:
    settings = Settings(site_profile="no-outbound")
    facts = gather(Host(_Shut()), settings)  # type: ignore[arg-type]
    results = PROBE.judge(facts, Judging(PROBE, settings, {}))
    assert {result.status for result in results} == {Status.SKIPPED}
    assert all("no-outbound" in (result.reason or "") for result in results)
    assert PROBE.summarise(facts) == "not tried"


def test_empty_lists_are_skipped_with_the_reason() -> None:
    empty = Settings().cvmfs.model_copy(update={"stratum_ones": (), "proxies": "DIRECT"})
    settings = Settings(cvmfs=empty)
    facts = gather(Host(LiveDoor()), settings)
    assert all("is empty" in result.summary for result in PROBE.judge(facts, Judging(PROBE, settings, {})))


class _Forgetful:
    """A recording from before this probe: it knows the time and nothing else."""

    def ask(self, kind: str, args: object, *live: object) -> object:
        if kind == "now":
            return NOW_S
        raise HostError("ENOTRECORDED", f"{kind} is not in the recording")

    observe = ask


def test_a_recording_without_this_probe_is_unknown_and_not_critical() -> None:
    settings = Settings.model_validate({"cvmfs": {"proxies": "DIRECT"}})
    facts = gather(Host(_Forgetful()), settings)  # type: ignore[arg-type]
    results = {result.id: result for result in PROBE.judge(facts, Judging(PROBE, settings, {}))}
    assert results["CVH-01"].status is Status.UNKNOWN
    assert "not in the recording" in results["CVH-01"].summary
    assert {result.status for check, result in results.items() if check != "CVH-01"} == {Status.SKIPPED}


def test_the_summary_fits_its_line() -> None:
    facts = CvmfsFacts(
        routes=(route(),) * 48,
        newest=(),
        proxies_origin="x",
        now_s=NOW_S,
        fetched_bytes=0,
        problems=(),
        geo=(),
    )
    assert PROBE.summarise(facts) == "48 of 48 routes verified"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://squid.example.org:3128", "squid.example.org:3128"),
        ("http://10.1.2.3:3128", "(address):3128"),
        ("http://[2001:db8::1]:3128", "(address):3128"),
        ("squid.example.org", "squid.example.org"),
        ("http://x:99999999", "?"),
        (None, "direct"),
    ],
)
def test_names_are_shown_and_addresses_are_not(url: str | None, shown: str) -> None:
    assert label(url) == shown
