"""The agent itself on ARM and POWER, emulated: it reads what it reads natively."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from profiles.checks import CheckResult
from profiles.profile import CapabilityProfile
from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.cross import ForeignPython, foreign_python
from tests.lab.foreign import ARM64, PPC64EL, REPOSITORY, Architecture, python_tree
from tests.lab.profiles import complete_profile, replayed

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cross")]

RECORDED = REPOSITORY / "tests/hosts/recorded"


@pytest.fixture(scope="module", params=[ARM64, PPC64EL], ids=lambda architecture: architecture.machine)
def foreign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ForeignPython:
    architecture: Architecture = request.param
    try:
        return foreign_python(architecture, tmp_path_factory.mktemp(architecture.machine))
    except LabUnavailableError as reason:
        skip_or_fail(reason)


def probed(foreign: ForeignPython, *args: str, runtime_directory: Path) -> CapabilityProfile:
    runtime_directory.chmod(0o700)
    done = foreign.run(
        ["-m", "agent", "probe", "--json", "--quiet", "--exit-map", "always0", *args],
        env={"XDG_RUNTIME_DIR": str(runtime_directory)},
    )
    assert done.returncode == 0, done.stderr
    return complete_profile(done.stdout)


def timeless(result: CheckResult) -> dict[str, Any]:
    """A verdict without the time that its probe took."""
    return result.model_dump(exclude={"duration_s"})


@pytest.mark.parametrize("name", ["vm-x86-v2", "vm-power9"])
def test_a_recording_gives_the_same_profile_as_natively(
    foreign: ForeignPython, name: str, tmp_path: Path
) -> None:
    there = probed(foreign, "--replay", str(RECORDED / name), runtime_directory=tmp_path)
    here = replayed(RECORDED / name)

    assert there.facts.model_dump() == here.facts.model_dump()
    assert there.scope == here.scope
    assert [timeless(result) for result in there.checks] == [timeless(result) for result in here.checks]


def test_a_tree_of_another_system_is_described_from_outside(foreign: ForeignPython, tmp_path: Path) -> None:
    root = python_tree(foreign.architecture)

    profile = probed(
        foreign, "--root", str(root), "context", "batch", "cores", "cpu", "memory", runtime_directory=tmp_path
    )

    # It is a bare tree: no /proc, no /sys. What is not there is said to be absent, and why.
    context, memory = profile.facts.context, profile.facts.memory
    assert context is not None
    assert context.kernel_release is not None
    assert memory is not None
    assert memory.host_bytes is None
    assert "/proc/meminfo" in memory.absent["host_bytes"]
