"""Ask the agent's host door questions inside a container: what do the probes get to see there?"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.portable import PortableAgent

Question = tuple[str, Sequence[object]]

_SCRIPT = Path(__file__).with_name("emulated") / "ask_door.py"


class AskError(Exception):
    """The door came to grief in the container; the message is what it said."""


def code_command(agent: PortableAgent, code: str, *args: str) -> list[str]:
    """The carried interpreter running a piece of code that may import the agent's packages."""
    boot = (agent.mounts[0].source / "boot.py").read_text()
    import_path = next(line for line in boot.splitlines() if line.startswith("sys.path"))
    return [*agent.python[:-1], "-c", f"import sys; {import_path}\n{code}", *args]


def door_command(agent: PortableAgent, questions: Sequence[Question]) -> list[str]:
    """The command that answers the questions."""
    return code_command(agent, _SCRIPT.read_text(), json.dumps(questions))


def answers(done: subprocess.CompletedProcess[str]) -> list[Any]:
    """What :func:`door_command` answered: one JSON value a question, ``{"error": NAME}`` for a refusal.

    Raises:
        AskError: it failed.
    """
    if done.returncode != 0:
        raise AskError(f"exit {done.returncode}: {done.stderr[-2000:]}")
    found: list[Any] = json.loads(done.stdout)
    return found
