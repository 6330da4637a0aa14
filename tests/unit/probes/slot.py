"""A worker node made of a file tree and a few answers, behind the real replay door."""

from __future__ import annotations

import json
from pathlib import Path

from probes.host import Host
from probes.replay import Recording, ReplayDoor

MEMINFO = "MemTotal:       16000000 kB\nMemAvailable:   12000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"

V2_MOUNT = "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"


def v1_mount(controller: str, root: str = "/", number: int = 40) -> str:
    """A line of mountinfo."""
    return f"{number} 31 0:{number} {root} /sys/fs/cgroup/{controller} rw,relatime - cgroup cgroup rw,{controller}\n"


def node(
    directory: Path,
    files: dict[str, str | bytes] | None = None,
    *,
    cpus: str = "0-7",
    affinity: list[int] | None = None,
    env: dict[str, str] | None = None,
    answers: list[dict[str, object]] | None = None,
) -> Host:
    """A machine with these files, this affinity (None = all of 8 CPUs) and this environment."""
    tree = {"/sys/devices/system/cpu/online": f"{cpus}\n", "/proc/meminfo": MEMINFO, **(files or {})}
    for path, content in tree.items():
        place = directory / "root" / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    lines = [
        {"ask": "affinity", "args": [], "answer": list(range(8)) if affinity is None else affinity},
        {"ask": "try_threads", "args": [1], "answer": [True, None, "all threads started"]},
        *({"ask": "env", "args": [name], "answer": value} for name, value in (env or {}).items()),
        *(answers or []),
    ]
    manifest = {"recording_version": "1.0", "agent_version": "0", "created_at": "2026-01-01T00:00:00Z"}
    (directory / "recording.json").write_text(json.dumps(manifest))
    (directory / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Host(ReplayDoor(Recording(directory), "test"))


def v2(groups: dict[str, dict[str, str]], own: str) -> dict[str, str | bytes]:
    """Files of a cgroup v2 machine: group path → file name → content; `own` is our group."""
    files: dict[str, str | bytes] = {"/proc/self/cgroup": f"0::{own}\n", "/proc/self/mountinfo": V2_MOUNT}
    for group, said in groups.items():
        files.update({f"/sys/fs/cgroup{group}/{name}": content for name, content in said.items()})
    return files
