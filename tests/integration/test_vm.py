"""Whole machines of other kinds than this one: what the agent makes of them."""

from __future__ import annotations

import json

import pytest

from tests.lab import vm
from tests.lab.vm_console import MachineError, VirtualMachine

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("vm")]

# pytest finds fixtures by the names of the module.
vm_x86_v2 = vm.vm_x86_v2
vm_neoverse_n1 = vm.vm_neoverse_n1
vm_power9 = vm.vm_power9

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


# -- the agent, carried into a root that has nothing ---------------------------------------------------

BUILD = """
import json
from pathlib import Path
from agent import portable
agent = portable.build(Path("/tmp/portable"))
print(json.dumps([[[str(mount.source), mount.target] for mount in agent.mounts], agent.python]))
"""


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
