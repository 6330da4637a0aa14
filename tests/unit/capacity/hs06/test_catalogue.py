"""Looking up a model: which rows count, how they are pooled, what is left out and shown."""

from __future__ import annotations

import math

import pytest

from capacity.hs06 import pooling, rows
from capacity.hs06.catalogue import FLAG, FLOOR, Catalogue
from capacity.hs06.family import Prediction
from capacity.hs06.model import CpuDescription, Method
from capacity.hs06.rows import Row, describe
from tests.unit.capacity.hs06.nodes import E5_2683, EPYC_7302, GOLD_6140, MILAN_VM, POWER9

CATALOGUE = Catalogue.shipped()


def with_smt(cpu: CpuDescription, *, on: bool) -> CpuDescription:
    cores = cpu.physical_cores or 1
    return cpu.model_copy(update={"threads_per_core": 1 + on, "logical_cpus": cores * (1 + on)})


def test_a_published_model_is_found_by_what_proc_cpuinfo_prints() -> None:
    rung = CATALOGUE.lookup(EPYC_7302)
    assert rung.method is Method.CATALOGUE
    assert rung.hs23_per_core == pytest.approx(15.3, abs=0.4)
    assert rung.sigma is not None
    assert FLOOR <= rung.sigma < 0.07
    assert "3 sites published 5 scores" in rung.says
    assert len(rung.inputs) == 5


def test_smt_states_are_never_mixed() -> None:
    on, off = (CATALOGUE.lookup(with_smt(EPYC_7302, on=state)) for state in (True, False))
    assert (off.hs23_per_core or 0) > 1.4 * (on.hs23_per_core or 1)
    numbers = {cited.split(" ")[0] for cited in on.inputs} & {cited.split(" ")[0] for cited in off.inputs}
    assert not numbers


def test_a_model_published_with_another_smt_state_only_says_so() -> None:
    rung = CATALOGUE.lookup(with_smt(CpuDescription(model_name="AMD EPYC 7763", physical_cores=128), on=True))
    assert rung.hs23_per_core is None
    assert "none of the published tables" in (rung.reason or "")
    only_off = with_smt(
        CpuDescription(model_name="Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", physical_cores=64), on=True
    )
    assert "SMT off only" in (CATALOGUE.lookup(only_off).reason or "")


def test_the_broken_node_is_left_out_and_shown() -> None:
    rung = CATALOGUE.lookup(E5_2683)
    assert rung.hs23_per_core == pytest.approx(9.8, abs=0.2)
    (left,) = (cited for cited in rung.inputs if cited.startswith("left out"))
    assert "328.2 HS23" in left
    assert "0.53 of what its family model expects" in left


def test_only_one_dedicated_row_is_an_outlier_of_the_shipped_table() -> None:
    judged = [row for row in CATALOGUE.rows if row.left_out and "family model expects" in row.left_out]
    assert [row.hs23_total for row in judged] == [328.2]


def test_a_row_is_left_out_on_both_sides_of_the_flag_and_kept_between() -> None:
    table, version = rows.shipped()
    (row,) = (row for row in table if row.key == "intel xeon gold 6336y")
    for factor, out in ((FLAG[0] * 0.93, True), (0.85, False), (1.3, False), (FLAG[1] * 1.07, True)):
        changed = [r._replace(hs23_total=(r.hs23_total or 0) * factor) if r is row else r for r in table]
        (judged,) = (r for r in Catalogue.of(changed, version).rows if r.number == row.number)
        assert bool(judged.left_out) is out, factor


def test_hs06_rows_count_only_where_there_is_no_hs23() -> None:
    rung = CATALOGUE.lookup(GOLD_6140)
    assert rung.hs23_per_core is not None
    assert all(" HS06 on " in cited for cited in rung.inputs)
    assert (rung.sigma or 0) >= 0.07
    assert "converted" in rung.says
    gold_6130 = CATALOGUE.lookup(CpuDescription(model_name="Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", packages=2, physical_cores=32, logical_cpus=64, threads_per_core=2))  # fmt: skip
    assert not any(" HS06 on " in cited for cited in gold_6130.inputs)


def test_half_of_the_memory_channels_count() -> None:
    """Gold 6140 was published by one site with 4 and with 8 DIMMs of 32 GB: 712 and 836 HS06, 16 % apart."""
    half, full = (
        CATALOGUE.lookup(GOLD_6140.model_copy(update={"memory_bytes": gib * 2**30})) for gib in (128, 256)
    )
    ratio = (half.hs23_per_core or 0) / (full.hs23_per_core or 1)
    assert 712 / 836 < ratio < 0.92
    assert "memory like this one's" in half.says
    unknown = CATALOGUE.lookup(GOLD_6140)
    assert (half.hs23_per_core or 0) < (unknown.hs23_per_core or 0) < (full.hs23_per_core or 0)
    assert "memory" not in unknown.says


def test_a_single_socket_sibling_stands_in_and_is_cited() -> None:
    rung = CATALOGUE.lookup(CpuDescription(model_name="AMD EPYC 7543P 32-Core Processor", packages=1, physical_cores=32, logical_cpus=64, threads_per_core=2))  # fmt: skip
    assert any("AMD EPYC 7543 32-Core" in cited for cited in rung.inputs)
    assert "(this node shows 64)" in rung.says


def test_arm_is_found_by_its_core_and_their_number() -> None:
    altra = CATALOGUE.lookup(CpuDescription(model_name="Neoverse-N1", arch="aarch64", packages=1, physical_cores=80, logical_cpus=80, threads_per_core=1))  # fmt: skip
    largest = CATALOGUE.lookup(CpuDescription(model_name="Neoverse-N1", arch="aarch64", packages=1, physical_cores=128, logical_cpus=128, threads_per_core=1))  # fmt: skip
    assert altra.hs23_per_core == pytest.approx(18.9, abs=0.8)
    assert largest.hs23_per_core == pytest.approx(16.4, abs=0.8)


def test_a_virtual_machine_of_a_known_model_may_be_given_cores_or_threads() -> None:
    rung = CATALOGUE.lookup(CpuDescription(model_name="AMD EPYC 7702P 64-Core Processor", arch="x86_64", logical_cpus=62, threads_per_core=1, virtualised=True))  # fmt: skip
    assert "SMT on or off (not visible)" in rung.says
    assert rung.sigma is not None
    assert rung.sigma > 0.25
    assert abs(math.log(19.0 / (rung.hs23_per_core or 1))) < math.hypot(rung.sigma, 0.15)


@pytest.mark.parametrize(
    "cpu",
    [
        MILAN_VM,
        POWER9,
        CpuDescription(),
        CpuDescription(model_name="Intel(R) Xeon(R) CPU @ 2.20GHz", logical_cpus=8),
    ],
)
def test_names_that_tell_no_model_get_a_reason(cpu: CpuDescription) -> None:
    rung = CATALOGUE.lookup(cpu)
    assert rung.hs23_per_core is None
    assert rung.reason


def test_a_virtual_brand_is_not_taken_for_a_published_model() -> None:
    """The table has a row of a virtual Haswell; another virtual Haswell is another machine."""
    rung = CATALOGUE.lookup(
        CpuDescription(
            model_name="Intel Core Processor (Haswell, no TSX, IBRS)", logical_cpus=24, threads_per_core=1
        )
    )
    assert rung.hs23_per_core is None


def test_excluded_rows_do_not_count() -> None:
    row = next(row for row in CATALOGUE.rows if row.key == "amd epyc 9124")
    assert CATALOGUE.lookup(describe(row)).hs23_per_core is not None
    assert CATALOGUE.lookup(describe(row), exclude={row.number}).hs23_per_core is None


def made(number: int, site: str, score: float, memory_gib: float = 256.0, **more: object) -> Row:
    row = next(row for row in CATALOGUE.rows if row.key == "amd epyc 7302" and row.smt_on)
    return row._replace(number=number, site=site, hs23_total=score * 64, memory_gib=memory_gib, **more)


def pooled(*table: Row, family: Prediction | None = None) -> pooling.Pool:
    return pooling.pool(table, "amd epyc 7302", EPYC_7302, family)


def test_many_rows_of_one_site_are_one_witness() -> None:
    one = pooled(made(1, "A", 10), made(2, "B", 12))
    many = pooled(*(made(n, "A", 10) for n in range(9)), made(20, "B", 12))
    assert many.log_score == pytest.approx(one.log_score)
    assert pooled(made(1, "IHEP", 10), made(2, "IHEP-new", 10), made(3, "B", 12)).log_score == pytest.approx(
        one.log_score
    )


def test_a_site_far_off_moves_the_figure_less_than_its_share() -> None:
    result = math.exp(pooled(*(made(n, f"S{n}", 15) for n in range(4)), made(9, "far", 9)).log_score)
    assert 14.0 < result < 15.0


def test_memory_counts_only_where_one_site_published_both() -> None:
    both = pooled(made(1, "A", 10, memory_gib=128), made(2, "A", 12, memory_gib=256))
    apart = pooled(made(1, "A", 10, memory_gib=128), made(2, "B", 12, memory_gib=256))
    assert 0.03 < both.memory_shift < math.log(12 / 10) / 2
    assert apart.memory_shift == 0


def test_more_sites_narrow_and_disagreement_widens() -> None:
    two = pooled(made(1, "A", 15), made(2, "B", 15.2))
    five = pooled(*(made(n, f"S{n}", 15 + 0.1 * n) for n in range(5)))
    apart = pooled(made(1, "A", 12), made(2, "B", 18))
    assert five.sigma < two.sigma < apart.sigma


def test_the_family_counts_like_a_witness_and_its_share_is_told() -> None:
    family = Prediction(math.log(10), pooling.SITE_SIGMA)
    result = pooled(made(1, "A", 12), family=family)
    assert result.family_weight == pytest.approx(0.5)
    assert result.log_score == pytest.approx(math.log(120) / 2)


def test_siblings_other_socket_counts_and_hs06_weigh_less() -> None:
    family = Prediction(math.log(10), 0.05)
    exact = pooled(made(1, "A", 12), family=family).family_weight
    for less in (
        {"key": "amd epyc 7302p"},
        {"logical_cpus": 32},
        {"table": "SL7", "hs23_total": None, "hs06_total": 768.0},
    ):
        row = made(1, "A", 12)._replace(**less)
        assert pooled(row, family=family).family_weight > exact + 0.01, less


def test_usual_memory_is_that_of_the_published_nodes() -> None:
    assert CATALOGUE.usual_memory_gib(EPYC_7302) == pytest.approx(246, abs=2)
    assert CATALOGUE.usual_memory_gib(MILAN_VM) is None
