"""The properties that are compared between a host and a container: how each is read from the facts and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from profiles.base import Facts
from profiles.node_facts import NodeFacts

GIB = 1024**3


class Shown(NamedTuple):
    """A value as it is shown; None = not known, and `note` says why. A known value may have a note too."""

    text: str | None
    note: str | None = None


Getter = Callable[[NodeFacts], Shown | None]
"""None = the probe that would know did not run or did not finish."""


def _of(facts: Facts, field: str, text: str | None, note: str | None = None) -> Shown:
    return Shown(text, note) if text is not None else Shown(None, facts.absent.get(field) or "not recorded")


def _yes(value: bool | None) -> str | None:  # noqa: FBT001 - a fact, not a switch
    return None if value is None else ("yes" if value else "no")


def _gib(value_bytes: int | None) -> str | None:
    return None if value_bytes is None else f"{value_bytes / GIB:.2f} GiB"


def _system(facts: NodeFacts) -> Shown | None:
    found = facts.context
    return None if found is None else _of(found, "os_pretty_name", found.os_pretty_name)


def _runtime(facts: NodeFacts) -> Shown | None:
    found = facts.context
    return None if found is None else _of(found, "runtime", found.runtime)


def _libc(facts: NodeFacts) -> Shown | None:
    found = facts.context
    return None if found is None else _of(found, "libc", found.libc)


def _cores(facts: NodeFacts) -> Shown | None:
    found = facts.cores
    if found is None:
        return None
    text = None if found.effective_cores is None else f"{found.effective_cores:g}"
    return _of(found, "effective_cores", text, f"limited by {found.limited_by}" if found.limited_by else None)


def _memory(facts: NodeFacts) -> Shown | None:
    found = facts.memory
    if found is None:
        return None
    note = f"limited by {found.limited_by}" if found.limited_by else None
    return _of(found, "effective_bytes", _gib(found.effective_bytes), note)


def _scratch(facts: NodeFacts) -> Shown | None:
    found = facts.disk
    if found is None:
        return None
    if found.scratch is None:
        return _of(found, "scratch", None)
    text = found.scratch.filesystem_type or "file system of unknown type"
    if found.scratch.available_bytes is None:
        return Shown(None, found.scratch.error or "free space not recorded")
    # Whole GiB: the two looks are seconds apart, and something always writes.
    return Shown(f"{found.scratch.available_bytes // GIB} GiB free, {text}")


def _pids(facts: NodeFacts) -> Shown | None:
    found = facts.limits
    if found is None:
        return None
    return Shown(str(min(one.limit for one in found.pids)) if found.pids else "no limit")


def _open_files(facts: NodeFacts) -> Shown | None:
    found = facts.limits
    if found is None:
        return None
    limit = found.open_files
    text = None if limit is None else str(limit.soft)
    return _of(found, "open_files", text)


def _user_namespaces(facts: NodeFacts) -> Shown | None:
    found = facts.container
    if found is None:
        return None
    problem = found.user_namespaces_problem
    return _of(found, "user_namespaces_work", _yes(found.user_namespaces_work), problem)


def _pilot_runtime(facts: NodeFacts) -> Shown | None:
    found = facts.container
    if found is None:
        return None
    working = [one for one in found.pilot_runtimes if one.version]
    return Shown(f"{working[0].path.rsplit('/', 1)[-1]} {working[0].version}" if working else "none")


def _seccomp(facts: NodeFacts) -> Shown | None:
    found = facts.container
    return (
        None
        if found is None
        else _of(found, "seccomp", None if found.seccomp is None else str(found.seccomp))
    )


def _no_new_privs(facts: NodeFacts) -> Shown | None:
    found = facts.container
    return None if found is None else _of(found, "no_new_privs", _yes(found.no_new_privs))


def _capabilities(facts: NodeFacts) -> Shown | None:
    found = facts.container
    if found is None:
        return None
    held = found.effective_capabilities
    if held is None:
        return _of(found, "effective_capabilities", None)
    return Shown(str(len(held)), f"held there: {', '.join(held)}" if held else "none is held there")


def _gpus(facts: NodeFacts) -> Shown | None:
    found = facts.gpu
    if found is None:
        return None
    usable = (len(found.nvml.devices) if found.nvml else 0) + len(found.other)
    return Shown(str(usable), found.nvml.detail if found.nvml else None)


def _level(facts: NodeFacts) -> Shown | None:
    found = facts.cpu
    if found is None or found.x86_64_level is None:
        return None
    return Shown(f"x86-64-v{found.x86_64_level}")


def _architecture(facts: NodeFacts) -> Shown | None:
    found = facts.cpu
    return None if found is None else _of(found, "archspec_name", found.archspec_name)


COMPARED: tuple[tuple[str, Getter, str | None], ...] = (
    ("operating system", _system, "the image brings its own"),
    ("C library", _libc, "the image brings its own"),
    ("runtime around", _runtime, None),
    ("cores", _cores, "the container's cgroup or CPU set"),
    ("memory", _memory, "the container's cgroup"),
    ("scratch", _scratch, "the container's own layer or another mount"),
    ("processes limit", _pids, "the engine's pids limit"),
    ("open files", _open_files, "the engine sets its own limit"),
    ("user namespaces", _user_namespaces, "seccomp or missing capabilities"),
    ("pilot's runtime", _pilot_runtime, "programs come from the image, not from the host"),
    ("seccomp", _seccomp, "the engine's default profile"),
    ("no_new_privs", _no_new_privs, "the engine or runtime sets it"),
    ("capabilities", _capabilities, "the engine drops most of them"),
    ("usable GPUs", _gpus, "devices and driver libraries have to be handed in (--gpus, --nv, CDI)"),
    ("x86-64 level", _level, None),
    ("micro-architecture", _architecture, None),
)
"""What, how it is read, and why it usually differs."""
