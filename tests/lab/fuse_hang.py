"""A FUSE file system that never answers: what a dead CVMFS or NFS server looks like to a process that asks it.

The kernel's protocol is spoken by hand (<linux/fuse.h>), so that nothing has to be installed: a daemon mounts, answers
FUSE_INIT, takes every later request and answers none. A process that has asked sleeps in the kernel. Once its request
has been taken by the daemon, the kernel waits for the answer even when the process is killed, in state D: only
aborting the connection frees it (Documentation/filesystems/fuse.rst, "Interrupting filesystem operations"). A request
that the daemon has not yet taken is given up when the process is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.waiting import until

FUSE_INIT = 26
HEADER_IN = struct.Struct("<IIQQIIII")
"""struct fuse_in_header: len, opcode, unique, nodeid, uid, gid, pid, padding."""
HEADER_OUT = struct.Struct("<IiQ")
"""struct fuse_out_header: len, error, unique."""
INIT_OUT = struct.Struct("<IIIIHHII32x")
"""struct fuse_init_out of 64 bytes: major, minor, max_readahead, flags, max_background, threshold, max_write, gran."""
MAJOR, MINOR = 7, 31
REQUEST_BYTES = 128 * 1024 + 4096
MNT_DETACH = 2
CONTROL = Path("/sys/fs/fuse/connections")


def missing() -> str | None:
    """Why there can be no such file system here; None if there can."""
    if os.geteuid() != 0:
        return "mount(2) needs root"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "there is no /dev/fuse"
    return None


@dataclass
class Hang:
    """A mounted file system in which every question hangs.

    Attributes:
        path: the mount point.
        daemon: process id of the process that does not answer.
    """

    path: Path
    daemon: int
    _released: bool = False

    def release(self) -> None:
        """End the daemon: the kernel aborts the connection, and who slept in it gets ENOTCONN or dies."""
        if not self._released:
            self._released = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.daemon, signal.SIGKILL)
            os.waitpid(self.daemon, 0)
            _libc().umount2(os.fsencode(self.path), MNT_DETACH)


@contextlib.contextmanager
def hanging(path: Path, *, takes_requests: bool) -> Iterator[Hang]:
    """Mount a file system on the empty directory `path` that answers nothing after its start.

    Args:
        path: where to mount.
        takes_requests: True = requests are read and never answered, so that a killed asker stays in state D;
            False = they are not even read, so that a killed asker dies.
    """
    ready, said = os.pipe()
    daemon = os.fork()
    if daemon == 0:
        os.close(ready)
        with contextlib.suppress(BaseException):
            _serve(path, said, takes_requests=takes_requests)
        os._exit(1)
    os.close(said)
    hang = Hang(path, daemon)
    try:
        word = os.read(ready, 200)
        assert word == b"mounted", f"the file system did not come up: {word!r}"
        yield hang
    finally:
        os.close(ready)
        hang.release()


def in_uninterruptible_sleep(pid: int) -> bool:
    """Whether a process is in state D (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] == "D"
    except OSError:
        return False


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended, whether or not it has been reaped."""

    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] in "ZX"
        except OSError:
            return True

    until(f"end of process {pid}", gone, limit_s=60)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _serve(path: Path, said: int, *, takes_requests: bool) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode={stat.S_IFDIR | 0o755:o},user_id=0,group_id=0,allow_other"
    if _libc().mount(b"sitecap-hang", os.fsencode(path), b"fuse", 0, options.encode()) != 0:
        os.write(said, os.strerror(ctypes.get_errno()).encode())
        return
    _, opcode, unique, *_ = HEADER_IN.unpack_from(os.read(device, REQUEST_BYTES))
    if opcode != FUSE_INIT:
        os.write(said, f"first request is {opcode}".encode())
        return
    answer = INIT_OUT.pack(MAJOR, MINOR, 0, 0, 0, 0, 4096, 1)
    os.write(device, HEADER_OUT.pack(HEADER_OUT.size + len(answer), 0, unique) + answer)
    os.write(said, b"mounted")
    while takes_requests:
        os.read(device, REQUEST_BYTES)
    while True:
        signal.pause()
