"""A real automounter for one directory: names appear in it only when somebody looks them up, as below /cvmfs.

The kernel's autofs asks by a pipe (<linux/auto_fs.h>, protocol 5, indirect mount); the daemon here mounts the repository
that was asked for, or says that it cannot.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.lab.cvmfs_mount import Tree, mounted
from tests.lab.fuse_hang import MNT_DETACH, missing

PACKET = struct.Struct("<iiIIQIIIII256s")
"""struct autofs_v5_packet: version, type, token, device, inode, uid, gid, pid, tgid, length of the name, name."""
PACKET_BYTES = 304
READY, FAIL = 0x9360, 0x9361
PROTOCOL = 5


def unavailable() -> str | None:
    """Why there can be no automounter here; None if there can."""
    if "autofs" not in Path("/proc/filesystems").read_text():
        return "this kernel has no autofs"
    return missing()


@contextlib.contextmanager
def automounted(path: Path, trees: Mapping[str, Tree]) -> Iterator[None]:
    """An automounter on an empty directory, which mounts these trees when they are asked for."""
    ready, said = os.pipe()
    daemon = os.fork()
    if daemon == 0:
        os.close(ready)
        os.setsid()  # the kernel lets the daemon's process group see the bare directory
        with contextlib.suppress(BaseException):
            _serve(path, trees, said)
        os._exit(1)
    os.close(said)
    try:
        word = os.read(ready, 200)
        assert word == b"mounted", f"the automounter did not come up: {word!r}"
        yield
    finally:
        os.close(ready)
        os.kill(daemon, signal.SIGTERM)
        os.waitpid(daemon, 0)
        ctypes.CDLL(None).umount2(os.fsencode(path), MNT_DETACH)


def _serve(path: Path, trees: Mapping[str, Tree], said: int) -> None:
    questions, kernel = os.pipe()
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={kernel},pgrp={os.getpgrp()},minproto={PROTOCOL},maxproto={PROTOCOL},indirect"
    if libc.mount(b"automount", os.fsencode(path), b"autofs", 0, options.encode()) != 0:
        os.write(said, os.strerror(ctypes.get_errno()).encode())
        return
    os.close(kernel)
    root = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    os.write(said, b"mounted")
    with contextlib.ExitStack() as mounts:
        while True:
            packet = os.read(questions, PACKET_BYTES)
            _, _, token, *_, length, name = PACKET.unpack_from(packet)
            wanted = name[:length].decode()
            if wanted in trees:
                (path / wanted).mkdir()
                mounts.enter_context(mounted(path / wanted, trees[wanted]))
            fcntl.ioctl(root, READY if wanted in trees else FAIL, token)
