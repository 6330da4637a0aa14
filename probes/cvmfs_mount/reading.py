"""Reading a mounted repository as a job does: its root directory, one known file, some more at random."""

from __future__ import annotations

import random
import time
from collections import deque

from probes.errors import HostError
from probes.host import MIB, Host
from profiles.facts.cvmfs_mount import FileSample

SAMPLE_FILES = 10
"""As CMS's pilot start-up test (PSST) reads."""

MAX_FILE_BYTES = 4 * MIB
MAX_DIRECTORIES = 24
MAX_STATS = 240
SAMPLE_S = 6.0
"""Bound on the walk and on the reading together: each new directory may fetch a catalog."""


def read_file(host: Host, root: str, path: str) -> FileSample:
    """Read one file whole and compare its size with what stat(2) says; never raises."""
    try:
        size_bytes = host.stat(f"{root}{path}").size_bytes
    except HostError as error:
        return FileSample(path=path, error=error.errno_name)
    if size_bytes > MAX_FILE_BYTES:
        return FileSample(path=path, size_bytes=size_bytes, error="ETOOLARGE")
    try:
        content = host.read_bytes(f"{root}{path}", limit_bytes=MAX_FILE_BYTES)
    except HostError as error:
        return FileSample(path=path, size_bytes=size_bytes, error=error.errno_name)
    return FileSample(path=path, size_bytes=size_bytes, read_bytes=len(content))


def sample(host: Host, root: str) -> tuple[FileSample, ...]:
    """Some files picked at random near the root, read whole.

    What comes to be picked is random, so that a node that is asked every hour sees other files each time; the seed is
    part of the recording, so that a replay picks the same.
    """
    seed = host.observe("random seed", [root], lambda: random.SystemRandom().getrandbits(32))
    pick = random.Random(seed if isinstance(seed, int) else 0)  # noqa: S311 - not for cryptography
    end = time.monotonic() + SAMPLE_S
    found = _files(host, root, pick, end)
    read: list[FileSample] = []
    for path in pick.sample(found, min(SAMPLE_FILES, len(found))):
        if time.monotonic() > end:
            break
        read.append(read_file(host, root, path))
    return tuple(read)


def _files(host: Host, root: str, pick: random.Random, end: float) -> list[str]:
    """Regular files of a size that is read, breadth first, in a bounded number of directories."""
    files: list[str] = []
    waiting = deque([""])
    stats = 0
    for _ in range(MAX_DIRECTORIES):
        if not waiting or stats >= MAX_STATS or time.monotonic() > end:
            break
        directory = waiting.popleft()
        names = list(host.list_dir_or_empty(f"{root}{directory}"))
        pick.shuffle(names)
        for name in names[: MAX_STATS // 8]:
            stats += 1
            path = f"{directory}/{name}"
            try:
                status = host.stat(f"{root}{path}", follow=False)
            except HostError:
                continue
            if status.kind == "directory":
                waiting.append(path)
            elif status.kind == "file" and status.size_bytes <= MAX_FILE_BYTES and status.mode & 0o444:
                files.append(path)
    return files
