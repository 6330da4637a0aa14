"""The cpu probe: reading processors, topology and state; and the verdicts CPU-02 to CPU-08."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import archspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import cpu, isa, microarchitecture, processor_models, processors, scram, topology
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import Recording, RecordingDoor, ReplayDoor, begin, finish
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.batch import BatchFacts, ClaimSource, SlotClaim
from profiles.facts.cpu import CpuFacts

TARGETS = Path(archspec.__file__).parent / "json/tests/targets"
"""Real /proc/cpuinfo files that archspec brings; a file is named after the target that archspec must detect."""

V3 = [flag for level in (1, 2, 3) for flag in isa.LEVELS[level]]
SYSFS_CPUS = "sys/devices/system/cpu"


def machine(tmp_path: Path, files: dict[str, str | bytes], uname: str = "x86_64") -> Host:
    """A recorded machine of some files."""
    for path, content in files.items():
        target = tmp_path / "root" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "root").mkdir(exist_ok=True)
    answers = [
        {"ask": "uname", "args": [], "answer": ["Linux", "n", "6", "", uname]},
        {"ask": "libc", "args": [], "answer": "glibc 2.28"},
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in answers))
    (tmp_path / "recording.json").write_text('{"recording_version": "1.0"}')
    return Host(ReplayDoor(Recording(tmp_path), "cpu"))


def facts(**known: Any) -> CpuFacts:
    """Facts of a good x86 node with changes; every field that is None has a reason."""
    fields: dict[str, Any] = {
        "machine": "x86_64",
        "condor_arch": "X86_64",
        "vendor": "AuthenticAMD",
        "model_name": "AMD EPYC 7763 64-Core Processor",
        "flags": tuple(V3),
        "x86_64_level": 3,
        "archspec_name": "x86_64_v3",
        "packages": 2,
        "physical_cores": 128,
        "threads_per_core": 2,
        "governors": ("performance",),
        "frequency_driver": "acpi-cpufreq",
        "virtualised": False,
        "mitigations": {"meltdown": "Not affected"},
        "libc": "glibc 2.34",
        "scram_architectures": scram.runnable("x86_64", 3, (2, 34)),
        "scram_architectures_in_containers": scram.runnable("x86_64", 3),
        **known,
    }
    return CpuFacts(
        **fields, absent={name: "not asked" for name in CpuFacts.model_fields if fields.get(name) is None}
    )


def verdict(check_id: str, about: CpuFacts, batch: BatchFacts | None = None, **settings: Any) -> CheckResult:
    known = {} if batch is None else {"batch": batch}
    results = cpu.judge(about, Judging(cpu.PROBE, Settings(**settings), known))
    assert [result.id for result in results] == [check.id for check in cpu.PROBE.checks]
    return next(result for result in results if result.id == check_id)


# -- reading ---------------------------------------------------------------------------------------------


def test_this_machine_gets_the_name_that_archspec_gives_it() -> None:
    from archspec.cpu import host

    found = cpu.gather(Host(LiveDoor()), Settings())

    assert found.archspec_name == str(host())


@pytest.mark.parametrize("published", sorted(TARGETS.glob("linux-*")), ids=lambda path: path.name)
def test_published_processors_get_archspecs_name(published: Path) -> None:
    expected = published.name.split("-", 2)[2]
    text = published.read_text("utf-8", "replace")
    read = processors.parse(text)
    if "hart" in text or "isa" in {line.split(":")[0].strip() for line in text.splitlines()}:
        pytest.skip("CMSSW has no builds for RISC-V, so there is no rule for it")
    if read.power_generation is not None:
        uname, vendor = ("ppc64le", "IBM")
        expected = expected.removesuffix("le") + "le"
    elif read.arm:
        uname, vendor = "aarch64", microarchitecture.arm_vendor(read.arm[0].implementer)
    else:
        uname, vendor = "x86_64", read.vendor

    match = microarchitecture.match(
        microarchitecture.Processor(
            machine=uname,
            vendor=vendor,
            features=read.flags or frozenset(),
            generation=read.power_generation or 0,
            part=read.arm[0].part if read.arm else None,
        )
    )

    assert match is not None
    assert match.name == expected


def test_one_masked_flag_is_the_reason_why_not_zen4() -> None:
    read = processors.parse((TARGETS / "linux-rocky8.5-zen4").read_text())
    assert read.flags is not None
    masked = read.flags - {"avx512_bf16"}

    match = microarchitecture.match(
        microarchitecture.Processor(machine="x86_64", vendor=read.vendor, features=masked)
    )

    assert match is not None
    assert match.name == "x86_64_v4"
    assert ("zen4", ("avx512_bf16",)) in match.next_targets


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_each_flag_of_the_table_is_needed_for_its_level(level: int) -> None:
    whole = {flag for upto in range(1, level + 1) for flag in isa.LEVELS[upto]}
    assert isa.level_of(whole) == level

    for flag in isa.LEVELS[level]:
        assert isa.level_of(whole - {flag}) == level - 1
        assert isa.missing_of(whole - {flag})[level] == (flag,)


@pytest.mark.parametrize("level", [2, 3, 4])
def test_the_table_agrees_with_archspecs(level: int) -> None:
    from archspec.cpu import TARGETS as ARCHSPEC

    theirs = {"pni" if name == "sse3" else name for name in ARCHSPEC[f"x86_64_v{level}"].features}
    ours = {flag for upto in range(1, level + 1) for flag in isa.LEVELS[upto]}

    assert theirs - ours == set()
    assert ours - theirs <= set(isa.LEVELS[1])  # archspec leaves the oldest ones out


def test_flags_that_one_processor_lacks_are_not_promised() -> None:
    read = processors.parse("processor: 0\nflags: sse sse2 avx2\n\nprocessor: 1\nflags: sse sse2\n")

    assert read.flags == {"sse", "sse2"}


def test_hostile_cpuinfo_gives_nothing_and_no_error(tmp_path: Path) -> None:
    hostile = b"processor : 0\nmodel : -1\ncpu family : 99999999999999999999\ncpu MHz : nan\nflags :\n\xff\xfe\x00:\n"

    found = cpu.gather(machine(tmp_path, {"proc/cpuinfo": hostile}), Settings())

    assert (found.model, found.family, found.frequency_now_mhz, found.flags) == (None, None, None, None)
    assert found.x86_64_level is None
    assert found.scram_architectures_in_containers is None


def test_what_a_processor_calls_itself_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    hostile = f"processor : 0\nvendor_id : {'A' * 100_000}\nmodel name : \x1b[2JEPYC\x07\n"

    found = cpu.gather(machine(tmp_path, {"proc/cpuinfo": hostile}), Settings())

    assert found.model_name == "[2JEPYC"
    assert len(found.vendor or "") < 1000


def test_counters_of_absurd_size_are_not_believed(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{SYSFS_CPUS}/online": "0-63\n"}
    for number in range(64):
        files[f"{SYSFS_CPUS}/cpu{number}/thermal_throttle/core_throttle_count"] = "9" * 18

    assert cpu.gather(machine(tmp_path, files), Settings()).throttle_events is None


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_no_cpuinfo_breaks_the_reading(text: str) -> None:
    read = processors.parse("processor : 0\n" + text)

    assert read.online >= 1
    assert read.frequency_mhz is None or read.frequency_mhz > 0


def test_without_sysfs_cpuinfo_counts_packages_and_cores(tmp_path: Path) -> None:
    text = "".join(
        f"processor : {number}\nphysical id : {number // 4}\ncore id : {number % 4 // 2}\n\n"
        for number in range(8)
    )

    found = cpu.gather(machine(tmp_path, {"proc/cpuinfo": text}), Settings())

    assert (found.online_cpus, found.packages, found.physical_cores, found.threads_per_core) == (8, 2, 4, 2)


def test_a_machine_without_any_files_is_not_guessed(tmp_path: Path) -> None:
    found = cpu.gather(machine(tmp_path, {}), Settings())

    assert (found.packages, found.physical_cores, found.caches, found.numa_nodes) == (None, None, None, None)
    assert "No such file" in found.absent["flags"]
    assert {result.status for result in cpu.judge(found, Judging(cpu.PROBE, Settings(), {}))} <= {
        Status.UNKNOWN,
        Status.SKIPPED,
        Status.OK,
    }
    assert len(cpu.summarise(found)) <= 60


@pytest.mark.parametrize("garbage", ["", "-3", "0-", "4294967296", "0-99999999", "\x00\x01"])
def test_damaged_sibling_lists_give_no_count(tmp_path: Path, garbage: str) -> None:
    files: dict[str, str | bytes] = {
        f"{SYSFS_CPUS}/online": "0-1\n",
        f"{SYSFS_CPUS}/cpu0/topology/core_cpus_list": garbage,
        f"{SYSFS_CPUS}/cpu0/topology/package_cpus_list": "0-1\n",
    }

    found = topology.read(machine(tmp_path, files))

    assert found.packages == 1
    assert found.cores is None
    assert "core_cpus_list" in found.problems["cores"]


def test_a_node_of_768_cpus_costs_one_file_for_each_group(tmp_path: Path) -> None:
    asked: list[str] = []

    class Counting:
        def ask(self, kind: str, args: list[Any]) -> Any:
            asked.append(kind)
            return inner.ask(kind, args)

        def observe(self, name: str, args: list[Any], live: Any) -> Any:
            raise AssertionError(name)

    files: dict[str, str | bytes] = {f"{SYSFS_CPUS}/online": "0-767\n"}
    for core in range(384):
        directory = f"{SYSFS_CPUS}/cpu{core}"
        files[f"{directory}/topology/thread_siblings_list"] = f"{core},{core + 384}\n"
        package = core // 192
        files[f"{directory}/topology/core_siblings_list"] = (
            f"{package * 192}-{package * 192 + 191},{384 + package * 192}-{384 + package * 192 + 191}\n"
        )
    machine(tmp_path, files)
    inner = ReplayDoor(Recording(tmp_path), "cpu")

    found = topology.read(Host(Counting()))

    assert (found.packages, found.cores, found.threads_per_core) == (2, 384, 2)
    assert asked.count("file") <= 384 + 2 + 8


def test_an_offline_sibling_is_not_a_thread(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{SYSFS_CPUS}/online": "0\n"}
    files[f"{SYSFS_CPUS}/cpu0/topology/core_cpus_list"] = "0-1\n"

    assert topology.read(machine(tmp_path, files)).threads_per_core == 1


def test_throttling_adds_cores_and_takes_a_package_once(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"proc/cpuinfo": "processor: 0\n", f"{SYSFS_CPUS}/online": "0-1\n"}
    for number, core in ((0, 3), (1, 4)):
        directory = f"{SYSFS_CPUS}/cpu{number}/thermal_throttle"
        files[f"{directory}/core_throttle_count"] = f"{core}\n"
        files[f"{directory}/package_throttle_count"] = "10\n"

    assert cpu.gather(machine(tmp_path, files), Settings()).throttle_events == 17


def test_grace_and_power_are_told_by_their_own_lines(tmp_path: Path) -> None:
    grace = (TARGETS / "linux-rhel9-neoverse_v2").read_text()
    found = cpu.gather(machine(tmp_path / "a", {"proc/cpuinfo": grace}, "aarch64"), Settings())
    assert found.arm_cores is not None
    assert (found.vendor, found.arm_cores[0].part_name, found.sve2) == ("ARM", "Neoverse-V2", True)
    assert found.x86_64_level is None

    power = (TARGETS / "linux-rhel8-power9").read_text()
    found = cpu.gather(machine(tmp_path / "p", {"proc/cpuinfo": power}, "ppc64le"), Settings())
    assert (found.vendor, found.power_generation, found.archspec_name) == ("IBM", 9, "power9le")
    assert found.scram_architectures == ("el8_ppc64le_gcc11", "el8_ppc64le_gcc12")


# -- builds ----------------------------------------------------------------------------------------------


def test_builds_need_the_level_of_their_os_and_a_c_library_at_least_as_new() -> None:
    old = scram.runnable("x86_64", 1)
    assert "el8_amd64_gcc12" in old
    assert not [build for build in old if build.startswith(("el9", "el10"))]
    assert "el9_amd64_gcc13" in scram.runnable("x86_64", 2)
    assert "el10_amd64_gcc14" not in scram.runnable("x86_64", 2)
    assert "el10_amd64_gcc14" in scram.runnable("x86_64", 3)
    assert {build.split("_")[0] for build in scram.runnable("x86_64", 3, (2, 28))} == {"slc7", "el8"}
    assert scram.runnable("riscv64", None) == ()
    assert scram.runnable("x86_64", None) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("glibc 2.34", (2, 34)),
        ("glibc 2.17.1", (2, 17)),
        ("musl 1.2", None),
        ("glibc x.y", None),
        (None, None),
    ],
)
def test_the_c_library_is_read_or_not_known(text: str | None, expected: tuple[int, int] | None) -> None:
    assert scram.glibc_version(text) == expected


# -- verdicts --------------------------------------------------------------------------------------------


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


def test_this_machine_replayed_is_this_machine(tmp_path: Path) -> None:
    begin(tmp_path / "kept")
    door = RecordingDoor(LiveDoor(), tmp_path / "kept", "cpu", None)
    live = cpu.gather(Host(door), Settings())
    door.close()
    finish(tmp_path / "kept", agent_version="0", created_at="2026-11-22T12:00:00Z", redacted=False)

    replayed = cpu.gather(Host(ReplayDoor(Recording(tmp_path / "kept"), "cpu")), Settings())

    assert replayed == live
    assert CpuFacts.model_validate_json(live.model_dump_json()) == live
