"""The shapes of the host's answers: small immutable records that survive a round trip through JSON."""

from __future__ import annotations

from typing import Literal, NamedTuple

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

FileKind = Literal["file", "directory", "link", "character", "block", "fifo", "socket", "other"]


class FileStatus(NamedTuple):
    """What stat(2) says of a path."""

    kind: FileKind
    mode: int
    """Permission bits only, e.g. 0o644."""
    uid: int
    gid: int
    size_bytes: int
    device_id: str
    """Identity of the file system that holds it, "major:minor" as in /proc/self/mountinfo."""


class FileSystemSpace(NamedTuple):
    """What statvfs(3) says of the file system that holds a path."""

    total_bytes: int
    available_bytes: int
    """Free for an unprivileged process."""
    inodes: int
    """0 where the file system does not count inodes (btrfs, some network file systems)."""
    inodes_available: int
    read_only: bool


class CommandResult(NamedTuple):
    """What a command printed and how it ended."""

    returncode: int
    """Exit status; negative = killed by that signal."""
    stdout: str
    stderr: str


class Limit(NamedTuple):
    """One resource limit; None = unlimited. Units as getrlimit(2) gives them."""

    soft: int | None
    hard: int | None


class SystemName(NamedTuple):
    """What uname(2) says."""

    system: str
    node: str
    release: str
    version: str
    machine: str


class Identity(NamedTuple):
    """Who the process is: numbers only, no names."""

    uid: int
    euid: int
    gid: int


class Trial(NamedTuple):
    """Outcome of something proven by trying it."""

    works: bool
    errno_name: str | None
    detail: str | None


class WriteTrial(NamedTuple):
    """Outcome of writing, syncing and reading back a test file."""

    works: bool
    errno_name: str | None
    detail: str | None
    written_bytes: int
    write_s: float | None
    read_s: float | None
    verified: bool
    """True if the bytes that came back have the hash of those that went out."""


class Resolution(NamedTuple):
    """Outcome of a name look-up."""

    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    error: str | None
    duration_s: float


class ConnectTrial(NamedTuple):
    """Outcome of one outbound TCP connection."""

    works: bool
    errno_name: str | None
    detail: str | None
    local_address: str | None
    duration_s: float


class TlsTrial(NamedTuple):
    """Outcome of one TLS handshake with verification against the given authorities."""

    works: bool
    verified: bool
    detail: str | None
    protocol: str | None
    issuer: str | None
    subject: str | None
    fingerprint_sha256: str | None


class HttpAnswer(NamedTuple):
    """Outcome of one HTTP GET; `status` is None if no answer came."""

    status: int | None
    headers: dict[str, str]
    """Header names in lower case."""
    body_text: str
    """At most the asked limit and 64 KiB, undecodable bytes replaced."""
    body_bytes: int
    error: str | None
    duration_s: float


FetchStage = Literal["resolve", "connect", "tunnel", "tls", "answer", "body"]
"""How far an HTTP exchange came: look-up, TCP, CONNECT through a proxy, TLS, header of the answer, body."""


class Fetched(NamedTuple):
    """Outcome of one HTTP exchange with its content."""

    status: int | None
    """None if no answer came."""
    headers: dict[str, str]
    """Header names in lower case."""
    body: bytes
    body_bytes: int
    expected_bytes: int | None
    """Content-Length of the answer, None if it names none."""
    complete: bool
    """True if the body came to its end; False if it was cut by the limit, the deadline or the other side."""
    stage: FetchStage
    error: str | None
    errno_name: str | None
    first_byte_s: float | None
    """From the start to the header of the answer."""
    duration_s: float


class Drained(NamedTuple):
    """Outcome of one HTTP GET whose body was read and not kept."""

    status: int | None
    """None if no answer came."""
    headers: dict[str, str]
    """Header names in lower case."""
    body_bytes: int
    adler32: str | None
    """Of what was read, if it was asked for: 8 lower-case hexadecimal digits (RFC 1950 §8.2)."""
    complete: bool
    """True if the body came to its end."""
    stage: FetchStage
    error: str | None
    errno_name: str | None
    first_byte_s: float | None
    """From the start to the header of the answer."""
    duration_s: float
