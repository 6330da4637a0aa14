"""Where this process's control groups are in the file system: cgroup v1, v2, hybrid, namespaced, nested.

A library for probes. The path is resolved from /proc/self/cgroup and /proc/self/mountinfo and never taken
from a constant (joblib/loky#634). A limit of any level binds all levels below it, so every hierarchy is given
as the list of its levels from the process's own group up to the top that can be seen from here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from probes.errors import HostError
from probes.host import KIB, Host

OWN_GROUPS: Final = "/proc/self/cgroup"
MOUNTS: Final = "/proc/self/mountinfo"

MAX_LEVELS: Final = 64
"""Deeper nesting than any batch system makes; bounds what a hostile path can cost."""

_OCTAL = re.compile(r"\\([0-7]{3})")

Version = Literal["v1", "v2", "hybrid"]


@dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """One mounted tree of control groups that this process is in.

    Attributes:
        version: 1 or 2.
        controllers: v1: those mounted together, e.g. {"cpu", "cpuacct"}; v2: empty, every level has its own.
        levels: directories, own group first, the visible top last.
        note: a sentence where the own group's directory could not be found, else None.
    """

    version: Literal[1, 2]
    controllers: frozenset[str]
    levels: tuple[str, ...]
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Groups:
    """All hierarchies of this process, and what could not be read, one sentence each."""

    hierarchies: tuple[Hierarchy, ...]
    problems: tuple[str, ...]

    @property
    def version(self) -> Version | None:
        """Which kind of machine this is; None if no hierarchy can be seen."""
        versions = {hierarchy.version for hierarchy in self.hierarchies}
        if versions == {1, 2}:
            return "hybrid"
        return "v1" if versions == {1} else "v2" if versions == {2} else None

    def of(self, controller: str) -> tuple[Hierarchy, ...]:
        """Hierarchies that may limit by this controller: the v1 tree of that name, and the v2 tree."""
        return tuple(tree for tree in self.hierarchies if tree.version == 2 or controller in tree.controllers)


@dataclass(frozen=True)
class _Mount:
    root: str
    """Directory of the hierarchy that is mounted: "/", or a group's path in a container."""
    point: str
    version: Literal[1, 2]
    options: frozenset[str]


def read(host: Host) -> Groups:
    """Find this process's groups. Never raises: what cannot be read is in `problems`."""
    problems: list[str] = []
    own = _text(host, OWN_GROUPS, problems)
    mounts = _text(host, MOUNTS, problems)
    if own is None or mounts is None:
        return Groups(hierarchies=(), problems=tuple(problems))
    mounted = _mounts(mounts)
    found: list[Hierarchy] = []
    for number, line in enumerate(own.splitlines()[:256], 1):
        fields = line.split(":", 2)
        if len(fields) != 3 or not fields[0].isdecimal() or not fields[2].startswith("/"):
            problems.append(f"{OWN_GROUPS}, line {number}: not a line of the form number:controllers:/path")
            continue
        controllers = frozenset(name for name in fields[1].split(",") if name)
        tree = _hierarchy(host, controllers, fields[2], mounted)
        if tree is not None:
            found.append(tree)
    if not found and not problems:
        problems.append(f"{MOUNTS} shows no mount of the control groups in {OWN_GROUPS}")
    problems += [tree.note for tree in found if tree.note is not None and _limits(tree)]
    return Groups(hierarchies=tuple(found), problems=tuple(dict.fromkeys(problems))[:64])


def _text(host: Host, path: str, problems: list[str]) -> str | None:
    try:
        return host.read_text(path, limit_bytes=1024 * KIB)
    except HostError as error:
        problems.append(f"{path} could not be read: {error.text}")
        return None


def _mounts(text: str) -> list[_Mount]:
    """Mounts of cgroup file systems: proc_pid_mountinfo(5). Lines that are damaged are no mounts."""
    found = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if not separator or len(fields) < 6 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        version: Literal[1, 2] = 2 if kind[0] == "cgroup2" else 1
        options = frozenset(kind[2].split(","))
        found.append(_Mount(_unescaped(fields[3]), _unescaped(fields[4]), version, options))
    return found


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def _hierarchy(host: Host, controllers: frozenset[str], path: str, mounts: list[_Mount]) -> Hierarchy | None:
    version: Literal[1, 2] = 1 if controllers else 2
    fitting = [mount for mount in mounts if mount.version == version and controllers <= mount.options]
    if not fitting:
        return None
    for mount in fitting:
        parts = _below(mount.root, path)
        if parts is None:
            continue
        own = _join(mount.point, parts)
        if host.exists(own):
            levels = [_join(mount.point, parts[:depth]) for depth in range(len(parts), -1, -1)]
            return Hierarchy(version=version, controllers=controllers, levels=tuple(levels), note=None)
    # A container without a cgroup namespace names the host's path, while the mount shows the container's
    # own group as its root; a path such as /../.. leads out of the namespace. What is mounted has to do.
    top = fitting[0].point
    what = ",".join(sorted(controllers)) or "cgroup v2"
    note = (
        f"{what}: the group {path[:200]!r} is not under {top}, so only the limits of {top} itself are known"
    )
    return Hierarchy(version=version, controllers=controllers, levels=(top,), note=note)


def _below(root: str, path: str) -> list[str] | None:
    """Components of `path` below the mounted directory `root`; None if it does not lie there."""
    mounted = [part for part in root.split("/") if part]
    parts = [part for part in path.split("/") if part]
    if parts[: len(mounted)] != mounted:
        return None
    rest = parts[len(mounted) :]
    return None if ".." in rest or len(rest) >= MAX_LEVELS else rest


def _limits(tree: Hierarchy) -> bool:
    return tree.version == 2 or bool(tree.controllers & {"cpu", "cpuset", "memory", "pids"})


def _join(point: str, parts: list[str]) -> str:
    return "/".join([point.rstrip("/"), *parts]) or "/"
