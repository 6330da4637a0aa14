"""The XRootD protocol as bytes: requests to send, replies to take apart. No socket is touched here.

Source: "XRootD Protocol" version 5 (xrootd.org, XProtocol.hh). All numbers are big-endian. A request is 24 bytes (stream,
code, 16 bytes of its own, length of what follows), a reply 8 bytes (stream, status, length) and its body. What a
server sends is hostile input: every length is checked, nothing is trusted for what it says of itself.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

HELLO = struct.pack(">5i", 0, 0, 0, 4, 2012)
HEADER_BYTES = 8
HELLO_BODY_BYTES = 8
MAX_REPLY_BYTES = 65_536
"""Longest body that is taken; the replies to the questions asked here have some hundred bytes."""

MAX_ENTRIES = 64
"""Of a list that a server sends."""

CLIENT_VERSION = 0x511
"""5.1.1: the first protocol of which servers ask clients for TLS by kXR_gotoTLS is 5.0."""

# request codes
QUERY, LOGIN, PROTOCOL, PING, STAT, LOCATE = 3001, 3007, 3006, 3011, 3017, 3027
# status of a reply
OK, OK_SO_FAR, ATTENTION, ERROR, REDIRECT, WAIT, WAIT_FOR_REPLY = 0, 4000, 4001, 4003, 4004, 4005, 4006
AUTHENTICATE_MORE = 4002
ASYNC_REPLY = 5008
"""Action code in the body of an attention reply: the awaited answer is inside."""

# errors
NOT_AUTHORIZED, NOT_FOUND, UNSUPPORTED, OVERLOADED, TLS_REQUIRED, AUTH_FAILED = (
    3010,
    3011,
    3013,
    3024,
    3028,
    3030,
)

_ABLE_TLS, _WANT_TLS = 0x02, 0x04
_EXPECT_LOGIN = 0x03
_QUERY_CONFIG = 7
_PREFER_NAMES = 0x0100
_FULL_URL, _HAS_BOTH_FAMILIES = 0x01, 0x08
_CAPABLE = 0x05

HAS_TLS, GO_TO_TLS = 0x80000000, 0x40000000
_ROLES = (
    (0x00000002, "manager"),
    (0x00000001, "server"),
    (0x00000100, "meta"),
    (0x00000200, "proxy"),
    (0x00000400, "supervisor"),
    (0x00000080, "cache"),
)
_TLS_DEMANDS = (
    (0x01000000, "data"),
    (0x04000000, "login"),
    (0x08000000, "session"),
    (0x10000000, "third-party copy"),
)


class WireError(Exception):
    """What came is no reply of this protocol; the text says in what."""


class ReplyHeader(NamedTuple):
    """Start of every reply."""

    stream: int
    status: int
    length: int
    """Bytes of the body."""


class ProtocolReply(NamedTuple):
    """Answer to kXR_protocol."""

    version: str
    """Protocol version, e.g. "5.1.0"."""
    roles: tuple[str, ...]
    tls_offered: bool
    tls_now: bool
    """The server wants the TLS handshake to begin at once."""
    tls_demands: tuple[str, ...]
    """What the server only does over TLS: login, session, data, third-party copy."""


class Redirect(NamedTuple):
    """Where to ask instead."""

    host: str
    port: int


class Located(NamedTuple):
    """One entry of the answer to kXR_locate."""

    kind: str
    """"manager" or "server", with " pending" if it is not known yet whether it has the file."""
    writable: bool
    target: str


class Entry(NamedTuple):
    """Answer to kXR_stat."""

    size_bytes: int
    flags: int


def request(stream: int, code: int, own: bytes = b"", data: bytes = b"") -> bytes:
    """A request; `own` are its 16 bytes, padded with zeros."""
    return struct.pack(">HH16si", stream, code, own, len(data)) + data


def protocol(stream: int, *, able_tls: bool = True, want_tls: bool = False) -> bytes:
    """kXR_protocol: who are you, and do you want TLS?"""
    flags = (_ABLE_TLS if able_tls or want_tls else 0) | (_WANT_TLS if want_tls else 0)
    return request(stream, PROTOCOL, struct.pack(">iBB", CLIENT_VERSION, flags, _EXPECT_LOGIN))


def login(stream: int, process_id: int, user: str = "sitecap") -> bytes:
    """kXR_login under a user name of at most 8 characters; no credential is in it."""
    name = user.encode("ascii", "replace")[:8]
    own = struct.pack(
        ">i8sBBBB", process_id & 0x7FFFFFFF, name, 0, _FULL_URL | _HAS_BOTH_FAMILIES, _CAPABLE, 0
    )
    return request(stream, LOGIN, own)


def ping(stream: int) -> bytes:
    """kXR_ping."""
    return request(stream, PING)


def stat(stream: int, path: str) -> bytes:
    """kXR_stat of a path."""
    return request(stream, STAT, data=path.encode("utf-8", "surrogateescape"))


def locate(stream: int, path: str) -> bytes:
    """kXR_locate of a path, names preferred to addresses."""
    return request(stream, LOCATE, struct.pack(">H", _PREFER_NAMES), path.encode("utf-8", "surrogateescape"))


def config(stream: int, *keys: str) -> bytes:
    """kXR_query for values of the server's configuration."""
    return request(stream, QUERY, struct.pack(">H", _QUERY_CONFIG), " ".join(keys).encode("ascii"))


def header(data: bytes) -> ReplyHeader:
    """The header of a reply.

    Raises:
        WireError: it is too short, or its body is longer than any answer can be.
    """
    if len(data) < HEADER_BYTES:
        raise WireError(f"the reply has {len(data)} bytes, a header has {HEADER_BYTES}")
    stream, status, length = struct.unpack(">HHi", data[:HEADER_BYTES])
    if not 0 <= length <= MAX_REPLY_BYTES:
        raise WireError(f"the reply announces {length} bytes, at most {MAX_REPLY_BYTES} can be")
    return ReplyHeader(stream, status, length)


def hello_reply(body: bytes) -> str:
    """The kind of server, "manager" or "server", by the answer to the hello.

    Raises:
        WireError: it is not such an answer.
    """
    if len(body) != HELLO_BODY_BYTES:
        raise WireError(f"the answer to the hello has {len(body)} bytes instead of {HELLO_BODY_BYTES}")
    _, kind = struct.unpack(">ii", body)
    if kind not in (0, 1):
        raise WireError(f"the answer to the hello names a server of type {kind}")
    return "server" if kind else "manager"


def protocol_reply(body: bytes) -> ProtocolReply:
    """Version, roles and TLS demands.

    Raises:
        WireError: it is too short.
    """
    if len(body) < 4:
        raise WireError(f"the answer to kXR_protocol has {len(body)} bytes")
    (version,) = struct.unpack(">I", body[:4])
    flags = struct.unpack(">I", body[4:8])[0] if len(body) >= 8 else 0
    # Three digits of the version in hexadecimal: 0x511 is 5.1.1 (XProtocol.hh, kXR_PROTOCOLVERSION).
    return ProtocolReply(
        version=f"{version >> 8 & 0xFF:x}.{version >> 4 & 0xF:x}.{version & 0xF:x}",
        roles=tuple(name for bit, name in _ROLES if flags & bit),
        tls_offered=bool(flags & HAS_TLS),
        tls_now=bool(flags & GO_TO_TLS),
        tls_demands=tuple(name for bit, name in _TLS_DEMANDS if flags & bit),
    )


def login_reply(body: bytes) -> tuple[str, ...]:
    """Names of the authentication protocols of which the server wants one, e.g. ("ztn", "gsi"); empty = none is wanted."""
    text = body[16:].rstrip(b"\0").decode("latin-1")
    names = [part.partition(",")[0] for part in text.split("&P=")[1:]]
    return tuple(name[:16] for name in names[:MAX_ENTRIES] if name.isalnum())


def error_reply(body: bytes) -> tuple[int, str]:
    """Code and sentence of kXR_error.

    Raises:
        WireError: it is too short.
    """
    if len(body) < 4:
        raise WireError(f"the error reply has {len(body)} bytes")
    return struct.unpack(">i", body[:4])[0], _text(body[4:])


def redirect_reply(body: bytes) -> Redirect:
    """Where kXR_redirect sends us.

    Raises:
        WireError: there is no host in it, or no such port.
    """
    if len(body) < 5:
        raise WireError(f"the redirect reply has {len(body)} bytes")
    (port,) = struct.unpack(">i", body[:4])
    where = _text(body[4:]).partition("?")[0]
    if port < 0:  # a whole URL in place of the host (kXR_fullurl)
        where, port = where.partition("://")[2].partition("/")[0].rpartition("@")[2], 0
        name, colon, number = where.rpartition(":")
        if colon and number.isascii() and number.isdigit() and len(number) < 6:
            where, port = name, int(number)
    host = where.removeprefix("[").removesuffix("]")
    if not host or len(host) > 253 or not 0 <= port <= 65_535 or any(char.isspace() for char in host):
        raise WireError("the redirect names no host and port")
    return Redirect(host, port or 1094)


def wait_reply(body: bytes) -> int:
    """Seconds after which to ask again (kXR_wait, kXR_waitresp).

    Raises:
        WireError: it is too short or negative.
    """
    wait_s = struct.unpack(">i", body[:4])[0] if len(body) >= 4 else -1
    if wait_s < 0:
        raise WireError("the wait reply has no time")
    return int(wait_s)


def awaited_reply(body: bytes) -> tuple[ReplyHeader, bytes] | None:
    """The reply inside an attention (kXR_asynresp); None if it is about something else.

    Raises:
        WireError: it is too short.
    """
    if len(body) < 4:
        raise WireError(f"the attention reply has {len(body)} bytes")
    if struct.unpack(">i", body[:4])[0] != ASYNC_REPLY:
        return None
    inner = header(body[8:])
    data = body[8 + HEADER_BYTES :]
    if len(data) != inner.length:
        raise WireError("the awaited reply is shorter than it says")
    return inner, data


def stat_reply(body: bytes) -> Entry:
    """Size and flags of "id size flags mtime".

    Raises:
        WireError: it is not that.
    """
    words = _text(body).split()
    try:
        size_bytes, flags = int(words[1][:20]), int(words[2][:20])
    except (IndexError, ValueError):
        raise WireError("the answer to kXR_stat is not 'id size flags mtime'") from None
    if size_bytes < 0:
        raise WireError("the answer to kXR_stat has a negative size")
    return Entry(size_bytes, flags)


def locate_reply(body: bytes) -> tuple[Located, ...]:
    """Entries such as "Sr[::1]:1094": kind, access, place; what is not one is left out."""
    kinds = {"M": "manager", "m": "manager pending", "S": "server", "s": "server pending"}
    found = [
        Located(kinds[word[0]], word[1] == "w", word[2:255])
        for word in _text(body).split()
        if len(word) > 3 and word[0] in kinds and word[1] in "rw"
    ]
    return tuple(found[:MAX_ENTRIES])


def config_reply(body: bytes, keys: tuple[str, ...]) -> dict[str, str]:
    """Values by key; a key that the server does not know is echoed by it, and left out here."""
    lines = _text(body).split("\n")
    pairs = zip(keys, lines, strict=False)
    return {key: line.strip()[:256] for key, line in pairs if line.strip() and line.strip() != key}


def _text(body: bytes) -> str:
    text = body.split(b"\0", 1)[0][:4096].decode("utf-8", "replace")
    return "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    ).strip()
