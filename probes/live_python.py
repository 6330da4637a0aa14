"""How to start another process of this very Python.

`sys.executable` is not enough: in a container that brings no Python of its own the agent is started through its own
dynamic loader (`agent.portable`), and only the kernel remembers that.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def python_command() -> list[str]:
    """The beginning of a command line that runs this interpreter, isolated (-I); append a script and its arguments.

    Raises:
        OSError: the kernel does not tell how this process was started, and Python does not know its own file.
    """
    own = Path("/proc/self/cmdline").read_bytes().split(b"\0")[:-1]
    given = [os.fsencode(word) for word in sys.orig_argv[1:]]
    before = own[: len(own) - len(given)]
    if given and own[len(before) :] == given and len(before) > 1:
        return [*map(os.fsdecode, before), "-I", "-S"]
    if not sys.executable:
        raise FileNotFoundError("Python does not know its own executable")
    return [sys.executable, "-I"]
