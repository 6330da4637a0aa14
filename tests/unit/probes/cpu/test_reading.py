"""Packages, cores and threads are counted from what the kernel says, however damaged that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import cpu, processors, topology
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from profiles.checks import Status
from profiles.facts.cpu import CpuFacts
from tests.unit.probes.cpu.processor import SYSFS_CPUS, TARGETS, machine


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


def test_this_machine_replayed_is_this_machine(tmp_path: Path) -> None:
    begin(tmp_path / "kept")
    door = RecordingDoor(LiveDoor(), tmp_path / "kept", "cpu", None)
    live = cpu.gather(Host(door), Settings())
    door.close()
    finish(tmp_path / "kept", agent_version="0", created_at="2026-11-22T12:00:00Z", redacted=False)

    replayed = cpu.gather(Host(ReplayDoor(Recording(tmp_path / "kept"), "cpu")), Settings())

    assert replayed == live
    assert CpuFacts.model_validate_json(live.model_dump_json()) == live
