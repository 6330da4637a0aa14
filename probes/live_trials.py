"""Things that are only proven by trying them: user namespaces, threads, opening devices, writing files."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import stat
import tempfile
import threading
import time

from probes.answers import Json

CLONE_NEWUSER = 0x10000000
"""unshare(2) flag, from <linux/sched.h>."""

BLOCK_BYTES = 1024 * 1024


def user_namespace() -> list[Json]:
    """Try unshare(CLONE_NEWUSER) in a forked child, so that this process keeps its namespace.

    Sysctls alone prove nothing: AppArmor, seccomp, SELinux, a chroot and no_new_privs have their say too.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        code = 255
        with contextlib.suppress(BaseException):
            code = 0 if libc.unshare(CLONE_NEWUSER) == 0 else min(ctypes.get_errno(), 254)
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return [False, None, f"the attempt was killed by signal {os.WTERMSIG(status)} (seccomp?)"]
    code = os.WEXITSTATUS(status)
    if code == 0:
        return [True, None, None]
    return [False, errno.errorcode.get(code, "EIO"), f"unshare(CLONE_NEWUSER): {os.strerror(code)}"]


def threads(count: int) -> list[Json]:
    """Start threads until `count` run at the same time or the system refuses one."""
    gate = threading.Event()
    started: list[threading.Thread] = []
    previous_bytes = threading.stack_size(256 * 1024)
    try:
        for _ in range(count):
            thread = threading.Thread(target=gate.wait, daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError):
                return [False, "EAGAIN", f"{len(started)} of {count} threads started"]
            started.append(thread)
    finally:
        gate.set()
        for thread in started:
            thread.join()
        threading.stack_size(previous_bytes)
    return [True, None, f"{count} threads started"]


def open_device(path: str, *, write: bool) -> list[Json]:
    """Open and close a path without reading it."""
    try:
        os.close(
            os.open(path, (os.O_RDWR if write else os.O_RDONLY) | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        )
    except OSError as error:
        return [False, errno.errorcode.get(error.errno or 0, "EIO"), error.strerror]
    return [True, None, None]


def write_file(directory: str, size_bytes: int) -> list[Json]:
    """Write `size_bytes` of random bytes to a private file, fsync, read back, compare hashes, delete.

    The file is made with O_EXCL under a random name and deleted whatever happens. Its pages are dropped from the
    cache before reading (POSIX_FADV_DONTNEED), so that the comparison is with the medium where the kernel obeys.
    """
    if not stat.S_ISDIR(os.stat(directory).st_mode):  # noqa: PTH116
        return [False, "ENOTDIR", f"{directory} is not a directory", 0, None, None, False]
    written = 0
    write_s: float | None = None
    descriptor, path = -1, ""
    try:
        descriptor, path = tempfile.mkstemp(prefix=".sitecap-", dir=directory)
        block = os.urandom(min(BLOCK_BYTES, size_bytes))
        sent = hashlib.sha256()
        began = time.perf_counter()
        while written < size_bytes:
            piece = block[: min(len(block), size_bytes - written)]
            count = os.write(descriptor, piece)
            sent.update(piece[:count])
            written += count
        os.fsync(descriptor)
        write_s = time.perf_counter() - began
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        read_s, same = _read_back(descriptor, sent.digest())
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "EIO")
        return [False, name, error.strerror, written, write_s, None, False]
    finally:
        if descriptor >= 0:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108
    detail = None if same else "what was read back differs from what was written"
    return [same, None, detail, written, write_s, read_s, same]


def _read_back(descriptor: int, expected: bytes) -> tuple[float, bool]:
    began = time.perf_counter()
    os.lseek(descriptor, 0, os.SEEK_SET)
    seen = hashlib.sha256()
    while piece := os.read(descriptor, BLOCK_BYTES):
        seen.update(piece)
    return time.perf_counter() - began, seen.digest() == expected
