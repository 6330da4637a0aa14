"""One key for one model, whoever prints its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.hs06.cpu_name import normalise, parse


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        ("intel xeon e5-2683 v4", ["Intel(R) Xeon(R) CPU E5-2683 v4 @ 2.10GHz", "Intel Xeon E5-2683v4"]),
        ("intel xeon e5-2670", ["Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz", "Intel Xeon E5-2670"]),
        ("intel xeon e5-2660", ["Intel Xeon E5 2660", "Intel(R) Xeon(R) CPU E5-2660 0 @ 2.20GHz"]),
        ("intel xeon e5-4650l", ["Intel(R) Xeon(R) CPU E5-4650L 0 @ 2.60GHz"]),
        ("intel xeon x5650", ["Intel(R) Xeon(R) CPU           X5650  @ 2.67GHz", "Intel Xeon X5650"]),
        ("intel xeon 5160", ["Intel(R) Xeon(R) CPU            5160  @ 3.00GHz", "Intel Xeon 5160"]),
        (
            "intel xeon silver 4114",
            ["Intel(R) Xeon(R) Silver 4114 CPU @ 2.20GHz", "Intel Xeon Scalable Silver 4114"],
        ),
        ("intel xeon gold 6130", ["Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", "Intel Xeon Gold 6130"]),
        ("intel xeon gold 6530", ["INTEL(R) XEON(R) GOLD 6530", "Intel(R) Xeon(R) Gold 6530"]),
        ("intel xeon platinum 8592+", ["INTEL(R) XEON(R) PLATINUM 8592+"]),
        ("intel xeon max 9480", ["Intel (R) Xeon (R) CPU Max 9480", "Intel(R) Xeon(R) CPU Max 9480"]),
        ("intel xeon 6972p", ["Intel(R) Xeon(R) 6972P"]),
        ("amd epyc 7302p", ["AMD EPYC 7302P 16-Core Processor", "AMD EPYC 7302P"]),
        ("amd epyc 7451", ["AMD EPYC 7451 24-Core Processor", "AMD EPYC 7451"]),
        ("amd opteron 2376", ["Quad-Core AMD Opteron(tm) Processor 2376", "AMD Opteron 2376"]),
        ("amd opteron 6272", ["AMD Opteron(TM) Processor 6272", "AMD Opteron 6272"]),
        ("amd opteron 270", ["Dual Core AMD Opteron(tm) Processor 270", "AMD Opteron 270"]),
        ("amd ryzen 7 pro 4750u", ["AMD Ryzen 7 PRO 4750U with Radeon Graphics"]),
        ("ampere altra", ["Neoverse-N1 - Ampere(R) Altra(R) Processor"]),
        ("ampere altra max m128-30", ["Neoverse-N1 - Ampere(R) Altra(R) Max Processor M128-30 3.00GHz"]),
        ("neoverse-v2", ["Neoverse-V2"]),
        ("ibm power9", ["POWER9, altivec supported", "POWER9 (raw), altivec supported"]),
    ],
)
def test_spellings_of_one_model_have_one_key(key: str, spellings: list[str]) -> None:
    assert {normalise(name) for name in spellings} == {key}
    assert all(parse(name).model for name in spellings)


@pytest.mark.parametrize(
    ("name", "microarchitecture"),
    [
        ("Intel Core Processor (Haswell, no TSX, IBRS)", "haswell"),
        ("Intel Xeon Processor (Skylake, IBRS)", "skylake_avx512"),
        ("Intel Xeon Processor (Cascadelake)", "cascadelake"),
        ("Intel Xeon E312xx (Sandy Bridge)", "sandybridge"),
        ("Westmere E56xx/L56xx/X56xx (Nehalem-C)", "westmere"),
        ("AMD EPYC-Rome Processor", "zen2"),
        ("AMD EPYC-Milan Processor", "zen3"),
        ("AMD EPYC Processor (with IBPB)", None),
        ("AMD EPYC", None),
        ("AMD EPYC Processor", None),
        ("Intel(R) Xeon(R) Processor @ 2.90GHz", None),
        ("QEMU Virtual CPU version 2.5+", None),
        ("Common KVM processor", None),
        ("Genuine Intel(R) CPU 0000 @ 2.20GHz", None),
        ("AMD Eng Sample: 100-000000053-04_32/20_N", None),
        ("", None),
    ],
)
def test_names_that_hide_the_model_say_so(name: str, microarchitecture: str | None) -> None:
    found = parse(name)
    assert not found.model
    assert found.why
    assert found.microarchitecture == microarchitecture


def test_engineering_samples_are_told_apart() -> None:
    assert normalise("AMD Eng Sample: 100-000000053-04_32/20_N") != normalise(
        "Genuine Intel(R) CPU 0000 @ 2.20GHz"
    )


@pytest.mark.parametrize(
    ("name", "clock_ghz"),
    [
        ("Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz", 2.9),
        ("Neoverse-N1 - Ampere(R) Altra(R) Max Processor M128-30 3.00GHz", 3.0),
        ("AMD EPYC 7302 16-Core Processor", None),
        ("Intel(R) Xeon(R) CPU E5-2670 0 @ 99.9GHz", None),
    ],
)
def test_nominal_clock_is_read_from_the_name(name: str, clock_ghz: float | None) -> None:
    assert parse(name).clock_ghz == clock_ghz


def test_different_models_keep_different_keys() -> None:
    names = [
        "AMD EPYC 7302",
        "AMD EPYC 7302P",
        "AMD EPYC 7303",
        "AMD EPYC 73F3",
        "Intel Xeon E5-2670",
        "Intel Xeon E5-2670 v2",
    ]
    assert len({normalise(name) for name in names}) == len(names)


@given(st.text(max_size=400))
def test_any_text_has_a_key_that_is_its_own_key(name: str) -> None:
    key = normalise(name)
    assert len(key) <= 400
    assert "  " not in key
    assert normalise(name + " ") == key or len(name) >= 255


def test_a_megabyte_of_text_is_cut() -> None:
    assert normalise("Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz" + " x" * 500_000).startswith(
        "intel xeon gold 6326"
    )
