"""Cores, memory and limits granted inside a nested cgroup v2 slice of a real kernel."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab import vm
from tests.lab.vm_console import VirtualMachine

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("vm")]

GATHER = """
import importlib, json
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
host, settings, facts, said = Host(LiveDoor()), Settings(), {}, {}
for name in ("cores", "memory", "limits"):
    probe = importlib.import_module("probes." + name).PROBE
    facts[name] = probe.gather(host, settings)
    said[name] = facts[name].model_dump(mode="json")
    for result in probe.judge(facts[name], Judging(probe, settings, facts)):
        said[result.id] = result.model_dump(mode="json")
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(vm_x86_v2: VirtualMachine) -> dict[str, Any]:
    """What an ordinary user in job/step is told, whose job says that it was granted 3 cores and 512 MiB."""
    done = vm_x86_v2.run(
        ["python3.11", "-I", "-c", GATHER],
        setup=vm.NESTED_SLICE,
        cgroup="job/step",
        env={
            "PATH": "/usr/bin:/bin",
            "SLURM_JOB_ID": "7",
            "SLURM_CPUS_ON_NODE": "3",
            "SLURM_MEM_PER_NODE": "512",
        },
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_parents_quota_is_what_we_have(said: dict[str, Any]) -> None:
    cores = said["cores"]

    assert (cores["host_cpus"], cores["effective_cores"], cores["limited_by"]) == (4, 1.5, "quota")
    assert cores["cgroup_version"] == "v2"
    assert {source["name"]: source["cores"] for source in cores["sources"]} == {
        "host": 4,
        "affinity": 3,
        "cpuset": 3,
        "quota": 1.5,
        "slurm": 3,
    }
    assert "/sys/fs/cgroup/job/cpu.max" in cores["why"]
    assert said["CPU-01"]["status"] == "WARNING"


def test_the_parents_memory_is_what_we_have(said: dict[str, Any]) -> None:
    memory = said["memory"]

    assert (memory["effective_bytes"], memory["claimed_bytes"]) == (192 << 20, 512 << 20)
    assert memory["limited_by"] == "cgroup"
    assert said["MEM-01"]["status"] == "WARNING"
    assert said["MEM-02"]["status"] == "CRITICAL"


def test_the_step_has_no_room_for_its_threads_beyond_pids_max(said: dict[str, Any]) -> None:
    (level,) = said["limits"]["pids"]

    assert (level["path"], level["limit"]) == ("/sys/fs/cgroup/job/step/pids.max", 100)
    # 64 threads a core for 1.5 cores are 96: they fit into 100 with the interpreter itself.
    assert said["limits"]["threads_tried"] == 96
    assert said["limits"]["threads_work"] is True
    assert said["LIM-02"]["status"] == "OK"
