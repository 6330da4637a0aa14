"""Who descends from a process: commands of a killed probe have sessions of their own, so its group is not all."""

from __future__ import annotations

from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Children of a process, their children and so on, as /proc shows them now (field 4 of /proc/PID/stat)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text("utf-8", "replace").rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            continue  # it has ended meanwhile
        children.setdefault(parent, []).append(int(entry.parent.name))
    found: list[int] = []
    todo = [pid]
    while todo:
        below = children.pop(todo.pop(), [])
        found += below
        todo += below
    return found
