"""The verdicts CPU-02 to CPU-08."""

from __future__ import annotations

from typing import Any

import pytest

from probes import cpu, isa, processor_models, scram
from profiles.checks import Status
from profiles.facts.batch import BatchFacts, ClaimSource, SlotClaim
from tests.unit.probes.cpu.processor import V3, facts, verdict


def claim(cores: float) -> BatchFacts:
    absent = {name: "not asked" for name, field in BatchFacts.model_fields.items() if not field.is_required()}
    given: dict[str, Any] = {
        name: None for name, field in BatchFacts.model_fields.items() if field.is_required()
    }
    given["claims"] = (SlotClaim(source=ClaimSource.SLURM, cores=cores),)
    return BatchFacts(**given, absent={**absent, **dict.fromkeys(given, "not asked")})


@pytest.mark.parametrize(("cores", "status"), [(128, Status.OK), (256, Status.WARNING)])
def test_cpu_02_threads_counted_as_cores(cores: float, status: Status) -> None:
    assert verdict("CPU-02", facts(), claim(cores)).status is status


def test_the_screen_shows_model_level_and_shape_in_sixty_characters() -> None:
    assert cpu.summarise(facts()) == "AMD EPYC 7763 64-Core, x86-64-v3, 2 × 64 cores, SMT2"
    assert len(cpu.summarise(facts(model_name="Intel(R) Xeon(R) " + "X" * 200))) <= 60


def test_cpu_02_without_smt_a_claim_of_all_cpus_is_right() -> None:
    assert verdict("CPU-02", facts(threads_per_core=1), claim(256)).status is Status.OK


@pytest.mark.parametrize(
    ("uname", "condor", "status"),
    [("aarch64", "aarch64", Status.OK), ("riscv64", None, Status.CRITICAL), (None, None, Status.UNKNOWN)],
)
def test_cpu_03_architecture(uname: str | None, condor: str | None, status: Status) -> None:
    assert verdict("CPU-03", facts(machine=uname, condor_arch=condor)).status is status


@pytest.mark.parametrize(
    ("level", "status"),
    [(4, Status.OK), (3, Status.OK), (2, Status.WARNING), (1, Status.CRITICAL), (0, Status.CRITICAL)],
)
def test_cpu_04_level(level: int, status: Status) -> None:
    assert verdict("CPU-04", facts(x86_64_level=level)).status is status


def test_cpu_04_a_site_may_ask_for_more() -> None:
    moved = {"CPU-04": {"warn_below_level": 4}}

    assert verdict("CPU-04", facts(x86_64_level=3), thresholds=moved).status is Status.WARNING


def test_cpu_04_arm_and_power_have_no_levels() -> None:
    about = facts(machine="ppc64le", x86_64_level=None, flags=None, archspec_name="power9le")

    assert verdict("CPU-04", about).status is Status.OK
    assert "power9le" in verdict("CPU-04", about).summary


@pytest.mark.parametrize(
    ("name", "level", "status"),
    [
        ("AMD EPYC 7763 64-Core Processor", 3, Status.OK),
        ("AMD EPYC 7763 64-Core Processor", 2, Status.WARNING),
        ("AMD EPYC 9654 96-Core Processor", 3, Status.WARNING),
        ("INTEL(R) XEON(R) GOLD 6542Y", 3, Status.WARNING),
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", 2, Status.WARNING),
        ("Intel(R) Xeon(R) CPU E5-2680 v2 @ 2.80GHz", 2, Status.SKIPPED),
    ],
)
def test_cpu_05_masked_flags(name: str, level: int, status: Status) -> None:
    flags = [flag for upto in range(1, level + 1) for flag in isa.LEVELS[upto]]

    assert verdict("CPU-05", facts(model_name=name, flags=tuple(flags), x86_64_level=level)).status is status


def test_cpu_05_names_what_is_missing() -> None:
    masked = tuple(flag for flag in V3 if flag != "avx2")

    assert verdict("CPU-05", facts(flags=masked, x86_64_level=2)).evidence == ("missing: avx2",)


def test_a_processor_without_a_telling_name_is_known_by_its_numbers() -> None:
    assert processor_models.known("AuthenticAMD", "AMD EPYC", 25, 1) == processor_models.known(
        "AuthenticAMD", "AMD EPYC 7763 64-Core Processor", None, None
    )
    assert processor_models.known("GenuineIntel", "Intel Xeon Processor (Icelake)", 6, 106) is not None
    assert processor_models.known("GenuineIntel", "QEMU Virtual CPU version 2.5+", 15, 107) is None


@pytest.mark.parametrize(
    ("governor", "driver", "preference", "status"),
    [
        ("performance", "acpi-cpufreq", None, Status.OK),
        ("powersave", "acpi-cpufreq", None, Status.WARNING),
        ("powersave", "intel_pstate", ("balance_performance",), Status.OK),
        ("powersave", "intel_pstate", ("power",), Status.WARNING),
        (None, None, None, Status.SKIPPED),
    ],
)
def test_cpu_06_governor(
    governor: str | None, driver: str | None, preference: tuple[str, ...] | None, status: Status
) -> None:
    about = facts(
        governors=(governor,) if governor else None, frequency_driver=driver, energy_preferences=preference
    )

    assert verdict("CPU-06", about).status is status


@pytest.mark.parametrize("governors", [("performance",), None])
def test_cpu_06_tells_of_throttling(governors: tuple[str, ...] | None) -> None:
    result = verdict("CPU-06", facts(governors=governors, throttle_events=17))

    assert result.status is Status.OK
    assert "throttled 17 times" in result.summary


def test_cpu_07_informs_about_open_vulnerabilities() -> None:
    about = facts(
        virtualised=True, hypervisor="QEMU", mitigations={"mds": "Vulnerable: no microcode", "l1tf": "ok"}
    )

    result = verdict("CPU-07", about)

    assert (result.status, result.value) == (Status.OK, 1)
    assert "virtual machine by QEMU" in result.summary
    assert result.evidence == ("mds: Vulnerable: no microcode",)


@pytest.mark.parametrize(("level", "status"), [(1, Status.WARNING), (2, Status.OK)])
def test_cpu_08_production_architecture(level: int, status: Status) -> None:
    about = facts(x86_64_level=level, scram_architectures_in_containers=scram.runnable("x86_64", level))

    assert verdict("CPU-08", about).status is status


def test_cpu_08_another_production_architecture_may_be_set() -> None:
    moved = {"CPU-08": {"production_amd64": "el9_amd64_gcc99"}}

    assert verdict("CPU-08", facts(), thresholds=moved).status is Status.WARNING
