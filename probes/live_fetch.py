"""One bounded HTTP exchange behind the host door: no redirects, no proxies of the environment.

Which stage an exchange had reached when it broke is part of the answer: "the proxy's name has no address" and "the
server cut the body" are different faults with different remedies.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from probes.answers import FetchStage, Json
from probes.errors import HostError
from probes.live_credentials import bearer_token, proxy_path
from probes.live_held import hold, release
from probes.live_sockets import cut_after, resolve, tls_context

SQUID_PORT = 3128
"""Port of a proxy that is given without one; squid's default."""

_PORTS = {"http": 80, "https": 443}


@dataclass
class Progress:
    """How far an exchange came; filled in while it goes on, so that it is there when it breaks."""

    stage: FetchStage = "resolve"
    status: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    body_bytes: int = 0
    """Read so far; more than `body` holds if it was taken elsewhere."""
    expected_bytes: int | None = None
    first_byte_s: float | None = None
    complete: bool = False
    error: str | None = None
    errno_name: str | None = None
    duration_s: float = 0.0

    def answer(self) -> list[Json]:
        """As `probes.answers.Fetched` is built from it."""
        fields: dict[str, Json] = dict(self.fields)
        return [
            self.status,
            fields,
            base64.b64encode(self.body).decode("ascii"),
            self.body_bytes,
            self.expected_bytes,
            self.complete,
            self.stage,
            self.error,
            self.errno_name,
            self.first_byte_s,
            self.duration_s,
        ]


def fetch(  # noqa: PLR0913, PLR0917 - in the order of the question
    method: str,
    url: str,
    headers: dict[str, str],
    proxy: str | None,
    ca_path: str | None,
    credential: str | None,
    content: str | None,
    connect_timeout_s: float,
    timeout_s: float,
    limit_bytes: int,
) -> list[Json]:
    """Ask once and say how far it came; `credential` "token" or "x509" is found and used here, and never leaves.

    Raises:
        HostError: the URL or the proxy is none, there are no authorities for https, or no such credential.
    """
    at = exchange(
        method,
        url,
        headers,
        proxy=proxy,
        ca_path=ca_path,
        credential=credential,
        content=None if content is None else content.encode(),
        connect_timeout_s=connect_timeout_s,
        timeout_s=timeout_s,
        limit_bytes=limit_bytes,
    )
    return at.answer()


def exchange(  # noqa: PLR0913 - one parameter a property of the request
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    proxy: str | None,
    ca_path: str | None,
    credential: str | None = None,
    content: bytes | None = None,
    connect_timeout_s: float,
    timeout_s: float,
    limit_bytes: int,
    take: Callable[[bytes], object] | None = None,
) -> Progress:
    """Like `fetch`, for the machine side of the door; the body goes to `take`, piece by piece, if there is one."""
    import http.client  # noqa: PLC0415

    _checked(url, "an http or https URL")
    parts = urlsplit(release(url))
    chain = proxy_path() if credential == "x509" else None
    if credential == "token":
        # A copy: what the caller holds is recorded.
        headers = {**headers, "Authorization": f"Bearer {bearer_token()}"}
    began = time.perf_counter()
    deadline = began + timeout_s
    at = Progress()
    try:
        with contextlib.ExitStack() as held:
            connection = _Exchange(
                held, parts, proxy, ca_path, began + connect_timeout_s, deadline, at=at, client_chain=chain
            )
            answer = connection.ask(method, headers, content)
            at.status = answer.status
            at.fields = _joined(answer.getheaders()[:64])
            if "location" in at.fields:
                at.fields["location"] = hold(answer.getheader("location", ""))[:1024]
            at.first_byte_s = time.perf_counter() - began
            at.expected_bytes = answer.length
            at.stage = "body"
            _read(answer, at, limit_bytes, deadline, take)
    except (OSError, http.client.HTTPException) as error:
        _note(error, at, began, connect_timeout_s if at.stage in ("resolve", "connect") else timeout_s)
    at.duration_s = time.perf_counter() - began
    return at


def _joined(fields: list[tuple[str, str]]) -> dict[str, str]:
    """Header fields by their names in lower case; one that comes twice is a list (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        found[key] = f"{found[key]}, {value}"[:1024] if key in found else value[:1024]
    return found


def _note(error: Exception, at: Progress, began: float, patience_s: float) -> None:
    late = isinstance(error, TimeoutError) or time.perf_counter() - began >= patience_s
    number = getattr(error, "errno", None)
    at.errno_name = "ETIMEDOUT" if late else errno.errorcode.get(number) if isinstance(number, int) else None
    at.error = (f"no answer within {patience_s:g} s" if late else _said(error))[:512]


def _read(
    answer: Any,  # noqa: ANN401 - lazy import
    at: Progress,
    limit_bytes: int,
    deadline: float,
    take: Callable[[bytes], object] | None,
) -> None:
    keep = take or at.body.extend
    while at.body_bytes < limit_bytes:
        piece = answer.read1(min(262_144, limit_bytes - at.body_bytes))
        if not piece:
            break
        at.body_bytes += len(piece)
        keep(piece)
        if time.perf_counter() >= deadline:
            raise TimeoutError
    if at.expected_bytes is not None and at.body_bytes < min(at.expected_bytes, limit_bytes):
        if time.perf_counter() >= deadline:
            raise TimeoutError
        at.error = f"the connection ended after {at.body_bytes} of {at.expected_bytes} bytes"
        return
    at.complete = at.expected_bytes is None or at.body_bytes == at.expected_bytes


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _checked(url: str, wanted: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise HostError("EINVAL", f"{url}: not {wanted}: {error}") from error
    if not good:
        raise HostError("EINVAL", f"{url}: not {wanted}")
    return parts


class _Exchange:
    """A connection to the server or the proxy, held open by `held`, with what to ask on it."""

    def __init__(
        self,
        held: contextlib.ExitStack,
        parts: SplitResult,
        proxy: str | None,
        ca_path: str | None,
        connected_by: float,
        deadline: float,
        *,
        at: Progress,
        client_chain: str | None,
    ) -> None:
        import http.client  # noqa: PLC0415

        secure = parts.scheme == "https"
        context = tls_context(ca_path) if secure else None
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._host_header = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if context is not None and client_chain is not None:
            context.load_cert_chain(client_chain)
        if proxy is None:
            link = _dial(host, port, connected_by, at)
        else:
            via = _checked(proxy if "//" in proxy else f"http://{proxy}", "a proxy http://host:port")
            link = _dial(via.hostname or "", via.port or SQUID_PORT, connected_by, at)
            if not secure:
                self._target = parts._replace(netloc=self._host_header, fragment="").geturl()
        held.callback(link.close)
        held.enter_context(cut_after(link, deadline))
        # From here on the bound of the connection is over, and that of the whole exchange counts.
        link.settimeout(max(0.05, deadline - time.perf_counter()))
        if proxy is not None and secure:
            at.stage = "tunnel"
            _tunnel(link, host, port)
        if context is not None:
            at.stage = "tls"
            link = held.enter_context(context.wrap_socket(link, server_hostname=host))
        at.stage = "answer"
        self._connection = http.client.HTTPConnection(host, port)
        self._connection.sock = link
        held.callback(self._connection.close)

    def ask(self, method: str, headers: dict[str, str], content: bytes | None) -> Any:  # noqa: ANN401 - lazy import
        """Send the question and read the header of the answer."""
        fixed = {"Host": self._host_header, "User-Agent": "sitecap", "Connection": "close"}
        self._connection.request(method, self._target, content, {**fixed, **headers})
        return self._connection.getresponse()


def _dial(host: str, port: int, deadline: float, at: Progress) -> socket.socket:
    """Connect to the first address that takes us, all within the deadline."""
    at.stage = "resolve"
    ipv4, ipv6, error, _ = resolve(host, max(0.0, deadline - time.perf_counter()))
    assert isinstance(ipv4, list)
    assert isinstance(ipv6, list)
    addresses = [*ipv4, *ipv6]
    if not addresses:
        raise OSError(str(error or f"{host}: no address"))
    at.stage = "connect"
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        patience_s = max(0.05, (deadline - time.perf_counter()) / left)
        try:
            link = socket.create_connection((str(address), port), timeout=patience_s)
        except OSError:
            if left == 1:
                raise
        else:
            return link
    raise AssertionError("unreachable: the last address returns or raises")


def _tunnel(link: socket.socket, host: str, port: int) -> None:
    """Ask a proxy for a connection to a TLS server (RFC 9110 §9.3.6)."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    link.sendall(
        f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: sitecap\r\n\r\n".encode("ascii")
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        # Byte by byte: what follows the empty line belongs to the TLS handshake.
        piece = link.recv(1)
        if not piece or len(answer) > 16_384:
            raise OSError("the proxy closed the connection before it answered CONNECT")
        answer += piece
    words = answer.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(words) < 2 or words[1] != "200":
        raise OSError(f"the proxy refused CONNECT: {' '.join(words[1:])[:128]}")
