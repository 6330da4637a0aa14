"""The mounts of this process from /proc/self/mountinfo, and which of them holds a path.

A library for probes, not a probe. Format: proc_pid_mountinfo(5).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from probes.host import MIB, Host

PATH = "/proc/self/mountinfo"
LIMIT_BYTES = 4 * MIB
"""Nodes with many containers have some thousands of mounts of up to 1 KiB each."""

_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line of mountinfo."""

    device_id: str
    """"major:minor", as in `FileStatus.device_id`."""
    root: str
    """The directory of the file system that is mounted here."""
    mount_point: str
    type: str
    source: str
    options: str
    """Options of the file system (not of the mount)."""


def read(host: Host) -> tuple[Mount, ...]:
    """All mounts, in the kernel's order; lines that are not mountinfo are left out.

    Raises:
        HostError: mountinfo cannot be read.
    """
    return parse(host.read_text(PATH, limit_bytes=LIMIT_BYTES))


def parse(text: str) -> tuple[Mount, ...]:
    """All mounts that a text in the format of mountinfo names."""
    return tuple(mount for line in text.split("\n") if (mount := _mount(line)) is not None)


def holding(mounts: tuple[Mount, ...], path: str, device_id: str | None) -> Mount | None:
    """The mount that holds an absolute path, None if no line fits.

    The device decides where it can: a symbolic link in the path leads elsewhere than its text says. Among
    the mounts of that device the deepest one above the path counts, and of two at one place the later.
    Subvolumes (btrfs) have devices that mountinfo does not show; there the text of the path decides.
    """
    above = [mount for mount in mounts if _is_above(mount.mount_point, path)]
    same = [mount for mount in mounts if mount.device_id == device_id]
    both = [mount for mount in above if mount.device_id == device_id]
    for candidates in (both, same, above):
        if candidates:
            return max(enumerate(candidates), key=lambda item: (len(item[1].mount_point), item[0]))[1]
    return None


def _is_above(mount_point: str, path: str) -> bool:
    return path == mount_point or path.startswith(mount_point.rstrip("/") + "/")


def _mount(line: str) -> Mount | None:
    fields = line.split(" ")
    try:
        end = fields.index("-", 6)
        device_id, root, mount_point = fields[2:5]
        kind, source, options = fields[end + 1 : end + 4]
    except ValueError:
        return None
    return Mount(device_id, _plain(root), _plain(mount_point), kind, _plain(source), options)


def _plain(field: str) -> str:
    """A field with its octal escapes (blank, tab, newline, backslash) undone."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)
