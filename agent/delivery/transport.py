"""One POST to the service over a connection that is kept."""

from __future__ import annotations

import ipaddress
import ssl
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import agent
from agent.delivery.errors import DeliveryError
from agent.delivery.proxy import Proxy, proxy_for
from agent.delivery.settings import DeliverySettings
from agent.delivery.verdicts import Answer, clean

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""A verdict has some 200 bytes and a request at most 512 documents."""

_PATH = "/api/v1/profiles"
_PIECE_BYTES = 64 * 1024


class TransportError(Exception):
    """No answer came; the text says why, in one clause."""


class Transport:
    """A connection to the service, made when it is needed and again when it broke.

    Args:
        settings: with a URL.

    Raises:
        DeliveryError: the URL, the proxy or the authorities cannot be used.
    """

    def __init__(self, settings: DeliverySettings) -> None:
        import urllib3  # noqa: PLC0415 - an agent that sends nothing need not load it

        assert settings.url is not None
        self._url = urlsplit(settings.url)
        host = self._url.hostname or ""
        if self._url.scheme == "http" and not (settings.plain_http or _is_loopback(host)):
            raise DeliveryError(
                f"delivery.url is http:// and {host} is another machine: use https://, or set delivery.plain_http if "
                "everybody on the way may read the token"
            )
        self.proxy = proxy_for(settings.url, settings.proxy.get_secret_value() if settings.proxy else None)
        self._connect_s = settings.connect_s
        options: dict[str, Any] = {"retries": False, "maxsize": 1, "block": False}
        if self._url.scheme == "https":
            options["ssl_context"] = _verifying(settings.ca_file)
        self._manager = _manager(urllib3, self.proxy, options)
        self._pool = self._manager.connection_from_url(settings.url)
        self._errors = urllib3.exceptions
        self._timeout = urllib3.Timeout
        self._connections: list[Any] = []
        self._watch()

    def post(self, body: bytes, headers: dict[str, str], *, limit_s: float) -> Answer:
        """Send a body and read the answer.

        Args:
            body: as it goes over the wire.
            headers: beside those that every request has.
            limit_s: bound on each silence; whoever must not wait longer in all calls `cut`.

        Raises:
            TransportError: no whole answer came.
        """
        began = time.monotonic()
        sent = {"User-Agent": f"sitecap-agent/{agent.__version__}", "Accept": "application/json", **headers}
        target = f"{self._url.path.rstrip('/')}{_PATH}"
        if self.proxy is not None and self._url.scheme == "http":
            target = f"http://{self._url.netloc}{target}"
        try:
            answer = self._pool.urlopen(
                "POST",
                target,
                body=body,
                headers=sent,
                redirect=False,
                retries=False,
                assert_same_host=False,  # the pool may be that of the proxy
                timeout=self._timeout(connect=min(self._connect_s, limit_s), read=limit_s),
                preload_content=False,
            )
            try:
                content = self._read(answer)
            finally:
                # Read to its end, it has given the connection back; else nobody can use what is left of it.
                answer.close()
        except (self._errors.HTTPError, OSError) as error:
            raise TransportError(self._clause(error, time.monotonic() - began)) from None
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, content)

    def cut(self) -> None:
        """From another thread: make a request that is under way fail soon."""
        for connection in self._connections:
            sock = getattr(connection, "sock", None)
            if sock is not None:
                with suppress(OSError, AttributeError, ValueError):
                    sock.shutdown(2)

    def close(self) -> None:
        """End the connection."""
        self._manager.clear()

    def _watch(self) -> None:
        """Know the connections that the pool makes: only they can be cut."""
        make = self._pool.ConnectionCls

        def made(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - urllib3's own
            connection = make(*arguments, **options)
            self._connections = [connection]
            return connection

        self._pool.ConnectionCls = made

    @staticmethod
    def _read(answer: Any) -> bytes:  # noqa: ANN401 - urllib3's response
        parts, size = [], 0
        while size <= MAX_ANSWER_BYTES and (part := answer.read(_PIECE_BYTES, decode_content=True)):
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def _clause(self, error: Exception, spent_s: float) -> str:
        """Why no answer came; urllib3's own words name addresses of objects."""
        via = f" through the proxy {self.proxy.address}" if self.proxy else ""
        where = f"{self._url.hostname}{via}"
        cause = _root(error)
        errors = self._errors
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{where}: its certificate is not good ({clean(cause.verify_message)}): see delivery.ca_file and the clocks"
        if isinstance(cause, ssl.SSLError):
            return f"{where}: TLS failed ({clean(cause.reason or str(cause))})"
        if isinstance(error, errors.NameResolutionError):
            return f"{where}: the name cannot be resolved now"
        # In urllib3 a refused connection is a kind of timeout.
        silent = isinstance(error, errors.TimeoutError | TimeoutError)
        if silent and not isinstance(error, errors.NewConnectionError):
            return f"{where}: no answer within {spent_s:.3g} s"
        said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        return f"{where}: {clean(said)}"


def _manager(urllib3: Any, proxy: Proxy | None, options: dict[str, Any]) -> Any:  # noqa: ANN401 - a lazy module
    if proxy is None:
        return urllib3.PoolManager(num_pools=1, **options)
    headers = urllib3.make_headers(proxy_basic_auth=proxy.credentials) if proxy.credentials else None
    context = options.get("ssl_context") or ssl.create_default_context()
    return urllib3.ProxyManager(
        proxy.address, num_pools=1, proxy_headers=headers, proxy_ssl_context=context, **options
    )


def _verifying(ca_file: str | None) -> ssl.SSLContext:
    if ca_file is None:
        return ssl.create_default_context()
    path = Path(ca_file)
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=ca_file)
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise DeliveryError(
            f"delivery.ca_file {ca_file}: {clean(error.strerror or str(error))}: name a PEM file or a directory"
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _root(error: BaseException) -> BaseException:
    seen = 0
    while seen < 8:
        inner = getattr(error, "reason", None)
        below = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
        if below is None:
            for one in error.args:
                if isinstance(one, BaseException):
                    below = one
        if below is None:
            return error
        error, seen = below, seen + 1
    return error
