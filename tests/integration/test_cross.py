"""The agent's binary parts on ARM and POWER: wheels, ctypes structures, system calls."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.elf import ElfLinks, read_links
from tests.lab import LabUnavailableError, need_commands, skip_or_fail
from tests.lab.cross import EMULATED, ForeignPython, foreign_python, shared_library
from tests.lab.foreign import ARM64, PPC64EL, REPOSITORY, Architecture, python_tree

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cross")]

LIMITS = ("NOFILE", "NPROC", "STACK", "CORE", "MEMLOCK", "FSIZE", "CPU")


@pytest.fixture(scope="module", params=[ARM64, PPC64EL], ids=lambda architecture: architecture.machine)
def foreign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ForeignPython:
    architecture: Architecture = request.param
    try:
        return foreign_python(architecture, tmp_path_factory.mktemp(architecture.machine))
    except LabUnavailableError as reason:
        skip_or_fail(reason)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("four")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


def output(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ask_here(questions: list[Any]) -> Any:
    script = EMULATED / "ask_door.py"
    return output(
        subprocess.run(
            [sys.executable, script, json.dumps(questions)],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
        )
    )


def ask_there(foreign: ForeignPython, questions: list[Any]) -> Any:
    return output(foreign.run([str(EMULATED / "ask_door.py"), json.dumps(questions)]))


def test_it_is_the_other_architecture(foreign: ForeignPython) -> None:
    code = "import platform, pydantic_core; print(platform.machine(), pydantic_core.__version__)"
    import pydantic_core

    done = foreign.run(["-c", code])

    assert done.stdout.split() == [foreign.architecture.machine, pydantic_core.__version__], done.stderr


def test_system_calls_answer_as_they_do_natively(foreign: ForeignPython, folder: Path) -> None:
    questions: list[Any] = [
        *(["stat", [str(path), follow]] for path in (folder, folder / "file") for follow in (True, False)),
        ["stat", [str(folder / "link"), False]],
        ["stat", [str(folder / "loop"), True]],
        ["stat", ["/dev/null", True]],
        ["stat", ["/proc/self", False]],
        ["file", [str(folder / "file"), 100]],
        ["file", [str(folder / "file"), 3]],
        ["link", [str(folder / "link")]],
        ["dir", [str(folder)]],
        ["dir", [str(folder / "file")]],
        *(["limit", [name]] for name in LIMITS),
        ["affinity", []],
        ["identity", []],
        ["try_open", ["/dev/null", True]],
        ["try_open", [str(folder / "absent"), False]],
        ["try_threads", [8]],
        ["run", [["sh", "-c", "echo out; echo err >&2; exit 3"], 30.0, 1000, {}]],
        ["run", [["sh", "-c", "kill -TERM $$"], 30.0, 1000, {}]],
        ["env_names", ["PATH"]],
    ]

    there = dict(zip(map(json.dumps, questions), ask_there(foreign, questions), strict=True))
    here = dict(zip(map(json.dumps, questions), ask_here(questions), strict=True))

    assert there == here


def test_answers_that_are_not_the_same_each_time(foreign: ForeignPython, folder: Path) -> None:
    size_bytes = 3 * 2**20 + 1
    space = ("space", [str(folder)])

    space_there, written, uname = ask_there(
        foreign, [space, ("try_write", [str(folder), size_bytes]), ("uname", [])]
    )
    (space_here,) = ask_here([space])

    # Others write to the same file system meanwhile, so only its sizes are equal to the digit.
    total, available, inodes, inodes_available, read_only = space_there
    assert (total, inodes, read_only) == (space_here[0], space_here[2], space_here[4])
    assert 0 < available <= total
    assert 0 <= inodes_available <= inodes
    works, errno_name, detail, written_bytes, _, _, verified = written
    assert (works, errno_name, detail, written_bytes, verified) == (True, None, None, size_bytes, True)
    assert sorted(path.name for path in folder.iterdir()) == ["file", "link", "loop"]
    assert uname[4] == foreign.architecture.machine


def test_pynvml_structures_are_the_compilers(foreign: ForeignPython, tmp_path: Path) -> None:
    try:
        library = shared_library(
            foreign.architecture, [EMULATED / "nvml_layouts.c"], tmp_path / "liblayouts.so"
        )
    except LabUnavailableError as reason:
        skip_or_fail(reason)

    seen = output(foreign.run([str(EMULATED / "read_layouts.py"), str(library)]))

    assert seen["pynvml"] == seen["compiler"]
    assert len(seen["compiler"]) > 20
    assert seen["doubled"] == [2 * 85899345920, 2, 6]
    assert seen["swapped"] == [12, 97]
    assert seen["called_back"] == ord("n") + 2**40 + 0.5 + 1.0


def test_programs_of_the_other_architecture_are_read_as_readelf_reads_them(foreign: ForeignPython) -> None:
    try:
        need_commands("readelf")
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    root = python_tree(foreign.architecture)
    programs = [
        root / "usr/bin/python3.11",
        root / "bin/busybox",
        *root.glob("usr/lib/python3.11/lib-dynload/*.so"),
    ]
    assert len(programs) > 10

    for program in programs:
        said = subprocess.run(
            ["readelf", "--wide", "--program-headers", "--dynamic", program],
            check=True,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        ).stdout
        interpreter = re.search(r"program interpreter: (\S+)]", said)
        needed = tuple(re.findall(r"\(NEEDED\) .*\[(\S+)]", said))

        assert read_links(program) == ElfLinks(interpreter and interpreter[1], needed), program
