"""Micro-architectures, and what makers publish."""

from __future__ import annotations

import pytest

from capacity.hs06 import processors, rows
from capacity.hs06.model import CpuDescription
from capacity.hs06.rows import describe
from tests.unit.capacity.hs06.nodes import MILAN_VM


@pytest.mark.parametrize(
    ("name", "microarchitecture"),
    [
        ("AMD EPYC 7551P 32-Core Processor", "zen"), ("AMD EPYC 7742 64-Core Processor", "zen2"),
        ("AMD EPYC 7B13 64-Core Processor", "zen3"), ("AMD EPYC 74F3 24-Core Processor", "zen3"),
        ("AMD EPYC 9654 96-Core Processor", "zen4"), ("AMD EPYC 9754 128-Core Processor", "zen4c"),
        ("AMD EPYC 8324P 32-Core Processor", "zen4c"), ("AMD EPYC 9575F 64-Core Processor", "zen5"),
        ("AMD EPYC 9965 192-Core Processor", "zen5c"), ("AMD EPYC 9845 160-Core Processor", "zen5c"),
        ("AMD Opteron(tm) Processor 6276", "bulldozer"), ("AMD Opteron(tm) Processor 6378", "piledriver"),
        ("Intel(R) Xeon(R) CPU E5520 @ 2.27GHz", "nehalem"), ("Intel(R) Xeon(R) CPU X5650 @ 2.67GHz", "westmere"),
        ("Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz", "sandybridge"), ("Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz", "skylake_avx512"),
        ("Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz", "cascadelake"), ("Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz", "icelake"),
        ("Intel(R) Xeon(R) Platinum 8480+", "sapphirerapids"), ("INTEL(R) XEON(R) PLATINUM 8592+", "emeraldrapids"),
        ("Intel(R) Xeon(R) 6980P", "graniterapids"), ("Intel(R) Xeon(R) 6780E", "sierraforest"),
        ("Neoverse-V2", "neoverse_v2"), ("Neoverse-N1 - Ampere(R) Altra(R) Processor", "neoverse_n1"),
        ("POWER9, altivec supported", None), ("", None),
    ],
)  # fmt: skip
def test_a_name_tells_its_generation(name: str, microarchitecture: str | None) -> None:
    assert processors.microarchitecture_of(CpuDescription(model_name=name)) == microarchitecture


def test_a_virtual_cpu_is_judged_by_its_numbers_before_its_flags() -> None:
    assert MILAN_VM.microarchitecture == "zen2"
    assert processors.microarchitecture_of(MILAN_VM) == "zen3"


def test_archspec_is_asked_last() -> None:
    assert processors.microarchitecture_of(CpuDescription(microarchitecture="icelake")) == "icelake"
    assert processors.microarchitecture_of(CpuDescription(microarchitecture="x86_64_v3")) is None


def test_cascade_lake_and_skylake_share_a_model_number() -> None:
    numbers = {"x86_family": 6, "x86_model": 85, "model_name": "Intel(R) Xeon(R) CPU @ 2.00GHz"}
    assert processors.microarchitecture_of(CpuDescription(**numbers)) == "skylake_avx512"
    assert (
        processors.microarchitecture_of(CpuDescription(**numbers, microarchitecture="cascadelake"))
        == "cascadelake"
    )


@pytest.mark.parametrize(
    ("cores", "packages", "key"),
    [
        (80, 1, "ampere altra"),
        (160, 2, "ampere altra"),
        (128, 1, "ampere altra max"),
        (None, None, "neoverse-n1"),
    ],
)
def test_altra_and_altra_max_are_told_by_their_cores(
    cores: int | None, packages: int | None, key: str
) -> None:
    assert (
        processors.key_of(CpuDescription(model_name="Neoverse-N1", physical_cores=cores, packages=packages))
        == key
    )


def test_every_lineage_ends_at_a_root() -> None:
    for name in processors.PARENTS:
        line = processors.lineage(name)
        assert line[-1] == name
        assert processors.PARENTS[line[0]] is None


def test_published_facts_belong_to_names_that_are_normal_and_agree_with_the_table() -> None:
    known = processors.published()
    table, _ = rows.shipped()
    for key, facts in known.items():
        assert processors.cpu_name.normalise(key) == key or key.startswith("ampere")
        assert 1.5 <= facts.nominal_ghz <= 5
        assert facts.clock_source
        assert (facts.l3_mib is None) == (facts.l3_source is None)
    for row in table:
        facts_of_row = processors.facts_of(row.key)
        if facts_of_row is None or row.virtual:
            continue
        if row.sockets and row.physical_cores and row.table == "HS23":
            assert row.physical_cores == row.sockets * facts_of_row.cores, row.cite
        if row.clock_ghz and row.table == "HS23":
            assert facts_of_row.nominal_ghz == pytest.approx(row.clock_ghz, abs=0.011), row.cite


def test_almost_every_published_node_has_a_known_micro_architecture() -> None:
    table, _ = rows.shipped()
    strangers = {row.cpu_model for row in table if processors.microarchitecture_of(describe(row)) is None}
    assert strangers <= {"Intel Xeon 3.00GHz"}
