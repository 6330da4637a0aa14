"""Commands to a booted lab machine, and its answers, over its serial console (protocol: guest/guest.py)."""

from __future__ import annotations

import base64
import json
import os
import selectors
import subprocess
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "@@sitecap-lab@@"
# Boots take about 5-10 s on two idle cores; this only bounds a machine that hangs.
BOOT_TIMEOUT_S = 240.0
# What the host waits beyond a command's own time-out before it gives the machine up.
ANSWER_GRACE_S = 60.0
JOB_UID = 1000
JOB_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "USER": "pilot"}
AGENT = ("python3.11", "-I", "-m", "agent")


@dataclass(frozen=True)
class Outcome:
    """How a command in a machine ended."""

    returncode: int
    stdout: str
    stderr: str
    files: Mapping[str, bytes]
    """Files below the directory that was asked for, by relative path."""


Question = tuple[str, list[Any]]
"""Kind and arguments of a question to the host door, e.g. ``("file", ["/proc/cpuinfo", 65536])``."""


class MachineError(Exception):
    """The machine did not boot, did not answer, or a set-up in it failed."""


class VirtualMachine:
    """A booted machine; :func:`tests.lab.vm.booted` gives one."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._seen = b""

    def wait_until_up(self) -> str:
        """Release of the kernel, once the machine takes commands."""
        return str(self._answer(BOOT_TIMEOUT_S)["release"])

    def run(
        self,
        argv: Sequence[str],
        *,
        setup: str = "",
        cgroup: str = "",
        uid: int = JOB_UID,
        env: Mapping[str, str] = JOB_ENV,
        collect: str | None = None,
        timeout_s: float = 120.0,
    ) -> Outcome:
        """Run one command in the machine.

        Args:
            argv: the command; it runs in /tmp.
            setup: shell commands that root runs first; the first that fails ends it.
            cgroup: path below /sys/fs/cgroup that the command is put into.
            uid: user and group number of the command.
            env: its whole environment.
            collect: a directory of the machine whose files are given back.
            timeout_s: after that the command is killed.

        Raises:
            MachineError: the set-up failed, the command did not end, or the machine no longer answers.
        """
        request = {
            "argv": list(argv),
            "setup": setup,
            "cgroup": cgroup,
            "uid": uid,
            "env": dict(env),
            "collect": collect,
            "timeout_s": timeout_s,
        }
        self._send(request)
        answer = self._answer(timeout_s + ANSWER_GRACE_S)
        if "setup_failed" in answer:
            raise MachineError(f"set-up in the machine failed, {answer['setup_failed']}")
        if "timed_out" in answer:
            raise MachineError(f"{' '.join(argv)}: killed in the machine after {timeout_s:g} s")
        files = {name: base64.b64decode(content) for name, content in answer["files"].items()}
        return Outcome(answer["returncode"], answer["stdout"], answer["stderr"], files)

    def ask(
        self, questions: Sequence[Question], *, setup: str = "", cgroup: str = "", record: Path | None = None
    ) -> list[Any]:
        """Answers of the host door in the machine; with ``record``, the recording of them is put there.

        Raises:
            MachineError: as :meth:`run`, or the door came to grief; with what it said.
        """
        inside = "/tmp/recording"
        mode = ["record", inside] if record else []
        done = self.run(
            ["python3.11", "-I", "/lab/ask_door.py", json.dumps(questions), *mode],
            setup=f"rm -rf {inside}\n{setup}",
            cgroup=cgroup,
            collect=inside if record else None,
        )
        if done.returncode != 0:
            raise MachineError(f"asking the door failed (exit {done.returncode}): {done.stderr[-2000:]}")
        if record:
            _put(record, done.files)
        answers: list[Any] = json.loads(done.stdout)
        return answers

    def probe(
        self,
        args: Sequence[str] = (),
        *,
        setup: str = "",
        cgroup: str = "",
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The capability profile that ``agent probe --json ARGS`` writes in the machine as an ordinary user.

        ``setup`` and ``cgroup`` as for :meth:`run`; ``env`` is added to a job's plain environment.

        Raises:
            MachineError: as :meth:`run`, or the agent wrote something else; with what it said.
        """
        return self._probed(args, setup=setup, cgroup=cgroup, env={**JOB_ENV, **(env or {})})[0]

    def record(
        self,
        directory: Path,
        args: Sequence[str] = (),
        *,
        setup: str = "",
        cgroup: str = "",
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Like :meth:`probe`, with ``--record``; the recording is copied out of the machine."""
        inside = "/tmp/recording"
        profile, files = self._probed(
            ["--record", inside, *args],
            setup=f"rm -rf {inside}\n{setup}",
            cgroup=cgroup,
            env={**JOB_ENV, **(env or {})},
            collect=inside,
        )
        _put(directory, files)
        return profile

    def _probed(self, args: Sequence[str], **how: Any) -> tuple[dict[str, Any], Mapping[str, bytes]]:
        done = self.run([*AGENT, "probe", "--json", *args], **how)
        try:
            return json.loads(done.stdout), done.files
        except ValueError:
            said = (done.stderr or done.stdout)[-2000:]
            raise MachineError(f"no profile from the agent (exit {done.returncode}): {said}") from None

    def power_off(self) -> None:
        """Stop the machine in an orderly way; the caller kills it if that takes too long."""
        self._send(None)

    def _send(self, request: object) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise MachineError(
                f"the machine is gone: {error}; its last words: {self._last_words()}"
            ) from error

    def _answer(self, timeout_s: float) -> Any:
        packed = self._between(f"{MARK} begin\n".encode(), f"{MARK} end ".encode(), timeout_s)
        checksum = self._between(b"", b"\n", timeout_s)
        if zlib.crc32(packed) != int(checksum):
            raise MachineError(f"an answer of the machine came damaged: {packed[:200]!r}…")
        return json.loads(zlib.decompress(base64.b64decode(packed)))

    def _between(self, begin: bytes, end: bytes, timeout_s: float) -> bytes:
        """What the console says between two marks, without carriage returns; the rest is kept for later."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            _, began, rest = self._seen.partition(begin) if begin else (b"", b"begun", self._seen)
            found, ended, after = rest.partition(end)
            if began and ended:
                self._seen = after
                return found
            self._seen += self._read(deadline_s).replace(b"\r", b"")

    def _read(self, deadline_s: float) -> bytes:
        console = self._process.stdout
        assert console is not None
        with selectors.DefaultSelector() as selector:
            selector.register(console, selectors.EVENT_READ)
            if not selector.select(max(0.0, deadline_s - time.monotonic())):
                raise MachineError(f"the machine does not answer; its last words: {self._last_words()}")
        piece = os.read(console.fileno(), 65_536)
        if not piece:
            raise MachineError(f"the machine stopped; its last words: {self._last_words()}")
        return piece

    def _last_words(self) -> str:
        return self._seen[-2000:].decode("utf-8", "replace")


def _put(directory: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
