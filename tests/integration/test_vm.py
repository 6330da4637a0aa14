"""Whole machines of other kinds than this one: what the agent makes of them."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from probes.replay import Recording, ReplayDoor
from tests.lab import vm
from tests.lab.emulated import ask_door
from tests.lab.vm_console import MachineError, Question, VirtualMachine

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("vm")]

PYTHON = ("python3.11", "-I", "-c")


@pytest.fixture(params=["vm_x86_v2", "vm_neoverse_n1", "vm_power9"])
def machine(request: pytest.FixtureRequest) -> VirtualMachine:
    running: VirtualMachine = request.getfixturevalue(request.param)
    return running


# -- the lab itself: a test that trusts it must be able to fail ----------------------------------------


def test_a_command_gives_its_outputs_and_status_as_an_ordinary_user(machine: VirtualMachine) -> None:
    command = "id -u; cat /proc/self/cgroup; echo wrong >&2; mkdir /tmp/out; echo text >/tmp/out/file; exit 3"

    done = machine.run(
        ["sh", "-c", command], setup="mkdir -p /sys/fs/cgroup/own; rm -rf /tmp/out", cgroup="own"
    )

    assert (done.returncode, done.stdout, done.stderr) == (3, "1000\n0::/own\n", "wrong\n")
    assert machine.run(["true"], collect="/tmp/out").files == {"file": b"text\n"}


def test_a_failed_setup_is_an_error(machine: VirtualMachine) -> None:
    with pytest.raises(MachineError, match="exit 1: before"):
        machine.run(["true"], setup="echo before; false; echo after")


def test_a_command_that_hangs_costs_only_itself(vm_x86_v2: VirtualMachine) -> None:
    with pytest.raises(MachineError, match="killed in the machine after 1 s"):
        vm_x86_v2.run(["sleep", "600"], timeout_s=1)

    assert vm_x86_v2.run(["echo", "still here"]).stdout == "still here\n"


# -- two sockets, two NUMA nodes, cgroup v2 ---------------------------------------------------------------

CPU = "/sys/devices/system/cpu"
NODE = "/sys/devices/system/node"


def file(path: str) -> Question:
    return ("file", [path, 65_536])


def test_a_job_sees_two_packages_and_two_numa_nodes(vm_x86_v2: VirtualMachine) -> None:
    questions = [
        *(file(f"{CPU}/cpu{number}/topology/physical_package_id") for number in range(4)),
        *(file(f"{NODE}/node{number}/cpulist") for number in range(2)),
        ("stat", [f"{NODE}/node2", True]),
        file("/sys/fs/cgroup/cgroup.controllers"),
        ("uname", []),
    ]

    *packages, node0, node1, node2, controllers, uname = vm_x86_v2.ask(questions)

    assert [package.strip() for package in packages] == ["0", "0", "1", "1"]
    assert (node0.strip(), node1.strip(), node2) == ("0-1", "2-3", {"error": "ENOENT"})
    assert {"cpu", "cpuset", "memory", "pids"} <= set(controllers.split())
    assert uname[4] == "x86_64"


def test_a_nested_slice_shows_looser_limits_than_its_parent(vm_x86_v2: VirtualMachine) -> None:
    questions = [
        file("/proc/self/cgroup"),
        file("/sys/fs/cgroup/job/step/cpu.max"),
        file("/sys/fs/cgroup/job/step/memory.max"),
        file("/sys/fs/cgroup/job/cpu.max"),
        file("/sys/fs/cgroup/job/memory.max"),
        ("affinity", []),
        ("identity", []),
    ]

    own, *limits, affinity, identity = vm_x86_v2.ask(questions, setup=vm.NESTED_SLICE, cgroup="job/step")

    assert own == "0::/job/step\n"
    assert [limit.strip() for limit in limits] == ["300000 100000", "536870912", "150000 100000", "201326592"]
    assert affinity == [0, 1, 2]
    assert identity == [1000, 1000, 1000]


def test_the_parents_limits_are_the_ones_enforced(vm_x86_v2: VirtualMachine) -> None:
    burn = 'for _ in 1 2 3; do timeout 1 sh -c "while :; do :; done" & done; wait'
    vm_x86_v2.run(["sh", "-c", burn], setup=vm.NESTED_SLICE, cgroup="job/step")
    hog = vm_x86_v2.run([*PYTHON, f"b'1' * {250 << 20}"], cgroup="job/step")

    parent, own = vm_x86_v2.ask([file(f"/sys/fs/cgroup/{name}/cpu.stat") for name in ("job", "job/step")])
    (events,) = vm_x86_v2.ask([file("/sys/fs/cgroup/job/memory.events")])

    # The child's own, looser quota covers every CPU, so it bites at most when an emulated clock jumps.
    assert counters(parent)["nr_throttled"] > counters(own)["nr_throttled"]
    assert hog.returncode == -signal.SIGKILL
    assert counters(events)["oom_kill"] == 1


def counters(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


# -- other processors -------------------------------------------------------------------------------------

ARCHSPEC = "import archspec.cpu; print(archspec.cpu.host().name)"


def test_neoverse_n1_is_what_its_identification_registers_say(vm_neoverse_n1: VirtualMachine) -> None:
    cpuinfo, uname = vm_neoverse_n1.ask([file("/proc/cpuinfo"), ("uname", [])])

    assert re.findall(r"^CPU implementer\s*: (\w+)$", cpuinfo, re.MULTILINE) == ["0x41"] * 2
    assert re.findall(r"^CPU part\s*: (\w+)$", cpuinfo, re.MULTILINE) == ["0xd0c"] * 2
    assert uname[4] == "aarch64"
    assert vm_neoverse_n1.run([*PYTHON, ARCHSPEC]).stdout == "neoverse_n1\n"


def test_power9_is_what_the_firmware_says(vm_power9: VirtualMachine) -> None:
    cpuinfo, uname = vm_power9.ask([file("/proc/cpuinfo"), ("uname", [])])

    assert re.findall(r"^cpu\s*: (\w+)", cpuinfo, re.MULTILINE) == ["POWER9"] * 2
    assert uname[4] == "ppc64le"
    assert vm_power9.run([*PYTHON, ARCHSPEC]).stdout == "power9le\n"


def test_a_recording_made_there_gives_the_same_answers_here(machine: VirtualMachine, tmp_path: Path) -> None:
    questions: list[Question] = [
        file("/proc/cpuinfo"),
        file("/proc/meminfo"),
        file("/proc/self/status"),
        file("/proc/absent"),
        ("dir", [CPU]),
        ("dir", ["/proc/self/fd/0"]),
        ("affinity", []),
        ("uname", []),
        ("libc", []),
        ("limit", ["NOFILE"]),
        ("space", ["/tmp"]),
        ("run", [["uname", "-m"], 60.0, 1000, {}]),
        ("try_write", ["/tmp", 100_000]),
    ]

    there = machine.ask(questions, record=tmp_path / "recording")
    here = ask_door.answers(ReplayDoor(Recording(tmp_path / "recording"), ask_door.BY), questions)

    assert json.loads(json.dumps(here)) == there  # what crossed the console is JSON
    assert there[7][4] != os.uname().machine or there[7][1] != os.uname().nodename


# -- the agent, carried into a root that has nothing ---------------------------------------------------

BUILD = """
import json
from pathlib import Path
from agent import portable
agent = portable.build(Path("/tmp/portable"))
print(json.dumps([[[str(mount.source), mount.target] for mount in agent.mounts], agent.python]))
"""


@pytest.mark.parametrize("machine", ["vm_neoverse_n1", "vm_power9"], indirect=True)
def test_the_agents_python_runs_in_an_empty_root(machine: VirtualMachine) -> None:
    built = machine.run([*PYTHON, BUILD])
    assert built.returncode == 0, built.stderr
    mounts, python = json.loads(built.stdout)
    setup = ["mkdir -p /tmp/empty", "mount -t tmpfs tmpfs /tmp/empty"]
    for source, target in mounts:
        setup += [f"mkdir -p /tmp/empty{target}", f"mount --bind {source} /tmp/empty{target}"]

    done = machine.run(["chroot", "/tmp/empty", *python, "platform"], setup="\n".join(setup), uid=0)

    assert done.returncode == 0, done.stderr
    assert machine.run(["uname", "-m"]).stdout.strip() in done.stdout
    assert machine.run(["ls", "-A", "/tmp/empty"]).stdout == ".sitecap\n"
