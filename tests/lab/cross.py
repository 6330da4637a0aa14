"""Programs of another architecture on this machine's kernel, by QEMU's user emulation.

The system calls are this kernel's, their numbers and structures the other architecture's: where ctypes or a
compiled wheel gets a layout wrong, it shows here within seconds. /proc and /sys stay those of this machine.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import LabUnavailableError, need_commands
from tests.lab.foreign import Architecture, put_project, python_tree

EMULATED = Path(__file__).parent / "emulated"
# An emulated start of Python takes about 1 s; this only bounds a hang.
RUN_TIMEOUT_S = 240.0
COMPILE_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class ForeignPython:
    """A Python of another architecture, with sitecap and its runtime libraries."""

    architecture: Architecture
    executable: Path
    """Starts without registered binary formats; children start too: it is ``sys.executable`` there."""

    def run(
        self, args: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run this Python, isolated (-I); with ``env`` as its whole environment."""
        return subprocess.run(
            [self.executable, "-I", *args],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **(env or {})},
            stdin=subprocess.DEVNULL,
            timeout=RUN_TIMEOUT_S,
        )


def foreign_python(architecture: Architecture, private: Path) -> ForeignPython:
    """Make a virtual environment in ``private`` whose interpreter is one of ``architecture``, emulated.

    Raises:
        LabUnavailableError: QEMU's user emulation is not installed, or the packages cannot be had.
    """
    if architecture.qemu_user is None:
        raise LabUnavailableError(f"{architecture.machine} needs no user emulation here")
    need_commands(architecture.qemu_user)
    root = python_tree(architecture)
    site = private / "lib/python3.11/site-packages"
    site.mkdir(parents=True)
    put_project(site, private)
    (private / "pyvenv.cfg").write_text(f"home = {root}/usr/bin\ninclude-system-site-packages = true\n")
    executable = private / "bin/python3.11"
    executable.parent.mkdir()
    command = [architecture.qemu_user, "-L", str(root), "-0", str(executable), f"{root}/usr/bin/python3.11"]
    executable.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    executable.chmod(0o755)
    return ForeignPython(architecture, executable)


def shared_library(architecture: Architecture, sources: Sequence[Path], out: Path, *options: str) -> Path:
    """Compile C sources to a shared library of ``architecture``.

    Raises:
        LabUnavailableError: its cross compiler is not installed.
    """
    if architecture.compiler is None:
        raise LabUnavailableError(f"no cross compiler known for {architecture.machine}")
    need_commands(architecture.compiler)
    warnings = ("-Wall", "-Wextra", "-Werror")
    subprocess.run(
        [architecture.compiler, "-shared", "-fPIC", "-O1", *warnings, *options, "-o", out, *sources],
        check=True,
        timeout=COMPILE_TIMEOUT_S,
    )
    return out
