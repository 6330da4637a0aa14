"""The XRootD protocol on a socket, behind the host door: what a server says of itself without any client software.

Sends no credential and trusts nobody: where a server wants TLS for the login, the certificate is not verified here but
by `probes.live_xrootd_tls`, which says what is wrong with it. Every exchange ends at its deadline.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from dataclasses import dataclass, field

from probes import xrootd_wire as wire
from probes.answers import Json
from probes.live_sockets import cut_after, resolve

CONFIG_KEYS = ("version", "role", "sitename", "chksum", "readv_ior_max", "readv_iov_max")


@dataclass
class Greeting:
    """How far a conversation came; filled in while it goes on, so that it is there when it breaks."""

    stage: str = "connect"
    error: str | None = None
    errno_name: str | None = None
    connect_s: float | None = None
    hello_s: float | None = None
    ping_s: float | None = None
    kind: str | None = None
    protocol: wire.ProtocolReply | None = None
    auth: tuple[str, ...] | None = None
    config: dict[str, str] = field(default_factory=dict)

    def answer(self) -> dict[str, Json]:
        """As JSON."""
        said = self.protocol
        return {
            "stage": self.stage,
            "error": self.error,
            "errno_name": self.errno_name,
            "connect_s": self.connect_s,
            "hello_s": self.hello_s,
            "ping_s": self.ping_s,
            "kind": self.kind,
            "version": said.version if said else None,
            "roles": list(said.roles) if said else [],
            "tls_offered": said.tls_offered if said else None,
            "tls_demands": list(said.tls_demands) if said else [],
            "auth": None if self.auth is None else list(self.auth),
            "config": dict(self.config),
        }


class ServerError(Exception):
    """kXR_error: the server refused; `code` is its number."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Conversation:
    """Requests and replies on one connection, all before `deadline` (of time.perf_counter)."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        self._link = link
        self._deadline = deadline
        self._stream = 0

    def secure(self, server_name: str) -> None:
        """Go on over TLS, whoever answers."""
        import ssl  # noqa: PLC0415

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._link = context.wrap_socket(self._link, server_hostname=server_name or None)

    def close(self) -> None:
        """Close the connection, the one over TLS included."""
        self._link.close()

    def greet(self, *, want_tls: bool = False) -> tuple[str, wire.ProtocolReply]:
        """Hello and kXR_protocol in one packet, as clients do."""
        self._stream += 1
        self._link.sendall(wire.HELLO + wire.protocol(self._stream, want_tls=want_tls))
        head, body = self._receive()
        if head.status != wire.OK:
            raise wire.WireError(f"the answer to the hello has status {head.status}")
        kind = wire.hello_reply(body)
        return kind, wire.protocol_reply(self._answer())

    def ask(self, message: bytes) -> bytes | wire.Redirect:
        """The body of the reply, or where to ask instead. A server that says wait is asked again."""
        while True:
            self._link.sendall(message)
            head, body = self._whole()
            if head.status == wire.WAIT:
                self._pause(wire.wait_reply(body))
                continue
            if head.status == wire.REDIRECT:
                return wire.redirect_reply(body)
            return self._checked(head, body)

    def _answer(self) -> bytes:
        return self._checked(*self._whole())

    @staticmethod
    def _checked(head: wire.ReplyHeader, body: bytes) -> bytes:
        if head.status == wire.ERROR:
            raise ServerError(*wire.error_reply(body))
        if head.status != wire.OK:
            raise wire.WireError(f"a reply has the unexpected status {head.status}")
        return body

    def _whole(self) -> tuple[wire.ReplyHeader, bytes]:
        """One reply with all its parts, past those that only say to wait for it."""
        parts = b""
        while True:
            head, body = self._receive()
            if head.status == wire.ATTENTION:
                awaited = wire.awaited_reply(body)
                if awaited is not None:
                    return awaited
            elif head.status == wire.OK_SO_FAR:
                parts += body
                if len(parts) > wire.MAX_REPLY_BYTES:
                    raise wire.WireError("a reply in parts goes on for too long")
            elif head.status != wire.WAIT_FOR_REPLY:
                return head, parts + body

    def _pause(self, wait_s: int) -> None:
        if time.perf_counter() + wait_s >= self._deadline:
            raise TimeoutError(f"the server says to wait for {wait_s} s, which is more than there is")
        time.sleep(wait_s)

    def _receive(self) -> tuple[wire.ReplyHeader, bytes]:
        head = wire.header(self._exactly(wire.HEADER_BYTES))
        return head, self._exactly(head.length)

    def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            piece = self._link.recv(count - len(got))
            if not piece:
                raise ConnectionResetError(errno.ECONNRESET, "the server closed the connection in mid-reply")
            got += piece
            if time.perf_counter() >= self._deadline:
                raise TimeoutError
        return got


def address_of(host: str, family: str, timeout_s: float) -> str:
    """The first address of a name in a family, "IPv4" or "IPv6".

    Raises:
        OSError: it has none.
    """
    ipv4, ipv6, error, _ = resolve(host, timeout_s)
    found = ipv6 if family == "IPv6" else ipv4
    if not isinstance(found, list) or not found:
        raise OSError(errno.EADDRNOTAVAIL, str(error or f"{host}: no {family} address"))
    return str(found[0])


def greet(host: str, family: str, port: int, connect_timeout_s: float, timeout_s: float) -> dict[str, Json]:
    """Connect, shake hands, log in, ping, ask for the configuration; say how far it came.

    Args:
        host: name or address of the server.
        family: "IPv4" or "IPv6".
        port: of the server.
        connect_timeout_s: bound on the TCP connection.
        timeout_s: bound on all that follows.
    """
    at = Greeting()
    began = time.perf_counter()
    patience_s = connect_timeout_s
    try:
        address = address_of(host, family, connect_timeout_s)
        began = time.perf_counter()
        with socket.create_connection((address, port), timeout=connect_timeout_s) as link:
            at.connect_s = time.perf_counter() - began
            began, patience_s = time.perf_counter(), timeout_s
            deadline = began + timeout_s
            link.settimeout(timeout_s)
            with cut_after(link, deadline), contextlib.closing(Conversation(link, deadline)) as talk:
                _converse(talk, host, at)
    except (OSError, wire.WireError, ServerError) as error:
        _note(error, at, began, patience_s)
    return at.answer()


def _converse(talk: Conversation, host: str, at: Greeting) -> None:
    at.stage = "hello"
    began = time.perf_counter()
    at.kind, at.protocol = talk.greet()
    at.hello_s = time.perf_counter() - began
    if at.protocol.tls_now:
        at.stage = "tls"
        talk.secure(host)
    at.stage = "login"
    at.auth = log_in(talk)
    if at.auth:
        at.stage = "auth wanted"
        return
    at.stage = "ping"
    began = time.perf_counter()
    talk.ask(wire.ping(3))
    at.ping_s = time.perf_counter() - began
    at.stage = "config"
    said = talk.ask(wire.config(4, *CONFIG_KEYS))
    if isinstance(said, bytes):
        at.config = wire.config_reply(said, CONFIG_KEYS)
    at.stage = "done"


def log_in(talk: Conversation) -> tuple[str, ...]:
    """Log in without a credential; the authentication protocols of which the server wants one."""
    said = talk.ask(wire.login(2, os.getpid()))
    if isinstance(said, wire.Redirect):
        raise wire.WireError("the server redirects the login")
    return wire.login_reply(said)


def _note(error: Exception, at: Greeting, began: float, patience_s: float) -> None:
    at.error, at.errno_name = said(error, began, patience_s)


def said(error: Exception, began: float, patience_s: float) -> tuple[str, str]:
    """Sentence and code of what broke a conversation."""
    if isinstance(error, wire.WireError):
        return f"it does not speak XRootD: {error}", "EPROTO"
    if isinstance(error, ServerError):
        return str(error)[:512] or f"error {error.code}", f"kXR_{error.code}"
    # A connection that is cut at its deadline looks as if the server had closed it.
    if isinstance(error, TimeoutError) or time.perf_counter() - began >= patience_s:
        return (
            str(error) if error.args and "wait" in str(error) else f"no answer within {patience_s:g} s"
        ), "ETIMEDOUT"
    number = getattr(error, "errno", None)
    name = errno.errorcode.get(number, "EIO") if isinstance(number, int) else "EIO"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:512], name
