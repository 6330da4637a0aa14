"""The one door to the machine: files, commands, environment, clock, limits, trials and sockets.

A probe asks `Host`; what stands behind the door answers. Live, it is the machine (`probes.live`). With a
recorder in between, every question and answer is kept, redacted. On replay the answers come from a recording
and nothing of the machine below is touched, so a recording is both a bug report and a test fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from probes.answers import (
    CommandResult,
    FileStatus,
    FileSystemSpace,
    Identity,
    Json,
    Limit,
    SystemName,
    Trial,
    WriteTrial,
)
from probes.door import KIB, MIB, Door
from probes.errors import HostError
from probes.host_remote import RemoteQuestions

__all__ = ["KIB", "MIB", "Door", "Host"]


class Host(RemoteQuestions):
    """The machine as a probe sees it. Every method raises HostError when the machine does not answer."""

    def __init__(self, door: Door) -> None:
        self._door = door

    # -- files -------------------------------------------------------------------------------------------

    def read_bytes(self, path: str, *, limit_bytes: int = MIB) -> bytes:
        """Content of a file. HostError ETOOLARGE beyond `limit_bytes`: nothing unbounded is ever parsed."""
        answer = self._door.ask("file", [path, limit_bytes])
        return bytes(answer)

    def read_text(self, path: str, *, limit_bytes: int = MIB) -> str:
        """Content of a text file as UTF-8; bytes that are not UTF-8 become U+FFFD."""
        return self.read_bytes(path, limit_bytes=limit_bytes).decode("utf-8", "replace")

    def read_text_or_none(self, path: str, *, limit_bytes: int = MIB) -> str | None:
        """Content of a text file, or None if it cannot be read for whatever reason."""
        try:
            return self.read_text(path, limit_bytes=limit_bytes)
        except HostError:
            return None

    def list_dir(self, path: str) -> tuple[str, ...]:
        """Sorted names in a directory, at most 65 536; names that are not UTF-8 have U+FFFD in them."""
        return tuple(self._door.ask("dir", [path]))

    def list_dir_or_empty(self, path: str) -> tuple[str, ...]:
        """Sorted names in a directory, empty if it cannot be listed."""
        try:
            return self.list_dir(path)
        except HostError:
            return ()

    def read_link(self, path: str) -> str:
        """Target of a symbolic link."""
        return str(self._door.ask("link", [path]))

    def stat(self, path: str, *, follow: bool = True) -> FileStatus:
        """Kind, mode, owner and size of a path."""
        return FileStatus(*self._door.ask("stat", [path, follow]))

    def exists(self, path: str) -> bool:
        """Whether a path can be seen (a refusal counts as not seen)."""
        try:
            self.stat(path)
        except HostError:
            return False
        return True

    def xattr(self, path: str, name: str) -> str:
        """Value of an extended attribute as text, at most 64 KiB. HostError ENODATA if the path has none such."""
        return str(self._door.ask("xattr", [path, name]))

    def space(self, path: str) -> FileSystemSpace:
        """Space and inodes of the file system that holds a path."""
        return FileSystemSpace(*self._door.ask("space", [path]))

    # -- the process -------------------------------------------------------------------------------------

    def env(self, name: str) -> str | None:
        """An environment variable, None if unset. Values of secrets are never asked for, only `has_env`."""
        answer = self._door.ask("env", [name])
        return None if answer is None else str(answer)

    def has_env(self, name: str) -> bool:
        """Whether a variable is set; the value never passes the door."""
        return bool(self._door.ask("has_env", [name]))

    def env_names(self, prefix: str) -> tuple[str, ...]:
        """Sorted names of the environment variables that start with `prefix`."""
        return tuple(self._door.ask("env_names", [prefix]))

    def run(
        self,
        argv: list[str],
        *,
        timeout_s: float = 5.0,
        limit_bytes: int = 256 * KIB,
        env: dict[str, str] | None = None,
    ) -> CommandResult:
        """Run a command without a shell, with LC_ALL=C and a closed stdin.

        Raises HostError ENOENT if it is not installed, ETIMEDOUT if it was killed at its deadline, ETOOLARGE
        if it printed more than `limit_bytes`.
        """
        added: dict[str, Json] = dict(env or {})
        return CommandResult(*self._door.ask("run", [list(argv), timeout_s, limit_bytes, added]))

    def which(self, program: str) -> str | None:
        """Path of a program by $PATH (with /usr/sbin and /sbin at the end), None if there is none."""
        answer = self._door.ask("which", [program])
        return None if answer is None else str(answer)

    def affinity(self) -> frozenset[int]:
        """CPUs that the scheduler may use for this process: sched_getaffinity(2)."""
        return frozenset(self._door.ask("affinity", []))

    def limit(self, name: str) -> Limit:
        """A resource limit by its name without RLIMIT_, e.g. "NOFILE"."""
        return Limit(*self._door.ask("limit", [name]))

    def system_name(self) -> SystemName:
        """What uname(2) says."""
        return SystemName(*self._door.ask("uname", []))

    def identity(self) -> Identity:
        """User and group numbers of this process."""
        return Identity(*self._door.ask("identity", []))

    def libc_version(self) -> str | None:
        """The C library of this process, e.g. "glibc 2.36"; None if it does not say."""
        answer = self._door.ask("libc", [])
        return None if answer is None else str(answer)

    def fqdn(self) -> str:
        """Fully qualified name of this host, as the resolver gives it."""
        return str(self._door.ask("fqdn", []))

    # -- the clock ---------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Wall clock, UTC."""
        return datetime.fromtimestamp(float(self._door.ask("now", [])), tz=UTC)

    # -- proven by trying --------------------------------------------------------------------------------

    def try_user_namespace(self) -> Trial:
        """Whether unshare(CLONE_NEWUSER) works, tried in a child."""
        return Trial(*self._door.ask("try_user_namespace", []))

    def try_threads(self, count: int) -> Trial:
        """Whether `count` threads can run at the same time; `detail` says how many did."""
        return Trial(*self._door.ask("try_threads", [count]))

    def try_open(self, path: str, *, write: bool = False) -> Trial:
        """Whether a device node can be opened (the only proof that a device cgroup lets us)."""
        return Trial(*self._door.ask("try_open", [path, write]))

    def try_write(self, directory: str, size_bytes: int) -> WriteTrial:
        """Write a private file of `size_bytes`, fsync, read it back past the cache where possible, compare, delete."""
        return WriteTrial(*self._door.ask("try_write", [directory, size_bytes]))

    # -- anything else -----------------------------------------------------------------------------------

    def observe(self, name: str, args: list[Json], live: Callable[[], Json]) -> Json:
        """Ask something that has no method here (a driver library). `live` is called on the machine only.

        The answer must be JSON; it is recorded and replayed like every other. What `live` takes from other answers (the
        host of a door that SITECONF names) goes through `real` first.
        """
        answer: Json = self._door.observe(name, args, live)
        return answer

    def real(self, text: str) -> str:
        """A text from an answer as the machine itself knows it; only for what `live` of `observe` is given."""
        return self._door.restore(text)
