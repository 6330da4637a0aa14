"""A small FUSE file system that looks like a mounted CVMFS repository: files, the client's extended attributes, faults.

The real client is in no registry. What a probe sees of it is a mount: names, sizes, bytes and attributes, so this one
speaks the kernel's FUSE protocol by hand (<linux/fuse.h>) and answers from a tree in memory. Files may fail with an errno,
be shorter than their size says, or never be answered; attributes may be protected.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import os
import signal
import stat
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.lab.fuse_hang import (
    FUSE_INIT,
    HEADER_IN,
    HEADER_OUT,
    INIT_OUT,
    MAJOR,
    MINOR,
    MNT_DETACH,
    REQUEST_BYTES,
)

FORGET, BATCH_FORGET, INTERRUPT = 2, 42, 36
LOOKUP, GETATTR, OPEN, READ, STATFS, RELEASE, GETXATTR, FLUSH, OPENDIR, READDIR, RELEASEDIR = (
    1, 3, 14, 15, 17, 18, 22, 25, 27, 28, 29,
)  # fmt: skip
ROOT_NODE = 1
DIRECT_IO = 1
"""FOPEN_DIRECT_IO: sizes are not trusted by the kernel, so a file can be shorter than it says."""

ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
"""struct fuse_attr: ino, size, blocks, atime, mtime, ctime, three × nsec, mode, nlink, uid, gid, rdev, blksize, flags."""
ENTRY_OUT = struct.Struct("<QQQQII")
ATTR_OUT = struct.Struct("<QII")
DIRENT = struct.Struct("<QQII")
READ_IN = struct.Struct("<QQI")
GETXATTR_IN = struct.Struct("<II")

ATTRIBUTES: dict[str, str] = {
    "version": "2.11.2.0",
    "revision": "42",
    "root_hash": "0123456789abcdef0123456789abcdef01234567",
    "host": "http://stratum-one.example.org:8000/cvmfs/lab.example.org",
    "proxy": "http://squid.example.org:3128",
    "nioerr": "0",
    "timestamp_last_ioerr": "0",
    "ncleanup24": "0",
    "nclg": "3",
    "usedfd": "45",
    "maxfd": "65536",
    "inode_max": "4711",
    "uptime": "90",
    "pid": "1",
}
"""What a healthy client answers (CVMFS documentation, "Client debugging information")."""


@dataclass(frozen=True)
class Broken:
    """A file that cannot be read.

    Attributes:
        errno_name: what read(2) gives, e.g. "EIO"; None = fewer bytes than the size says.
        size_bytes: as stat(2) says.
        hangs: the read is never answered.
    """

    errno_name: str | None = None
    size_bytes: int = 100
    hangs: bool = False


Value = str | int | Sequence[str]
"""Of an attribute: a text, the negative of an errno, or texts that are given one after the other."""


@dataclass(frozen=True)
class Tree:
    """What is mounted.

    Attributes:
        files: absolute path → content, or how it is broken; directories follow from the paths.
        attributes: name without "user." → value; what is not here is ENODATA.
        hangs: nothing at all is answered.
    """

    files: Mapping[str, bytes | Broken]
    attributes: Mapping[str, Value] = field(default_factory=lambda: dict(ATTRIBUTES))
    hangs: bool = False

    def with_attributes(self, **values: Value) -> Tree:
        """The same with some attributes changed."""
        return replace(self, attributes={**self.attributes, **values})


@contextlib.contextmanager
def mounted(path: Path, tree: Tree) -> Iterator[int]:
    """Mount a tree on an empty directory until the block ends; gives the process id of its daemon."""
    ready, said = os.pipe()
    daemon = os.fork()
    if daemon == 0:
        os.close(ready)
        with contextlib.suppress(BaseException):
            _Server(tree).serve(path, said)
        os._exit(1)
    os.close(said)
    try:
        word = os.read(ready, 200)
        assert word == b"mounted", f"the file system did not come up: {word!r}"
        yield daemon
    finally:
        os.close(ready)
        os.kill(daemon, signal.SIGKILL)
        os.waitpid(daemon, 0)
        _libc().umount2(os.fsencode(path), MNT_DETACH)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


class _RefusalError(Exception):
    def __init__(self, number: int) -> None:
        self.number = number


class _Server:
    """Answers the kernel's requests; a node id is the position of its path."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        directories = {"/"}
        for name in tree.files:
            directories.update(str(parent) for parent in Path(name).parents)
        self._paths = ["", "/", *sorted(directories - {"/"}), *tree.files]
        self._nodes = {path: number for number, path in enumerate(self._paths)}
        self._directories = directories
        self._counters = {name: itertools.count() for name in tree.attributes}

    def serve(self, path: Path, said: int) -> None:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={device},rootmode={stat.S_IFDIR | 0o755:o},user_id=0,group_id=0,allow_other"
        if _libc().mount(b"cvmfs2", os.fsencode(path), b"fuse", 0, options.encode()) != 0:
            os.write(said, os.strerror(ctypes.get_errno()).encode())
            return
        while True:
            request = os.read(device, REQUEST_BYTES)
            _, opcode, unique, node, *_ = HEADER_IN.unpack_from(request)
            body = request[HEADER_IN.size :]
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            if opcode == FUSE_INIT:
                self._reply(device, unique, INIT_OUT.pack(MAJOR, MINOR, 0, 0, 0, 0, 4096, 1))
                os.write(said, b"mounted")
                continue
            if self._hangs(opcode, node):
                continue
            try:
                answer = self._answer(opcode, node, body)
            except _RefusalError as refusal:
                os.write(device, HEADER_OUT.pack(HEADER_OUT.size, -refusal.number, unique))
            else:
                self._reply(device, unique, answer)

    @staticmethod
    def _reply(device: int, unique: int, answer: bytes) -> None:
        # The one who asked may have gone: then the kernel refuses the answer.
        with contextlib.suppress(OSError):
            os.write(device, HEADER_OUT.pack(HEADER_OUT.size + len(answer), 0, unique) + answer)

    def _hangs(self, opcode: int, node: int) -> bool:
        found = self._tree.files.get(self._paths[node])
        return self._tree.hangs or (opcode == READ and isinstance(found, Broken) and found.hangs)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes:
        path = self._paths[node]
        if opcode == LOOKUP:
            child = self._nodes.get(f"{path.rstrip('/')}/{body.rstrip(bytes(1)).decode()}")
            if child is None:
                raise _RefusalError(errno.ENOENT)
            return ENTRY_OUT.pack(child, 0, 0, 0, 0, 0) + self._attr(child)
        if opcode == GETATTR:
            return ATTR_OUT.pack(0, 0, 0) + self._attr(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<QII", node, DIRECT_IO if opcode == OPEN else 0, 0)
        if opcode == READ:
            return self._read(path, body)
        if opcode == READDIR:
            return self._names(path, body)
        if opcode == GETXATTR:
            return self._attribute(path, body)
        if opcode == STATFS:
            return struct.pack("<QQQQQIII24x", 1000, 0, 0, 1000, 0, 4096, 255, 4096) + bytes(4)
        if opcode in (RELEASE, RELEASEDIR, FLUSH):
            return b""
        raise _RefusalError(errno.ENOSYS)

    def _attr(self, node: int) -> bytes:
        path = self._paths[node]
        is_directory = path in self._directories
        found = b"" if is_directory else self._tree.files[path]
        size = found.size_bytes if isinstance(found, Broken) else len(found)
        mode = stat.S_IFDIR | 0o755 if is_directory else stat.S_IFREG | 0o644
        return ATTR.pack(node, size, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _read(self, path: str, body: bytes) -> bytes:
        _, offset, size = READ_IN.unpack_from(body)
        found = self._tree.files[path]
        if isinstance(found, Broken):
            if found.errno_name is not None:
                raise _RefusalError(getattr(errno, found.errno_name))
            found = b"x" * (found.size_bytes // 2)
        return found[offset : offset + size]

    def _names(self, path: str, body: bytes) -> bytes:
        _, offset, size = READ_IN.unpack_from(body)
        above = path.rstrip("/")
        names = [
            (node, name.removeprefix(f"{above}/"))
            for name, node in self._nodes.items()
            if name.startswith(f"{above}/") and "/" not in name.removeprefix(f"{above}/") and name != "/"
        ]
        answer = b""
        for position, (node, name) in list(enumerate(names, 1))[offset:]:
            kind = stat.S_IFDIR if self._paths[node] in self._directories else stat.S_IFREG
            entry = DIRENT.pack(node, position, len(name.encode()), kind >> 12) + name.encode()
            entry += bytes(-len(entry) % 8)
            if len(answer) + len(entry) > size:
                break
            answer += entry
        return answer

    def _attribute(self, path: str, body: bytes) -> bytes:
        size, _ = GETXATTR_IN.unpack_from(body)
        name = body[GETXATTR_IN.size :].rstrip(bytes(1)).decode()
        if path != "/" or not name.startswith("user."):
            raise _RefusalError(errno.ENODATA)
        value = self._tree.attributes.get(name.removeprefix("user."))
        if value is None:
            raise _RefusalError(errno.ENODATA)
        if isinstance(value, int):
            raise _RefusalError(-value)
        if not isinstance(value, str):
            counter = self._counters[name.removeprefix("user.")]
            value = value[min(next(counter), len(value) - 1)]
        content = value.encode()
        if size == 0:
            return struct.pack("<II", len(content), 0)
        if size < len(content):
            raise _RefusalError(errno.ERANGE)
        return content
