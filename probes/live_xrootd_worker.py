"""One XRootD door, used as a job does, through XRootD's own Python bindings; run as a program of its own.

XrdCl keeps threads that do not survive a fork, and its calls have hung in spite of their time-outs (xrootd#836), so it
lives in a process that can be killed. The job comes as one line of JSON on standard input; each finished step goes out
as one line, so that what was learnt before a hang is kept. Asynchronous calls are never used.

Run by its path with `python -I`; what is not of the standard library is imported when the job has said where it is.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import re
import resource
import signal
import sys
import time
import zlib
from typing import Any

ADDRESS_SPACE_BYTES = 2 * 1024**3
"""Sessions with client 6.2.1 were seen to reserve 0.3 GiB (GSI, TLS), and 0.5 GiB with glibc's arena for each thread."""

FIRST_BYTES = 4096
BLOCK_BYTES = 1_000_000
"""First block, as SAM's xrootd-access reads it."""

PROBE_CHUNKS, PROBE_CHUNK_BYTES = 3, 16_384
SPARSE_CHUNKS, SPARSE_CHUNK_BYTES = 200, 20_000
"""A TTreeCache request of CMSSW: some hundred baskets of some 20 kB each (ROOT's default basket is 32 kB before
compression); a server takes 1024 chunks of 2 MB at most (XRootD protocol, kXR_readv)."""

SPARSE_SHARE = 4
"""A sparse read takes at most a quarter of the file, else it is none."""

STREAM_BYTES = 8 * 1024 * 1024
"""Of one request when reading in sequence; the chunk size of xrdcp (XRD_CPCHUNKSIZE)."""

PR_SET_PDEATHSIG = 1


class StopError(Exception):
    """A step failed for good; it has been said."""


class Session:
    """The steps of one door; `job` is what the machine side sent."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.say = say
        self.client: Any = importlib.import_module("XRootD.client")
        self.flags: Any = importlib.import_module("XRootD.client.flags")
        for name, value in job["timeouts"].items():
            self.client.EnvPutInt(name, int(value))
        self.system = self.client.FileSystem(job["url"])
        self.url = f"{job['url']}/{job['path']}"

    def step(self, name: str, began: float, status: Any, **more: Any) -> bool:  # noqa: ANN401
        """Say how a step ended; True if well."""
        error = None
        if not status.ok:
            error = [
                int(status.status),
                int(status.code),
                int(status.errno or 0),
                without_token(str(status.message or ""))[:1024],
            ]
        say(step=name, took_s=time.perf_counter() - began, error=error, **more)
        return bool(status.ok)

    def run(self) -> None:
        """All steps, until one fails that the next stand on."""
        began = time.perf_counter()
        status, _ = self.system.ping()
        if not self.step("auth", began, status):
            return
        self.locate()
        size_bytes = self.stat()
        if size_bytes is None:
            return
        file = self.open()
        try:
            self.read(file, size_bytes)
        except StopError:
            return
        finally:
            file.close()
        self.checksum()

    def locate(self) -> None:
        """Ask who has the file; a refusal here does not keep a job from opening it."""
        began = time.perf_counter()
        status, found = self.system.locate(self.job["path"], self.flags.OpenFlags.NONE)
        servers = (
            [[one.is_manager, str(one.address)[:255]] for one in (found or [])][:64] if status.ok else []
        )
        self.step("locate", began, status, servers=servers)

    def stat(self) -> int | None:
        """Size of the file in bytes."""
        began = time.perf_counter()
        status, found = self.system.stat(self.job["path"])
        size_bytes = int(found.size) if status.ok else None
        return size_bytes if self.step("stat", began, status, size_bytes=size_bytes) else None

    def open(self) -> Any:  # noqa: ANN401
        """Open for reading; where the redirections led."""
        began = time.perf_counter()
        file = self.client.File()
        status, _ = file.open(self.url, self.flags.OpenFlags.READ)
        where = {}
        if status.ok:
            where = {name: plain(file.get_property(name)) for name in ("LastURL", "DataServer")}
        if not self.step(
            "open", began, status, last_url=where.get("LastURL"), data_server=where.get("DataServer")
        ):
            raise SystemExit(0)
        return file

    def read(self, file: Any, size_bytes: int) -> None:  # noqa: ANN401
        """First bytes, first block, vectors, sequence, sparse."""
        self._first(file, size_bytes)
        head = self._get(file, "read", 0, min(BLOCK_BYTES, size_bytes))
        chunks = self._vector(file, size_bytes, head)
        if self.job["read_bytes"]:
            say(step="line")
            sys.stdin.readline()
            self._sequential(file, size_bytes, chunks)
            self._sparse(file, size_bytes)

    def _first(self, file: Any, size_bytes: int) -> None:  # noqa: ANN401
        began = time.perf_counter()
        status, data = file.read(0, min(FIRST_BYTES, size_bytes))
        if not self.step("first", began, status, bytes=len(data or b"")):
            raise StopError
        began = time.perf_counter()
        again = self.client.File()
        status, _ = again.open(self.url, self.flags.OpenFlags.READ)
        if status.ok:
            status, data = again.read(0, min(FIRST_BYTES, size_bytes))
        self.step("again", began, status, bytes=len(data or b""))
        again.close()

    def _get(self, file: Any, name: str, offset: int, length: int) -> bytes:  # noqa: ANN401
        began = time.perf_counter()
        status, data = file.read(offset, length)
        data = data or b""
        if not self.step(name, began, status, bytes=len(data), wanted=length):
            raise StopError
        return bytes(data)

    def _vector(self, file: Any, size_bytes: int, head: bytes) -> dict[int, bytes]:  # noqa: ANN401
        wanted = spread(size_bytes, PROBE_CHUNKS, PROBE_CHUNK_BYTES)
        if not wanted:
            return {}
        began = time.perf_counter()
        status, found = file.vector_read(wanted)
        got = {int(one.offset): bytes(one.buffer) for one in found.chunks} if status.ok else {}
        right = [len(got.get(offset, b"")) == length for offset, length in wanted]
        same = all(right) and all(
            data[: max(0, len(head) - at)] == head[at : at + len(data)]
            for at, data in got.items()
            if at < len(head)
        )
        count = sum(map(len, got.values()))
        if not self.step("vector", began, status, bytes=count, chunks=len(wanted), same=same):
            return {}
        return got

    def _sequential(self, file: Any, size_bytes: int, chunks: dict[int, bytes]) -> None:  # noqa: ANN401
        whole = size_bytes <= self.job["max_file_bytes"]
        end = size_bytes if whole else min(size_bytes, self.job["read_bytes"])
        took_s, at, sums, same = 0.0, 0, Sums(), True
        while at < end:
            began = time.perf_counter()
            status, data = file.read(at, min(STREAM_BYTES, end - at))
            took_s += time.perf_counter() - began
            if not status.ok or not data:
                self.step(
                    "sequential", began, status, bytes=at, wanted=end, same=same, sums=None, read_s=took_s
                )
                return
            same = same and all(agrees(data, at, offset, piece) for offset, piece in chunks.items())
            sums.add(data)
            at += len(data)
        said = sums.said() if whole else None
        say(
            step="sequential",
            error=None,
            bytes=at,
            wanted=end,
            same=same,
            sums=said,
            read_s=took_s,
            took_s=took_s,
        )

    def _sparse(self, file: Any, size_bytes: int) -> None:  # noqa: ANN401
        wanted = self.job["chunks"] or spread(
            size_bytes, SPARSE_CHUNKS, SPARSE_CHUNK_BYTES, share=SPARSE_SHARE
        )
        wanted = [(int(offset), int(length)) for offset, length in wanted]
        if not wanted:
            return
        began = time.perf_counter()
        status, found = file.vector_read(wanted)
        count = sum(len(one.buffer) for one in found.chunks) if status.ok else 0
        self.step("sparse", began, status, bytes=count, chunks=len(wanted))

    def checksum(self) -> None:
        """The server's own checksum of the file."""
        began = time.perf_counter()
        status, found = self.system.query(
            self.flags.QueryCode.CHECKSUM, f"{self.job['path']}?cks.type=adler32"
        )
        text = bytes(found or b"").split(b"\0", 1)[0].decode("latin-1")[:256] if status.ok else None
        self.step("checksum", began, status, said=text)


class Sums:
    """Checksums of what was read, those that a server may name and the standard library has."""

    def __init__(self) -> None:
        self._adler32, self._crc32 = 1, 0

    def add(self, data: bytes) -> None:
        """The next piece."""
        self._adler32 = zlib.adler32(data, self._adler32)
        self._crc32 = zlib.crc32(data, self._crc32)

    def said(self) -> dict[str, str]:
        """In hexadecimal, by name."""
        return {"adler32": f"{self._adler32:08x}", "crc32": f"{self._crc32:08x}"}


def agrees(data: bytes, at: int, offset: int, piece: bytes) -> bool:
    """Whether `piece`, read at `offset`, is what `data`, read at `at`, has where the two overlap."""
    first, last = max(at, offset), min(at + len(data), offset + len(piece))
    return first >= last or data[first - at : last - at] == piece[first - offset : last - offset]


def spread(size_bytes: int, count: int, length: int, *, share: int = 1) -> list[tuple[int, int]]:
    """Offsets and lengths of `count` pieces at equal distances; shorter where they would exceed 1/`share` of the file."""
    length = min(length, size_bytes // (count * share))
    if length < 1:
        return []
    last = size_bytes - length
    return [(last * number // max(1, count - 1), length) for number in range(count)]


def plain(value: object) -> str | None:
    """A property without the opaque part, in which a client keeps identifiers."""
    return None if value is None else str(value).partition("?")[0][:1024]


def without_token(text: str) -> str:
    """A message without the token that a client may have put into a URL (authz=…)."""
    return re.sub(r"(?i)(authz=|bearer[ %+]*(?:20)?)[^&\s]+", r"\1[secret]", text)


def say(**line: object) -> None:
    """One step as a line of JSON."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def bound(parent: int) -> None:
    """Die with the probe, leave no core, and have the address space that XrdCl's threads want."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = ADDRESS_SPACE_BYTES if hard == resource.RLIM_INFINITY else min(ADDRESS_SPACE_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def main() -> None:
    """Read the job, do it, say each step."""
    job = json.loads(sys.stdin.readline())
    bound(int(job["parent"]))
    sys.path[:] = [*sys.path, *(place for place in job["import_path"] if place not in sys.path)]
    session = Session(job)
    if job.get("write_bytes"):
        from probes.live_xrootd_writer import Writer  # noqa: PLC0415 - found only now that the path is set

        Writer(session, os.urandom(int(job["write_bytes"]))).run()
    else:
        session.run()
    say(step="end")
    # Without XrdCl's clean-up at exit, which has hung (xrootd#836).
    os._exit(0)


if __name__ == "__main__":
    main()
