"""Small machines for tests of the slot's probes: a recording in a directory, behind the real replay door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from probes.host import Host
from probes.recording_layout import ANSWERS, MANIFEST, TREE
from probes.replay import Recording, ReplayDoor
from profiles.facts.cores import CoresFacts

EXT4_ROOT = "27 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"


def host(
    directory: Path,
    *,
    env: dict[str, str] | None = None,
    files: dict[str, str | bytes] | None = None,
    links: dict[str, str] | None = None,
    answers: list[tuple[str, list[Any], Any]] | None = None,
    errors: list[tuple[str, list[Any], list[str]]] | None = None,
) -> Host:
    """A host that says this and nothing else. `answers` and `errors`: question, arguments, what comes back."""
    tree = directory / TREE
    tree.mkdir(parents=True)
    for path, content in (files or {}).items():
        place = tree / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    for path, target in (links or {}).items():
        place = tree / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
    lines: list[dict[str, Any]] = [
        {"ask": "env", "args": [name], "answer": value} for name, value in (env or {}).items()
    ]
    lines += [{"ask": ask, "args": args, "answer": answer} for ask, args, answer in answers or []]
    lines += [{"ask": ask, "args": args, "error": error} for ask, args, error in errors or []]
    (directory / ANSWERS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (directory / MANIFEST).write_text(json.dumps({"recording_version": "1.0"}))
    return Host(ReplayDoor(Recording(directory), "test"))


def cores(effective: float, host_cpus: int = 64) -> CoresFacts:
    """What the cores probe says of a slot."""
    return CoresFacts(
        host_cpus=host_cpus,
        enforced_cores=effective,
        claimed_cores=None,
        effective_cores=effective,
        limited_by="quota",
        why="a quota",
        cgroup_version="v2",
        absent={"claimed_cores": "not in a batch slot"},
    )
