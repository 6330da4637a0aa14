"""One bounded HTTP GET or HEAD behind the host door: no redirects, no proxies of the environment, no credentials."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any
from urllib.parse import SplitResult, urlsplit

from probes.answers import Json
from probes.errors import HostError
from probes.live_sockets import cut_after, resolve, tls_context

SQUID_PORT = 3128
"""Port of a proxy that is given without one; squid's default."""

BODY_TEXT_BYTES = 64 * 1024
"""So much of a body is shown at most: a larger one is fetched for its speed, not to be kept in a recording."""

_PORTS = {"http": 80, "https": 443}


def http_get(
    url: str,
    headers: dict[str, str],
    proxy: str | None,
    ca_path: str | None,
    timeout_s: float,
    limit_bytes: int,
    head: bool,  # noqa: FBT001
) -> list[Json]:
    """Ask once; the body is cut at `limit_bytes`.

    All of a HEAD takes at most `timeout_s`; a GET may read its body for as long again.

    Raises:
        HostError: the URL or the proxy is none, or there are no authorities for https.
    """
    import http.client  # noqa: PLC0415

    parts = _checked(url, "an http or https URL")
    began = time.perf_counter()
    deadline = began + timeout_s * (1 if head else 2)
    try:
        with contextlib.ExitStack() as held:
            exchange = _Exchange(held, parts, proxy, ca_path, began + timeout_s, deadline)
            answer = exchange.ask("HEAD" if head else "GET", headers)
            body = b"" if head else _bounded(answer, limit_bytes, deadline)
            fields = {key.lower(): value[:1024] for key, value in answer.getheaders()[:64]}
            text = body[:BODY_TEXT_BYTES].decode("utf-8", "replace")
            return [answer.status, fields, text, len(body), None, time.perf_counter() - began]
    except (OSError, http.client.HTTPException) as error:
        took_s = time.perf_counter() - began
        late = isinstance(error, TimeoutError) or took_s >= timeout_s
        said = f"no answer within {timeout_s:g} s" if late else _said(error)
        return [None, {}, "", 0, said[:512], took_s]


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
    ) -> None:
        import http.client  # noqa: PLC0415

        secure = parts.scheme == "https"
        context = tls_context(ca_path) if secure else None
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._host_header = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if proxy is None:
            link = _dial(host, port, connected_by)
        else:
            via = _checked(proxy if "//" in proxy else f"http://{proxy}", "a proxy http://host:port")
            link = _dial(via.hostname or "", via.port or SQUID_PORT, connected_by)
            if not secure:
                self._target = parts._replace(netloc=self._host_header, fragment="").geturl()
        held.callback(link.close)
        held.enter_context(cut_after(link, deadline))
        if proxy is not None and secure:
            _tunnel(link, host, port)
        if context is not None:
            link = held.enter_context(context.wrap_socket(link, server_hostname=host))
        self._connection = http.client.HTTPConnection(host, port)
        self._connection.sock = link
        held.callback(self._connection.close)

    def ask(self, method: str, headers: dict[str, str]) -> Any:  # noqa: ANN401 - http.client is imported lazily
        """Send the question and read the header of the answer."""
        fixed = {"Host": self._host_header, "User-Agent": "sitecap", "Connection": "close"}
        self._connection.request(method, self._target, headers={**fixed, **headers})
        return self._connection.getresponse()


def _dial(host: str, port: int, deadline: float) -> socket.socket:
    """Connect to the first address that takes us, all within the deadline."""
    ipv4, ipv6, error, _ = resolve(host, max(0.0, deadline - time.perf_counter()))
    assert isinstance(ipv4, list)
    assert isinstance(ipv6, list)
    addresses = [*ipv4, *ipv6]
    if not addresses:
        raise OSError(str(error or f"{host}: no address"))
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        patience_s = max(0.05, (deadline - time.perf_counter()) / left)
        try:
            link = socket.create_connection((str(address), port), timeout=patience_s)
        except OSError:
            if left == 1:
                raise
        else:
            link.settimeout(max(0.05, deadline - time.perf_counter()))
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


def _bounded(answer: Any, limit_bytes: int, deadline: float) -> bytes:  # noqa: ANN401
    pieces: list[bytes] = []
    got = 0
    while got < limit_bytes and time.perf_counter() < deadline:
        piece = answer.read1(min(65_536, limit_bytes - got))
        if not piece:
            break
        pieces.append(piece)
        got += len(piece)
    return b"".join(pieces)
