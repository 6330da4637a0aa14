"""XRootD's own clients behind the host door: the Python bindings in a process of their own, else `xrdfs` and `xrdcp`.

Whatever happens to a client, what it had said before its deadline is kept. Credentials reach it as they reach a job's:
by the environment and the usual places, never in an argument.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from probes.answers import Json
from probes.errors import HostError
from probes.live import run_command
from probes.live_python import python_command
from probes.live_xrootd_worker import without_token

WORKER = Path(__file__).with_name("live_xrootd_worker.py")
MAX_LINES = 64
MAX_LINE_BYTES = 65_536
LINE_SHARE_S = 10.0
"""How long a session waits for another's measurement of the throughput before it measures at the same time."""

_measuring = threading.Lock()


def installed() -> dict[str, Json]:
    """Versions and paths of the clients that are here; nothing is imported for it."""
    version = None
    if importlib.util.find_spec("XRootD") is not None:
        try:
            version = importlib.metadata.version("xrootd")
        except importlib.metadata.PackageNotFoundError:
            version = "unknown"  # a system package without metadata
    return {"bindings": version, "xrdfs": shutil.which("xrdfs"), "xrdcp": shutil.which("xrdcp")}


def timeouts(connect_timeout_s: float, request_timeout_s: float) -> dict[str, int]:
    """Settings of XrdCl by their names without XRD_, in whole seconds; one attempt a server, no patience with errors.

    Its own defaults (120 s for a connection, 5 attempts, 1800 s for a request) are longer than any probe lives.
    """
    return {
        "ConnectionWindow": max(1, round(connect_timeout_s)),
        "ConnectionRetry": 1,
        "RequestTimeout": max(1, round(request_timeout_s)),
        "StreamTimeout": max(1, round(request_timeout_s)),
        "TimeoutResolution": 1,
        "StreamErrorWindow": 1,
    }


def environment(limits: Mapping[str, int]) -> dict[str, str]:
    """For a client process: the time-outs once more (plug-ins read them there), few malloc arenas, no chatter."""
    return {
        **{f"XRD_{name.upper()}": str(value) for name, value in limits.items()},
        "XRD_APPNAME": "sitecap",
        "XRD_LOGLEVEL": "Error",
        "MALLOC_ARENA_MAX": "2",
    }


def by_bindings(job: Mapping[str, Any], deadline_s: float) -> list[Json]:
    """The steps that the worker said before it ended or was killed after `deadline_s`.

    The last line is {"step": "killed"} if it was killed, {"step": "died", "error": …} if it ended without saying so.
    """
    began = time.perf_counter()
    asked = {**job, "parent": os.getpid(), "import_path": sys.path}
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [*python_command(), str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment(job["timeouts"])},
            start_new_session=True,
        )
    except OSError as error:
        raise HostError.of(error, "a process for XRootD's bindings") from error
    assert process.stdin is not None
    assert process.stdout is not None
    steps: list[Json] = []
    with process.stdin, process.stdout, _killed_at_the_end(process), contextlib.ExitStack() as held:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
        for line in _lines(process.stdout.fileno(), began + deadline_s):
            step = _step(line)
            if step.get("step") == "line":
                held.callback(_let_go, _measuring.acquire(timeout=_share_s(began, deadline_s)))
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(b"\n")
                    process.stdin.flush()
                continue
            if step.get("step") == "end":
                return steps
            steps.append(step)
        if time.perf_counter() - began >= deadline_s:
            steps.append({"step": "killed", "error": [1, 206, 0, f"no end within {deadline_s:.0f} s"]})
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1.0)
            steps.append(
                {"step": "died", "error": [1, 0, 0, f"the client ended with code {process.returncode}"]}
            )
    return steps


def _share_s(began: float, deadline_s: float) -> float:
    return max(0.0, min(LINE_SHARE_S, (began + deadline_s - time.perf_counter()) / 3))


def _let_go(held: bool) -> None:  # noqa: FBT001 - what acquire returned
    if held:
        _measuring.release()


def _step(line: bytes) -> dict[str, Any]:
    try:
        step = json.loads(line)
    except ValueError:
        return {"step": "garbage"}
    return step if isinstance(step, dict) else {"step": "garbage"}


def _lines(descriptor: int, deadline: float) -> Iterator[bytes]:
    """Lines of a pipe until it ends or the deadline comes, at most MAX_LINES of MAX_LINE_BYTES."""
    rest = b""
    for _ in range(MAX_LINES):
        while b"\n" not in rest:
            left_s = deadline - time.perf_counter()
            if (
                left_s <= 0
                or len(rest) > MAX_LINE_BYTES
                or not select.select([descriptor], [], [], left_s)[0]
            ):
                return
            piece = os.read(descriptor, MAX_LINE_BYTES)
            if not piece:
                return
            rest += piece
        line, _, rest = rest.partition(b"\n")
        yield line


@contextlib.contextmanager
def _killed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        # In uninterruptible sleep it stays behind: the runner names such children.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)


def by_commands(job: Mapping[str, Any], deadline_s: float) -> list[Json]:
    """The same steps by `xrdfs` and `xrdcp`, as far as these can: no vector read, sums of what xrdcp hands out."""
    tool = _Commands(job, time.perf_counter() + deadline_s)
    url, path = str(job["url"]), str(job["path"])
    if not tool.step("auth", ["xrdfs", url, "query", "config", "version"]):
        return tool.steps
    tool.step("locate", ["xrdfs", url, "locate", "-h", path], lambda text: {"servers": located(text)})
    if not tool.step("stat", ["xrdfs", url, "stat", path], lambda text: {"size_bytes": stated(text)}):
        return tool.steps
    if shutil.which("xrdcp") is not None and not tool.copy(f"{url}/{path}"):
        return tool.steps
    tool.step(
        "checksum",
        ["xrdfs", url, "query", "checksum", f"{path}?cks.type=adler32"],
        lambda text: {"said": text.strip()[:256]},
    )
    return tool.steps


def located(text: str) -> list[Json]:
    """Answers of `xrdfs locate`, "[::1]:1094 Server Read" a line, as [is manager, place]."""
    words = [line.split() for line in text.splitlines()[:MAX_LINES]]
    return [[found[1].startswith("Manager"), found[0][:255]] for found in words if len(found) >= 2]


def stated(text: str) -> int | None:
    """Size in bytes of the answer of `xrdfs stat`; None if there is no line "Size:"."""
    for line in text.splitlines()[:MAX_LINES]:
        name, _, value = line.partition(":")
        if name.strip() == "Size" and value.strip().isascii() and value.strip().isdigit():
            return int(value.strip()[:18])
    return None


class _Commands:
    """Commands one after the other, until the deadline."""

    def __init__(self, job: Mapping[str, Any], deadline: float) -> None:
        self._job = job
        self._deadline = deadline
        self.steps: list[Json] = []

    def step(self, name: str, argv: list[str], read: Any = None) -> bool:  # noqa: ANN401 - text → more of the line
        """Run one command and note the step; True if it went well."""
        began = time.perf_counter()
        left_s = max(0.1, self._deadline - began)
        try:
            code, out, err = run_command(argv, left_s, 65_536, environment(self._job["timeouts"]))
        except HostError as error:
            number = 206 if error.errno_name == "ETIMEDOUT" else 0
            return self._note(name, began, [1, number, 0, error.text])
        if code != 0:
            return self._note(name, began, [1, 0, 0, last_line(str(err) or str(out))])
        return self._note(name, began, None, **(read(str(out)) if read else {}))

    def _note(self, name: str, began: float, error: Sequence[Any] | None, **more: Any) -> bool:  # noqa: ANN401
        took_s = time.perf_counter() - began
        self.steps.append(
            {"step": name, "took_s": took_s, "error": None if error is None else list(error), **more}
        )
        return error is None

    def copy(self, url: str) -> bool:
        """Read by `xrdcp` into our hands, up to the bound; the time includes the start of the program."""
        bound = max(int(self._job["read_bytes"]), 1_000_000)
        whole_up_to = int(self._job["max_file_bytes"])
        began = time.perf_counter()
        with contextlib.ExitStack() as held:
            errors = held.enter_context(open(os.memfd_create("stderr", os.MFD_CLOEXEC), "w+b"))  # noqa: PTH123
            try:
                process = subprocess.Popen(  # noqa: S603
                    ["xrdcp", "--nopbar", "--force", url, "-"],  # noqa: S607 - by $PATH, as a job finds it
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env={**os.environ, "LC_ALL": "C", **environment(self._job["timeouts"])},
                    start_new_session=True,
                )
            except OSError as error:
                return self._note("open", began, [1, 0, 0, f"xrdcp: {error.strerror}"])
            assert process.stdout is not None
            held.enter_context(process.stdout)
            held.enter_context(_killed_at_the_end(process))
            got, first, whole, sums = _drain(process.stdout.fileno(), self._deadline, max(bound, whole_up_to))
            code = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(0.5 if whole else 0.0)
            took_s = time.perf_counter() - began
            errors.seek(0)
            text = last_line(errors.read(65_536).decode("utf-8", "replace"))
        if got == 0 and code != 0:
            late = time.perf_counter() >= self._deadline
            return self._note("open", began, [1, 206 if late else 0, 0, text or "xrdcp gave nothing"])
        first_s = None if first is None else first - began
        self._note("open", began, None, took_s=first_s)
        self._note("first", began, None, bytes=got, first_s=first_s)
        if whole and code:
            return self._note("read", began, [1, 0, 0, text or f"xrdcp ended with code {code}"], bytes=got)
        self._note("read", began, None, bytes=got, wanted=got)
        sums_said: Json = {"adler32": f"{sums:08x}"} if whole else None
        self._note("sequential", began, None, bytes=got, wanted=got, same=True, sums=sums_said, read_s=took_s)
        return True


def _drain(descriptor: int, deadline: float, bound: int) -> tuple[int, float | None, bool, int]:
    """Bytes read from a pipe, time of the first, whether its end was reached, adler32."""
    got, first, sums = 0, None, 1
    while got <= bound and (left_s := deadline - time.perf_counter()) > 0:
        if not select.select([descriptor], [], [], left_s)[0]:
            break
        piece = os.read(descriptor, 1024 * 1024)
        if not piece:
            return got, first, True, sums
        first = first or time.perf_counter()
        got += len(piece)
        sums = zlib.adler32(piece, sums)
    return got, first, False, sums


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return without_token(lines[-1])[:1024] if lines else ""
