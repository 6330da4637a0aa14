"""What pages show follows from nodes and sums."""

from __future__ import annotations

from datetime import timedelta

import pytest

from capacity.errors import UnavailableError
from capacity.fleet.model import CheckView, FleetSettings, Interval
from capacity.hs06.catalogue import Catalogue
from capacity.hs06.model import Finding, GpuDevice, Method
from capacity.service.views.access import local_path
from capacity.service.views.attention import SHOWN, attention_of
from capacity.service.views.catalogue import catalogue_view
from capacity.service.views.common import against, age_s, log_interval, roll_row, scaled
from capacity.service.views.node import gpu_columns, ladder, node_view
from capacity.service.views.overview import coverage_of
from capacity.service.views.sites import NodeChecks, SiteSort, failing_checks, sites_view
from capacity.service.views.sums import FleetSums
from capacity.store.database import Database
from capacity.store.nodes import OddNode
from tests.unit.capacity.looks import gpu_payload, look, payload
from tests.unit.capacity.web import samples

ZERO = Interval(value=0, low=0, high=0)


class TestCommon:
    def test_a_multiple_keeps_the_relative_interval(self) -> None:
        found = scaled(samples.estimate(), 142.0)
        assert (found.low, found.high) == (pytest.approx(124.0), pytest.approx(163.0))

    def test_log_interval_is_symmetric_in_the_logarithm(self) -> None:
        found = log_interval(10.0, 0.2)
        assert found.low * found.high == pytest.approx(100.0)
        assert log_interval(10.0, None) == Interval(value=10, low=10, high=10)

    def test_a_ratio_has_the_interval_of_the_capacity(self) -> None:
        held = against(Interval(value=80, low=60, high=110), 100.0)
        assert held is not None
        assert held.ratio == Interval(value=0.8, low=0.6, high=1.1)

    @pytest.mark.parametrize("promise", [None, 0.0])
    def test_nothing_is_held_against_no_promise(self, promise: float | None) -> None:
        assert against(Interval(value=80, low=60, high=110), promise) is None

    def test_no_capacity_has_no_ratio(self) -> None:
        held = against(ZERO, 100.0)
        assert held is not None
        assert held.ratio is None

    def test_a_clock_ahead_gives_no_negative_age(self) -> None:
        assert age_s(samples.NOW + timedelta(hours=1), samples.NOW) == 0

    def test_coverage_of_a_site_counts_fresh_figures_only(self) -> None:
        row = roll_row(samples.roll("T2_A", nodes=40, stale_nodes=3, pending_nodes=1))
        assert row.coverage_share == pytest.approx(0.9)
        assert roll_row(samples.roll("T2_B", nodes=0, stale_nodes=0, pending_nodes=0)).coverage_share is None


class TestNode:
    def test_the_ladder_has_all_rungs_and_one_leads(self) -> None:
        rungs = ladder(samples.estimate())
        assert [rung.method for rung in rungs] == list(Method)
        assert [rung.method for rung in rungs if rung.leads] == [Method.CATALOGUE]
        assert rungs[0].hs23_per_core is None
        assert rungs[0].reason

    def test_a_kernel_with_wrong_physics_is_shown_and_does_not_count(self) -> None:
        view = node_view(samples.state(), (), samples.bench_profile(), samples.NOW)
        right, wrong = view.payloads
        assert right.counts
        assert right.events_per_s is not None
        assert not wrong.counts
        assert wrong.events_per_s is None
        assert wrong.physics_reason

    def test_a_gpu_says_what_it_is_worth_for_one_kernel(self) -> None:
        profile = look(cores=64.0, payloads=[payload(copies=64), gpu_payload("cuda:1")], gpus=("00000001",))
        cpus, gpu = node_view(samples.state(), (), profile, samples.NOW).payloads
        assert (cpus.place, cpus.worth_cpus, cpus.kernel_only_events_per_s) == (None, None, None)
        assert (gpu.place, gpu.worth_cpus, gpu.kernel_only_events_per_s) == ("cuda:1", 20.0, 200.0)

    def test_without_its_profile_a_node_says_why_details_are_missing(self) -> None:
        view = node_view(samples.state(), (), None, samples.NOW)
        assert view.machine == ()
        assert "not in the database" in (view.payloads_reason or "")
        assert {fact.label: fact.value for fact in view.processor}["SMT"] == "on"

    def test_the_capacity_is_that_of_the_granted_cores(self) -> None:
        view = node_view(samples.state(), (), None, samples.NOW)
        assert view.hs23_granted is not None
        assert view.hs23_granted.value == 227.2
        assert view.hs23_granted.low == pytest.approx(227.2 * 12.4 / 14.2)
        assert view.constant_10_hs23 == 160.0

    def test_findings_of_node_and_estimate_are_together(self) -> None:
        estimate = samples.estimate(findings=(Finding(code="part-of-node", says="A part."),))
        view = node_view(samples.state(estimate=estimate), (), None, samples.NOW)
        assert [one.code for one in view.findings] == ["slow-for-model", "part-of-node"]

    def test_gpus_have_their_own_columns_and_leave_the_cpu_figure_alone(self) -> None:
        gpu = GpuDevice(name="NVIDIA A100", vendor="nvidia")
        plain = samples.state()
        state = samples.state(gpus=(gpu,))  # another slot's, not of the newest evidence
        assert gpu_columns(plain) == ()
        rows = gpu_columns(state)
        assert len(rows) > 1
        assert {row.columns.pledgeable_hs23 for row in rows} == {113.6}
        assert all(row.columns.effective is not None or row.columns.reason for row in rows)

    def test_nothing_that_json_cannot_hold_is_in_a_view(self) -> None:
        view = node_view(samples.state(), (), samples.bench_profile(), samples.NOW)
        assert type(view).model_validate_json(view.model_dump_json()) == view


class TestSites:
    rolls = (
        samples.roll("T2_B", 100, unusable_nodes=0),
        samples.roll("T2_A", 300, unusable_nodes=5, pledge_hs23=None),
        samples.roll("T2_C", 0, hs23=ZERO, hs23_per_core=None, constant_10_hs23=0.0, unusable_nodes=1),
    )

    @pytest.mark.parametrize(
        ("sort", "names"),
        [
            (SiteSort.NAME, "ABC"),
            (SiteSort.CAPACITY, "ABC"),
            (SiteSort.UNUSABLE, "ACB"),
            (SiteSort.PER_CORE, "ABC"),
            (SiteSort.PLEDGE, "BAC"),
            (SiteSort.CONSTANT, "ABC"),
        ],
    )
    def test_sites_are_sorted_and_equal_ones_stand_by_name(self, sort: SiteSort, names: str) -> None:
        view = sites_view(self.rolls, sort, "", 1, samples.NOW)
        assert "".join(row.roll.name[-1] for row in view.sites) == names

    def test_a_search_is_for_a_part_of_the_name_in_any_case(self) -> None:
        view = sites_view(self.rolls, SiteSort.NAME, " t2_a ", 1, samples.NOW)
        assert [row.roll.name for row in view.sites] == ["T2_A"]

    def test_a_page_beyond_the_last_is_the_last(self) -> None:
        rolls = [samples.roll(f"T2_{number:03}") for number in range(250)]
        view = sites_view(rolls, SiteSort.NAME, "", 99, samples.NOW)
        assert (view.page, view.pages, len(view.sites)) == (3, 3, 50)
        assert view.sites[0].roll.name == "T2_200"

    def test_no_site_is_one_empty_page(self) -> None:
        view = sites_view([], SiteSort.NAME, "", 1, samples.NOW)
        assert (view.page, view.pages, view.sites) == (1, 1, ())


def test_failing_checks_are_counted_by_node_the_critical_ones_first() -> None:
    def check(name: str, status: str) -> CheckView:
        return CheckView(id=name, status=status, summary="s", hint="h")

    found = failing_checks(
        [
            NodeChecks("a", (check("CTX-07", "WARNING"), check("SQD-01", "WARNING"))),
            NodeChecks("b", (check("CTX-07", "WARNING"), check("SQD-01", "CRITICAL"))),
            NodeChecks("c", (check("CTX-07", "WARNING"),)),
        ]
    )
    assert [(one.id, one.status, one.nodes, one.example_node_id) for one in found] == [
        ("SQD-01", "CRITICAL", 2, "a"),
        ("CTX-07", "WARNING", 3, "a"),
    ]


class TestAttention:
    def test_kinds_without_entries_are_left_out(self) -> None:
        quiet = samples.roll("T2_A", unusable_nodes=0, stale_nodes=0, pledge_hs23=None)
        assert attention_of([quiet], []) == ()

    def test_a_site_is_below_its_pledge_only_with_its_whole_interval(self) -> None:
        near = samples.roll("T2_A", 100, pledge_hs23=1400.0)
        far = samples.roll("T2_B", 100, pledge_hs23=1500.0)
        group = next(one for one in attention_of([near, far], []) if one.kind == "below pledge")
        assert [entry.site for entry in group.entries] == ["T2_B"]

    def test_the_largest_come_first_and_the_rest_is_counted(self) -> None:
        sites = [samples.roll(f"T2_{n:02}", unusable_nodes=n) for n in range(1, SHOWN + 4)]
        group = next(one for one in attention_of(sites, []) if one.kind == "not usable")
        assert group.entries[0].nodes == SHOWN + 3
        assert (len(group.entries), group.more) == (SHOWN, 3)

    def test_an_odd_node_is_told_with_its_finding(self) -> None:
        worst = Finding(code="bad", level="problem", says="b", hint="mend it")
        (group,) = attention_of([], [OddNode("T2_A", "a" * 32, None, worst.model_dump(mode="json"))])
        (entry,) = group.entries
        assert (entry.says, entry.hint, entry.node_name) == ("bad: b", "mend it", "a" * 12)


def test_coverage_counts_sites_that_are_only_known_by_name() -> None:
    sites = [samples.roll("T2_A"), samples.roll("T2_B", hs23=ZERO)]
    found = coverage_of(samples.roll("CMS", kind="cms"), sites, sites_known=5)
    assert (found.sites_with_figure, found.sites_known) == (1, 5)
    assert found.site_share == 0.2
    assert found.nodes_with_figure == 36


class TestCatalogue:
    def test_a_name_as_cpuinfo_prints_it_finds_its_rows(self) -> None:
        view = catalogue_view(Catalogue.shipped(), "AMD EPYC 7513 32-Core Processor", 1)
        assert view.found > 0
        assert {row.key for row in view.rows} == {view.key}
        assert all(row.source for row in view.rows)

    def test_a_part_of_a_name_finds_all_that_have_it(self) -> None:
        view = catalogue_view(Catalogue.shipped(), "gold 61", 1)
        assert len({row.key for row in view.rows}) > 1
        assert all("gold" in row.cpu_model.lower() for row in view.rows)

    def test_nothing_asked_for_is_everything_paged(self) -> None:
        view = catalogue_view(Catalogue.shipped(), " ", 2)
        assert (view.page, view.key, view.found) == (2, None, view.rows_total)

    def test_an_unknown_model_finds_nothing(self) -> None:
        assert catalogue_view(Catalogue.shipped(), "Z80", 1).rows == ()


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/sites?sort=name", "/sites?sort=name"),
        ("", "/"),
        (None, "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/a\nb", "/"),
    ],
)
def test_only_paths_of_this_service_are_gone_to(target: str | None, path: str) -> None:
    assert local_path(target) == path


class TestSums:
    def test_they_are_made_once_while_they_are_fresh(self, database: Database) -> None:
        ticks = [0.0]
        sums = FleetSums(database, FleetSettings(), lambda: ticks[0], fresh_s=5, old_s=60)
        first = sums.current()
        ticks[0] = 4.9
        assert sums.current() is first
        ticks[0] = 61.0
        assert sums.current() is not first

    def test_the_old_ones_are_shown_while_new_ones_are_made(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started = []
        monkeypatch.setattr(
            "capacity.service.views.sums.Thread",
            lambda target, **_: type("Held", (), {"start": lambda _: started.append(target)})(),
        )
        ticks = [0.0]
        sums = FleetSums(database, FleetSettings(), lambda: ticks[0], fresh_s=5, old_s=60)
        first = sums.current()
        ticks[0] = 10.0
        assert sums.current() is first
        assert sums.current() is first
        assert len(started) == 1
        started[0]()
        assert sums.current() is not first

    def test_a_database_that_is_away_is_told_once_they_are_old(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away() -> None:
            raise UnavailableError("away")

        ticks = [0.0]
        sums = FleetSums(database, FleetSettings(), lambda: ticks[0], fresh_s=5, old_s=60)
        first = sums.current()
        monkeypatch.setattr(database, "reading", away)
        ticks[0] = 59.0
        assert sums.current() is first
        ticks[0] = 61.0
        with pytest.raises(UnavailableError):
            sums.current()
