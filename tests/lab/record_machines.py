"""Record the lab machines: ``python -m tests.lab.record_machines [NAME…]`` renews tests/hosts/recorded/NAME/.

Run it when the agent asks new questions; a recording holds the answers to the questions of its day. Run it on an
idle machine: emulated processors are slow, and a recording of a probe that ran out of time is refused.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.lab import LabUnavailableError
from tests.lab.foreign import REPOSITORY
from tests.lab.profiles import IncompleteProfileError, complete_profile
from tests.lab.vm import NEOVERSE_N1, NESTED_SLICE, POWER9, X86_V2, Machine, booted
from tests.lab.vm_console import MachineError

RECORDED = REPOSITORY / "tests/hosts/recorded"


def record(machine: Machine) -> Path:
    """Boot one machine, record a probe in it, and put the recording in the place of the old one."""
    nested = machine is X86_V2
    target = RECORDED / f"vm-{machine.name}"
    with tempfile.TemporaryDirectory() as private, booted(machine) as running:
        fresh = Path(private) / "recording"
        profile = running.record(
            fresh, setup=NESTED_SLICE if nested else "", cgroup="job/step" if nested else ""
        )
        complete_profile(json.dumps(profile))
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(fresh, target)
    print(f"{target.relative_to(REPOSITORY)}: {len(json.dumps(profile))} bytes of profile")
    return target


def main(names: list[str]) -> int:
    machines = {machine.name: machine for machine in (X86_V2, NEOVERSE_N1, POWER9)}
    if unknown := sorted(set(names) - set(machines)):
        print(f"no such machine: {', '.join(unknown)}; there are {', '.join(machines)}", file=sys.stderr)
        return 2
    try:
        for name in names or machines:
            record(machines[name])
    except (LabUnavailableError, MachineError, IncompleteProfileError) as error:
        print(f"cannot record: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
