"""The one door to the machine: files, commands, environment, clock, limits, trials and sockets.

A probe asks `Host`; what stands behind the door answers. Live, it is the machine (`probes.live`). With a
recorder in between, every question and answer is kept, redacted. On replay the answers come from a recording
and nothing of the machine below is touched, so a recording is both a bug report and a test fixture.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from probes.answers import (
    CommandResult,
    ConnectTrial,
    Drained,
    Fetched,
    FileStatus,
    FileSystemSpace,
    HttpAnswer,
    Identity,
    Json,
    Limit,
    Resolution,
    SystemName,
    TlsTrial,
    Trial,
    WriteTrial,
)
from probes.credential_answers import (
    AuthoritiesSeen,
    ProxySeen,
    TokenSeen,
    authorities_seen,
    proxy_seen,
    token_seen,
)
from probes.errors import HostError

KIB = 1024
MIB = 1024 * KIB


class Door(Protocol):
    """Answers questions: `ask("stat", ["/tmp"])` → JSON-able answer, or bytes for "file"."""

    def ask(self, kind: str, args: list[Json]) -> Any:  # noqa: ANN401 - the shape depends on the question
        """Answer one question, or raise HostError."""
        ...

    def observe(self, name: str, args: list[Json], live: Callable[[], Json]) -> Any:  # noqa: ANN401
        """Answer by calling `live`, or from a recording."""
        ...

    def restore(self, text: str) -> str:
        """What stands for `text` on the machine, where an answer has given a pseudonym."""
        ...


class Host:
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

    # -- sockets -----------------------------------------------------------------------------------------

    def resolve(self, name: str, *, timeout_s: float = 5.0) -> Resolution:
        """Addresses of a name, both families."""
        v4, v6, error, duration_s = self._door.ask("resolve", [name, timeout_s])
        return Resolution(tuple(v4), tuple(v6), error, duration_s)

    def connect(self, address: str, port: int, *, timeout_s: float = 5.0) -> ConnectTrial:
        """Open and close one TCP connection to a numeric address."""
        return ConnectTrial(*self._door.ask("connect", [address, port, timeout_s]))

    def tls(
        self, name: str, address: str, port: int, *, ca_path: str | None = None, timeout_s: float = 5.0
    ) -> TlsTrial:
        """Shake hands by TLS with `address`, expecting a certificate for `name`.

        `ca_path`: file or directory of authorities; None = those of the system.
        """
        return TlsTrial(*self._door.ask("tls", [name, address, port, ca_path, timeout_s]))

    def http_get(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_path: str | None = None,
        timeout_s: float = 5.0,
        limit_bytes: int = 64 * KIB,
        head: bool = False,
    ) -> HttpAnswer:
        """One GET (or HEAD) without redirects. Proxies of the environment are not used, only `proxy`."""
        wanted: dict[str, Json] = dict(headers or {})
        return HttpAnswer(
            *self._door.ask("http", [url, wanted, proxy, ca_path, timeout_s, limit_bytes, head])
        )

    def fetch(  # noqa: PLR0913 - one parameter a property of the request
        self,
        url: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        proxy: str | None = None,
        ca_path: str | None = None,
        credential: Literal["token", "x509"] | None = None,
        content: str | None = None,
        connect_timeout_s: float = 5.0,
        timeout_s: float = 10.0,
        limit_bytes: int = MIB,
    ) -> Fetched:
        """One HTTP exchange with its content, without redirects; proxies of the environment are not used.

        Args:
            url: http or https.
            method: GET, HEAD, OPTIONS, PROPFIND, PUT or DELETE.
            headers: of the request; never a secret, because the question is recorded.
            proxy: "http://host:port", None = direct.
            ca_path: file or directory of authorities; None = those of the system.
            credential: sent by the machine side of the door: a token by WLCG discovery, or the X.509 proxy in TLS.
            content: body of the request.
            connect_timeout_s: bound on look-up and TCP connection.
            timeout_s: bound on the whole exchange.
            limit_bytes: bound on the body; what is beyond is not read.

        Raises:
            HostError: the URL or proxy is none, there is no such credential or authority. A server that does not
                answer is not an error but an answer.
        """
        wanted: dict[str, Json] = dict(headers or {})
        answer = list(
            self._door.ask(
                "fetch",
                [
                    method, url, wanted, proxy, ca_path, credential,
                    content, connect_timeout_s, timeout_s, limit_bytes,
                ],
            )
        )  # fmt: skip
        answer[2] = base64.b64decode(answer[2])
        return Fetched(*answer)

    def drain(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        ca_path: str | None = None,
        credential: Literal["token", "x509"] | None = None,
        connect_timeout_s: float = 5.0,
        timeout_s: float = 10.0,
        limit_bytes: int = MIB,
        checksum: bool = False,
    ) -> Drained:
        """GET up to `limit_bytes` of an object, of which only length, times and, if asked for, adler32 come back.

        Parameters and errors are those of `fetch`.
        """
        wanted: dict[str, Json] = dict(headers or {})
        return Drained(
            *self._door.ask(
                "drain",
                [url, wanted, ca_path, credential, connect_timeout_s, timeout_s, limit_bytes, checksum],
            )
        )

    # -- credentials: what may be told of them, never they themselves --------------------------------------

    def token(self) -> TokenSeen | None:
        """The bearer token by WLCG discovery, without its signature; None if there is none.

        Raises:
            HostError: ENOTSUP while another root is looked at, because the environment is this process's.
        """
        answer = self._door.ask("token", [])
        return None if answer is None else token_seen(answer)

    def proxy(self) -> ProxySeen | None:
        """The X.509 proxy, without key and names; None if there is none.

        Raises:
            HostError: ENOTSUP while another root is looked at.
        """
        answer = self._door.ask("x509", [])
        return None if answer is None else proxy_seen(answer)

    def authorities(self, path: str) -> AuthoritiesSeen:
        """What a hashed directory of authorities holds, or a file of them; HostError if it cannot be read."""
        return authorities_seen(self._door.ask("authorities", [path]))

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
