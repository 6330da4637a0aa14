"""The family model: what it gives, how wide it is where it has seen little."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from capacity.hs06 import processors, rows
from capacity.hs06.catalogue import Catalogue
from capacity.hs06.family import FamilyModel
from capacity.hs06.model import CpuDescription, Method
from tests.unit.capacity.hs06.nodes import E5_2683, EPYC_7302, MILAN_VM, POWER9

MODEL = Catalogue.shipped().family


def epyc(name: str, cores: int = 32, **more: object) -> CpuDescription:
    return CpuDescription.model_validate(
        {"model_name": name, "arch": "x86_64", "packages": 2, "physical_cores": 2 * cores, "logical_cpus": 4 * cores,
         "threads_per_core": 2, **more}
    )  # fmt: skip


def test_it_knows_a_published_node_within_its_interval() -> None:
    rung = MODEL.predict(EPYC_7302)
    assert rung.method is Method.FAMILY
    assert rung.hs23_per_core == pytest.approx(15.5, rel=0.06)
    assert rung.sigma is not None
    assert 0.04 < rung.sigma < 0.08


def test_a_faster_clock_gives_more_but_less_than_in_proportion() -> None:
    slow, fast = (
        MODEL.predict(
            E5_2683.model_copy(
                update={"model_name": f"Intel(R) Xeon(R) CPU E5-26{n}9 v4 @ {ghz}GHz", "clock_ghz": ghz}
            )
        )
        for n, ghz in ((7, 2.0), (8, 3.0))
    )
    assert 1.0 < (fast.hs23_per_core or 0) / (slow.hs23_per_core or 1) < 1.5


def test_smt_gives_more_per_core_and_less_per_cpu() -> None:
    on, off = (MODEL.of_core(EPYC_7302, smt_on=smt) for smt in (True, False))
    assert on is not None
    assert off is not None
    assert 1.03 < math.exp(on.log_score - off.log_score) < 1.45


def test_a_generation_that_nobody_measured_is_wider_than_one_that_many_did() -> None:
    granite = MODEL.predict(CpuDescription(model_name="Intel(R) Xeon(R) 6972P", arch="x86_64", packages=2, physical_cores=192, logical_cpus=384, threads_per_core=2))  # fmt: skip
    zen3 = MODEL.predict(epyc("AMD EPYC 7763 64-Core Processor", 64))
    assert granite.hs23_per_core is not None
    assert (granite.sigma or 0) > 2 * (zen3.sigma or 1)


def test_grace_is_predicted_though_no_row_of_it_ships() -> None:
    """Published: 2330-4469 HS23 for 72 to 144 cores of Neoverse V2 (HEPiX), 31 to 32 per core."""
    rung = MODEL.predict(CpuDescription(model_name="Neoverse-V2", arch="aarch64", packages=2, physical_cores=144, logical_cpus=144, threads_per_core=1))  # fmt: skip
    assert rung.sigma is not None
    assert abs(math.log((rung.hs23_per_core or 0) / 31.5)) < 2 * rung.sigma


def test_a_virtual_machine_may_have_cores_or_threads() -> None:
    rung = MODEL.predict(MILAN_VM)
    core, thread = (MODEL.of_core(MILAN_VM, smt_on=smt) for smt in (False, True))
    assert core is not None
    assert thread is not None
    assert math.exp(thread.log_score) / 2 < (rung.hs23_per_core or 0) < math.exp(core.log_score)
    assert (rung.sigma or 0) > 0.2


def test_what_is_hidden_widens() -> None:
    hidden = epyc("AMD EPYC 7M93 24-Core Processor", 24)
    shown = MODEL.predict(hidden.model_copy(update={"clock_ghz": 2.8, "l3_bytes": 2 * 128 * 2**20}))
    assert (MODEL.predict(hidden).sigma or 0) > (shown.sigma or 1)


@pytest.mark.parametrize(
    "cpu", [POWER9, CpuDescription(), CpuDescription(model_name="Loongson-3A6000", arch="loongarch64")]
)
def test_strangers_get_a_reason_instead_of_a_figure(cpu: CpuDescription) -> None:
    rung = MODEL.predict(cpu)
    assert rung.hs23_per_core is None
    assert "no micro-architecture" in (rung.reason or "")


def test_without_a_model_is_as_if_it_had_never_been_published() -> None:
    catalogue = Catalogue.shipped()
    for key in ("amd epyc 9754", "intel xeon gold 6326", "ampere altra"):
        rest = [row for row in catalogue.rows if processors.silicon_of(row.key) != processors.silicon_of(key)]
        row = next(row for row in catalogue.rows if row.key == key and row.left_out is None)
        quick = MODEL.without(key).of_core(rows.describe(row), smt_on=bool(row.smt_on))
        slow = FamilyModel.fit(rest).of_core(rows.describe(row), smt_on=bool(row.smt_on))
        assert quick is not None
        assert slow is not None
        assert quick.log_score == pytest.approx(slow.log_score, abs=0.6 * slow.sigma)
        full = MODEL.of_core(rows.describe(row), smt_on=bool(row.smt_on))
        assert full is not None
        assert quick.sigma > full.sigma


def test_siblings_of_the_same_silicon_are_left_out_together() -> None:
    both, either = MODEL.without("amd epyc 7443p"), MODEL.without("amd epyc 7443")
    assert both is either
    assert both.configurations == MODEL.configurations - 2
    assert MODEL.without("amd epyc 7303p") is not MODEL


def test_a_model_that_is_not_in_the_table_has_nothing_to_be_left_out() -> None:
    assert MODEL.without("amd epyc 7763") is MODEL


def test_one_broken_node_does_not_move_the_fit() -> None:
    table, _ = rows.shipped()
    broken = next(row for row in table if row.hs23_total == 328.2)
    with_it, without_it = FamilyModel.fit(table), FamilyModel.fit(row for row in table if row is not broken)
    cpu = rows.describe(broken)
    shift = [model.predict(cpu).hs23_per_core or 0 for model in (with_it, without_it)]
    assert shift[0] == pytest.approx(shift[1], rel=0.02)


def test_a_table_without_processors_is_refused() -> None:
    with pytest.raises(ValueError, match="micro-architecture"):
        FamilyModel.fit([])


@dataclass
class Law:
    """A made-up world in which the truth is known."""

    clock: float = 0.7
    smt: float = 0.2
    spread: float = 0.04

    def rows(self, seed: int) -> list[rows.Row]:
        random = np.random.default_rng(seed)
        shipped = [
            row
            for row in Catalogue.shipped().rows
            if row.hs23_total and not row.left_out and row.physical_cores
        ]
        made = []
        for row in shipped:
            facts = processors.facts_of(row.key)
            ghz = facts.nominal_ghz if facts else row.clock_ghz or 2.5
            depth = len(processors.lineage(processors.microarchitecture_of(rows.describe(row)) or "zen"))
            log_score = 2.5 + 0.1 * depth + self.clock * math.log(ghz / 2.5) + self.smt * bool(row.smt_on)
            truth = math.exp(log_score + random.normal(0, self.spread))
            made.append(row._replace(hs23_total=truth * (row.physical_cores or 1)))
        return made


def test_a_known_law_is_recovered_within_the_interval() -> None:
    inside = total = 0
    for seed in range(3):
        table = Law().rows(seed)
        model = FamilyModel.fit(table)
        for row in table[::3]:
            left = model.without(row.key).of_core(rows.describe(row), smt_on=bool(row.smt_on))
            assert left is not None
            inside += (
                abs(math.log((row.hs23_total or 1) / (row.physical_cores or 1)) - left.log_score)
                <= left.sigma
            )
            total += 1
    assert total > 150
    assert 0.6 <= inside / total <= 0.85
