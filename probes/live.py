"""The machine itself behind the host door: files, commands, environment, process and clock.

Nothing here judges or interprets. Trials live in `probes.live_trials`, sockets in `probes.live_sockets`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import socket
import stat as stat_bits
import subprocess
import time
from collections.abc import Callable
from typing import Any

from probes import (
    live_authorities,
    live_drain,
    live_fetch,
    live_http,
    live_proxy,
    live_sockets,
    live_token,
    live_trials,
)
from probes.answers import FileKind, Json
from probes.errors import HostError
from probes.fork import die_with
from probes.rooted import resolve

MAX_NAMES = 65_536
"""Directory entries listed at most: bounds the answer of a hostile or broken directory."""

_KINDS: tuple[tuple[Callable[[int], bool], FileKind], ...] = (
    (stat_bits.S_ISREG, "file"),
    (stat_bits.S_ISDIR, "directory"),
    (stat_bits.S_ISLNK, "link"),
    (stat_bits.S_ISCHR, "character"),
    (stat_bits.S_ISBLK, "block"),
    (stat_bits.S_ISFIFO, "fifo"),
    (stat_bits.S_ISSOCK, "socket"),
)


class LiveDoor:
    """Answers every question from this machine. `root` moves all file questions into another tree."""

    def __init__(self, root: str = "/") -> None:
        self._root = "/" if root == "/" else os.path.abspath(root)  # noqa: PTH100
        # The limits as the job got them: a probe's child lowers its own address space later.
        self._limits = {name: _limit(name) for name in _limit_names()}
        self._methods: dict[str, Callable[..., Any]] = {
            "file": self._file,
            "dir": self._dir,
            "link": self._link,
            "stat": self._stat,
            "xattr": self._xattr,
            "space": self._space,
            "env": os.environ.get,
            "has_env": lambda name: name in os.environ,
            "env_names": lambda prefix: sorted(name for name in os.environ if name.startswith(prefix)),
            "run": self._run,
            "which": self._which,
            "affinity": lambda: sorted(os.sched_getaffinity(0)),
            "limit": self._limit,
            "uname": lambda: list(os.uname()),
            "identity": lambda: [os.getuid(), os.geteuid(), os.getgid()],
            "libc": _libc,
            "fqdn": socket.getfqdn,
            "now": time.time,
            "try_user_namespace": live_trials.user_namespace,
            "try_threads": live_trials.threads,
            "try_open": lambda path, write: live_trials.open_device(self._at(path), write=write),
            "try_write": lambda path, size: live_trials.write_file(self._at(path), size),
            "resolve": live_sockets.resolve,
            "connect": live_sockets.connect,
            "tls": live_sockets.tls,
            "http": live_http.http_get,
            "fetch": live_fetch.fetch,
            "token": lambda: self._own(live_token.look),
            "x509": lambda: self._own(live_proxy.look),
            "authorities": lambda path: live_authorities.look(self._at, path),
            "drain": live_drain.drain,
        }

    def ask(self, kind: str, args: list[Json]) -> Any:  # noqa: ANN401
        """Answer one question from the machine; OSErrors become HostErrors that name what was asked."""
        try:
            return self._methods[kind](*args)
        except OSError as error:
            raise HostError.of(error, str(args[0]) if args else kind) from error
        except (UnicodeEncodeError, ValueError) as error:
            raise HostError("EINVAL", f"{kind} {args!r:.200}: {error}") from error

    def observe(self, name: str, args: list[Json], live: Callable[[], Json]) -> Any:  # noqa: ANN401
        """Call `live`; its OSErrors become HostErrors."""
        try:
            return live()
        except OSError as error:
            raise HostError.of(error, f"{name} {args!r:.200}") from error

    def restore(self, text: str) -> str:
        """The text as it is."""
        return text

    def _own(self, look: Callable[[], Json]) -> Json:
        if self._root != "/":
            raise HostError("ENOTSUP", "credentials are this process's own, while another root is looked at")
        return look()

    def _at(self, path: str, *, follow_last: bool = True) -> str:
        return resolve(self._root, path, follow_last=follow_last)

    def _file(self, path: str, limit_bytes: int) -> bytes:
        # Non-blocking, so that a FIFO in place of a file is an error and not a hang.
        descriptor = os.open(self._at(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if not stat_bits.S_ISREG(os.fstat(descriptor).st_mode):
                raise HostError("EINVAL", f"{path}: not a regular file")
            pieces: list[bytes] = []
            got = 0
            while got <= limit_bytes:
                piece = os.read(descriptor, min(65_536, limit_bytes + 1 - got))
                if not piece:
                    return b"".join(pieces)
                pieces.append(piece)
                got += len(piece)
        finally:
            os.close(descriptor)
        raise HostError("ETOOLARGE", f"{path}: larger than the {limit_bytes} bytes that are read at most")

    def _dir(self, path: str) -> list[str]:
        names: list[str] = []
        with os.scandir(self._at(path)) as entries:
            for entry in entries:
                names.append(entry.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
                if len(names) > MAX_NAMES:
                    raise HostError("ETOOLARGE", f"{path}: more than {MAX_NAMES} entries")
        return sorted(names)

    def _link(self, path: str) -> str:
        target = os.readlink(self._at(path, follow_last=False))  # noqa: PTH115
        return target.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def _stat(self, path: str, follow: bool) -> list[Json]:  # noqa: FBT001 - called with the question's arguments
        status = os.stat(self._at(path, follow_last=follow), follow_symlinks=follow)  # noqa: PTH116
        kind: FileKind = next((name for test, name in _KINDS if test(status.st_mode)), "other")
        device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
        mode = stat_bits.S_IMODE(status.st_mode)
        return [kind, mode, status.st_uid, status.st_gid, status.st_size, device]

    def _limit(self, name: str) -> list[Json]:
        if name not in self._limits:
            raise HostError("EINVAL", f"RLIMIT_{name}: no such limit on this system")
        return self._limits[name]

    def _run(
        self, argv: list[str], timeout_s: float, limit_bytes: int, added_env: dict[str, str]
    ) -> list[Json]:
        if self._root != "/":
            # It would describe this machine, while every file describes the other tree.
            raise HostError("ENOTSUP", f"{argv[0]}: no command is run while another root is looked at")
        return run_command(argv, timeout_s, limit_bytes, added_env)

    def _which(self, program: str) -> str | None:
        places = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        if self._root == "/":
            return shutil.which(program, path=places)
        for place in places.split(":"):
            path = f"{place}/{program}"
            if place.startswith("/") and os.access(self._at(path), os.X_OK):
                return path
        return None

    def _xattr(self, path: str, name: str) -> str:
        return os.getxattr(self._at(path), name).decode("utf-8", "replace")

    def _space(self, path: str) -> list[Json]:
        answer = os.statvfs(self._at(path))
        return [
            answer.f_blocks * answer.f_frsize,
            answer.f_bavail * answer.f_frsize,
            answer.f_files,
            answer.f_favail,
            bool(answer.f_flag & os.ST_RDONLY),
        ]


def run_command(argv: list[str], timeout_s: float, limit_bytes: int, added_env: dict[str, str]) -> list[Json]:
    """Run `argv` in its own session, output into bounded files, the whole session killed at the deadline.

    Output goes to files in memory with RLIMIT_FSIZE, not to pipes: a command that floods its output is stopped by
    the kernel, one that ignores its deadline cannot block the reader, and no disk has to be writable.
    """
    environment = {**os.environ, "LC_ALL": "C", "LANGUAGE": "C", **added_env}
    parent = os.getpid()
    with (
        open(os.memfd_create("stdout", os.MFD_CLOEXEC), "w+b") as out,  # noqa: PTH123
        open(os.memfd_create("stderr", os.MFD_CLOEXEC), "w+b") as err,  # noqa: PTH123
    ):
        process = subprocess.Popen(  # noqa: S603 - argv comes from our own code, never from a shell string
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: _prepare_command(limit_bytes, parent),  # noqa: PLW1509 - takes no lock
        )
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise HostError("ETIMEDOUT", f"{argv[0]}: killed after {timeout_s:g} s") from None
        finally:
            _kill_session(process)
        if process.returncode == -signal.SIGXFSZ or out.tell() >= limit_bytes:
            raise HostError("ETOOLARGE", f"{argv[0]}: printed more than {limit_bytes} bytes")
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read(limit_bytes).decode("utf-8", "replace"))
    return [process.returncode, *texts]


def _prepare_command(limit_bytes: int, parent: int) -> None:
    """In the forked command: bound its output, give back the address space, and die with the probe."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    bound = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    # Go programs (apptainer, podman) reserve far more address space than a probe may.
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    die_with(parent)


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        process.kill()
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        # In uninterruptible sleep: the runner names and leaves such children, it does not wait for them.
        return


def _limit_names() -> list[str]:
    return [name.removeprefix("RLIMIT_") for name in dir(resource) if name.startswith("RLIMIT_")]


def _limit(name: str) -> list[Json]:
    bounds = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
    return [None if bound == resource.RLIM_INFINITY else bound for bound in bounds]


def _libc() -> str | None:
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        version = None
    if version:
        return version
    # musl has no confstr name; it exports no version either, but its loader is recognisable.
    return "musl" if hasattr(ctypes.CDLL(None), "__musl_libc_version") else None
