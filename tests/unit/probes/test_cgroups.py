"""Control groups of all kinds: where they are, and what their levels allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes import cgroups
from probes.cgroup_limits import CgroupReader
from tests.unit.probes.slot import V2_MOUNT, node, v1_mount, v2

NO_LIMIT_V1 = "9223372036854771712\n"


def test_every_level_of_a_nested_v2_group_is_a_level(tmp_path: Path) -> None:
    host = node(tmp_path, v2({"/job/step": {"cgroup.procs": ""}}, "/job/step"))

    groups = cgroups.read(host)

    assert groups.version == "v2"
    assert groups.hierarchies[0].levels == ("/sys/fs/cgroup/job/step", "/sys/fs/cgroup/job", "/sys/fs/cgroup")
    assert groups.problems == ()


def test_the_limits_of_all_parents_are_found_with_their_files(tmp_path: Path) -> None:
    files = v2(
        {
            "/job/step": {"cpu.max": "300000 100000\n", "memory.max": "536870912\n", "memory.high": "max\n"},
            "/job": {"cpu.max": "150000 100000\n", "memory.max": "201326592\n", "memory.high": "104857600\n"},
        },
        "/job/step",
    )

    reader = CgroupReader(node(tmp_path, files))

    assert reader.cpu_quotas() == (
        (3.0, "/sys/fs/cgroup/job/step/cpu.max"),
        (1.5, "/sys/fs/cgroup/job/cpu.max"),
    )
    assert min(reader.memory_limits()) == (104857600, "/sys/fs/cgroup/job/memory.high")
    assert {limit.value for limit in reader.memory_limits()} == {536870912, 201326592, 104857600}
    assert reader.problems == ()


def test_v1_trees_are_found_by_controller_and_hybrid_is_named(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "/proc/self/cgroup": "4:memory:/slurm/job_1\n3:cpuset:/\n1:cpu,cpuacct:/slurm/job_1\n0::/\n",
        "/proc/self/mountinfo": v1_mount("memory")
        + v1_mount("cpuset")
        + "42 31 0:42 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        + "43 31 0:43 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        "/sys/fs/cgroup/unified/cgroup.controllers": "",
        "/sys/fs/cgroup/memory/slurm/job_1/memory.limit_in_bytes": NO_LIMIT_V1,
        "/sys/fs/cgroup/memory/slurm/memory.limit_in_bytes": "4294967296\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT_V1,
        "/sys/fs/cgroup/memory/slurm/job_1/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        "/sys/fs/cgroup/cpu,cpuacct/slurm/job_1/cpu.cfs_quota_us": "250000\n",
        "/sys/fs/cgroup/cpu,cpuacct/slurm/job_1/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpuset/cpuset.cpus": "0-3\n",
    }

    reader = CgroupReader(node(tmp_path, files))

    assert reader.groups.version == "hybrid"
    assert reader.memory_limits() == ((4294967296, "/sys/fs/cgroup/memory/slurm/memory.limit_in_bytes"),)
    assert reader.cpu_quotas() == ((2.5, "/sys/fs/cgroup/cpu,cpuacct/slurm/job_1/cpu.cfs_quota_us"),)
    assert reader.cpuset() == (frozenset({0, 1, 2, 3}), "/sys/fs/cgroup/cpuset/cpuset.cpus")
    assert reader.oom_kills() == (3, "/sys/fs/cgroup/memory/slurm/job_1/memory.oom_control")
    assert reader.problems == ()


def test_v1_tells_the_limit_of_an_ancestor_outside_the_container(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "/proc/self/cgroup": "4:memory:/docker/abc\n",
        "/proc/self/mountinfo": v1_mount("memory", root="/docker/abc"),
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT_V1,
        "/sys/fs/cgroup/memory/memory.stat": "cache 0\nhierarchical_memory_limit 1073741824\n",
    }

    reader = CgroupReader(node(tmp_path, files))

    assert reader.groups.hierarchies[0].levels == ("/sys/fs/cgroup/memory",)
    assert reader.memory_limits() == ((1073741824, "/sys/fs/cgroup/memory/memory.stat"),)
    assert reader.problems == ()


@pytest.mark.parametrize("own", ["/docker/abc", "/../..", "/../sibling", "/kubepods/" + "x/" * 100])
def test_a_path_that_is_not_under_the_mount_falls_back_to_the_mount(tmp_path: Path, own: str) -> None:
    files = v2({"": {"memory.max": "1000000000\n"}}, own)

    reader = CgroupReader(node(tmp_path, files))

    assert reader.memory_limits() == ((1000000000, "/sys/fs/cgroup/memory.max"),)
    assert len(reader.problems) == 1
    assert "not under /sys/fs/cgroup" in reader.problems[0]


def test_a_path_equal_to_a_root_outside_the_namespace_is_the_mount_itself(tmp_path: Path) -> None:
    files = v2({"": {"pids.max": "100\n", "pids.current": "7\n"}}, "/../..")
    files["/proc/self/mountinfo"] = V2_MOUNT.replace("0:28 / ", "0:28 /../.. ")

    reader = CgroupReader(node(tmp_path, files))

    assert reader.pids() == ((100, 7, "/sys/fs/cgroup/pids.max"),)
    assert reader.problems == ()


def test_a_mount_point_with_a_blank_in_its_name_is_found(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "/proc/self/cgroup": "0::/job\n",
        "/proc/self/mountinfo": V2_MOUNT.replace("/sys/fs/cgroup", "/my\\040groups"),
        "/my groups/job/pids.max": "64\n",
    }

    assert CgroupReader(node(tmp_path, files)).pids() == ((64, None, "/my groups/job/pids.max"),)


def test_a_cpuset_comes_from_the_nearest_level_that_has_one(tmp_path: Path) -> None:
    files = v2(
        {"/job/step": {"cpu.max": "max 100000\n"}, "/job": {"cpuset.cpus.effective": "2-3\n"}}, "/job/step"
    )

    reader = CgroupReader(node(tmp_path, files))

    assert reader.cpuset() == (frozenset({2, 3}), "/sys/fs/cgroup/job/cpuset.cpus.effective")


@pytest.mark.parametrize(
    "content",
    [b"", b"-5 100000", b"100000 0", b"\xff\xfe\x00", b"9" * 30, b"1" * 70_000, b"99999999999999999999 1"],
)
def test_damaged_limits_are_problems_and_no_limits(tmp_path: Path, content: bytes) -> None:
    files = v2({"/job": {}}, "/job")
    files |= {f"/sys/fs/cgroup/job/{name}": content for name in ("cpu.max", "memory.max", "pids.max")}
    files["/sys/fs/cgroup/job/cpuset.cpus.effective"] = b"\xff\x00"

    reader = CgroupReader(node(tmp_path, files))

    assert (reader.cpu_quotas(), reader.memory_limits(), reader.cpuset()) == ((), (), None)
    assert any("/job/cpu.max" in problem for problem in reader.problems)
    assert any("/job/cpuset.cpus.effective" in problem for problem in reader.problems)
    assert all(problem.isprintable() for problem in reader.problems)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\n\n", b"0::relative\n", b"x" * 2_000_000, b"::\n" * 1000])
def test_a_damaged_list_of_groups_is_a_problem(tmp_path: Path, content: bytes) -> None:
    groups = cgroups.read(
        node(
            tmp_path, {"/proc/self/cgroup": content, "/proc/self/mountinfo": V2_MOUNT + "garbage - cgroup\n"}
        )
    )

    assert groups.hierarchies == ()
    assert groups.version is None
    assert 1 <= len(groups.problems) <= 64
    assert "/proc/self/cgroup" in groups.problems[0]


def test_a_machine_without_control_groups_says_so(tmp_path: Path) -> None:
    reader = CgroupReader(node(tmp_path, {"/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": "\n"}))

    assert reader.groups.version is None
    assert "no mount" in reader.problems[0]
