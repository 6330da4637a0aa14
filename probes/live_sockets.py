"""Sockets behind the host door: name look-up, TCP, TLS and one bounded HTTP GET.

Only small facts come back; credentials never go in. Imports of ssl and http are inside the functions: most
runs of the local probes never need them, and they cost a third of the agent's start-up.
"""

from __future__ import annotations

import errno
import hashlib
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from probes.answers import Json
from probes.errors import HostError


def resolve(name: str, timeout_s: float) -> list[Json]:
    """Look a name up in both families; the resolver has no time-out of its own, so it runs beside us."""
    found: dict[str, Any] = {}

    def look_up() -> None:
        try:
            found["answers"] = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            found["error"] = f"{name}: {error.strerror or error}"
        except UnicodeError:
            found["error"] = f"{name!r}: not a host name"

    began = time.perf_counter()
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(timeout_s)
    took_s = time.perf_counter() - began
    if thread.is_alive():
        return [[], [], f"{name}: the resolver did not answer within {timeout_s:g} s", took_s]
    answers = found.get("answers", [])
    families = {
        family: sorted({str(address[0]) for kind, _, _, _, address in answers if kind == family})
        for family in (socket.AF_INET, socket.AF_INET6)
    }
    return [list(families[socket.AF_INET]), list(families[socket.AF_INET6]), found.get("error"), took_s]


def connect(address: str, port: int, timeout_s: float) -> list[Json]:
    """Open and close one TCP connection; `address` is numeric, IPv4 or IPv6."""
    began = time.perf_counter()
    try:
        with socket.create_connection((address, port), timeout=timeout_s) as link:
            return [True, None, None, str(link.getsockname()[0]), time.perf_counter() - began]
    except TimeoutError:
        took_s = time.perf_counter() - began
        return [False, "ETIMEDOUT", f"no answer within {timeout_s:g} s", None, took_s]
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "EIO")
        return [False, name, error.strerror or str(error), None, time.perf_counter() - began]


def tls(name: str, address: str, port: int, ca_path: str | None, timeout_s: float) -> list[Json]:
    """Shake hands with verification; on failure once more without, to be able to say who answered instead."""
    import ssl  # noqa: PLC0415

    try:
        context = _tls_context(ca_path)
        with socket.create_connection((address, port), timeout=timeout_s) as raw:
            with context.wrap_socket(raw, server_hostname=name) as link:
                certificate = link.getpeercert() or {}
                der = link.getpeercert(binary_form=True) or b""
                return [
                    True,
                    True,
                    None,
                    link.version(),
                    _name_of(certificate.get("issuer")),
                    _name_of(certificate.get("subject")),
                    hashlib.sha256(der).hexdigest(),
                ]
    except ssl.SSLCertVerificationError as error:
        fingerprint, protocol = _unverified(name, address, port, timeout_s)
        return [True, False, error.verify_message or str(error), protocol, None, None, fingerprint]
    except (OSError, ssl.SSLError) as error:
        return [False, False, str(error), None, None, None, None]


def _tls_context(ca_path: str | None) -> Any:  # noqa: ANN401 - ssl is imported lazily
    import os  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    if ca_path is None:
        return ssl.create_default_context()
    is_directory = os.path.isdir(ca_path)  # noqa: PTH112
    return ssl.create_default_context(
        cafile=None if is_directory else ca_path, capath=ca_path if is_directory else None
    )


def _unverified(name: str, address: str, port: int, timeout_s: float) -> tuple[str | None, str | None]:
    import ssl  # noqa: PLC0415

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=timeout_s) as raw,
            context.wrap_socket(raw, server_hostname=name) as link,
        ):
            return hashlib.sha256(link.getpeercert(binary_form=True) or b"").hexdigest(), link.version()
    except (OSError, ssl.SSLError):
        return None, None


def _name_of(relative_names: Any) -> str | None:  # noqa: ANN401 - the nested tuples of ssl.getpeercert()
    if not relative_names:
        return None
    return ", ".join(f"{key}={value}" for part in relative_names for key, value in part)[:512]


def http_get(
    url: str,
    headers: dict[str, str],
    proxy: str | None,
    ca_path: str | None,
    timeout_s: float,
    limit_bytes: int,
    head: bool,  # noqa: FBT001
) -> list[Json]:
    """One GET or HEAD, no redirects, no environment proxies, the body cut at `limit_bytes`."""
    import http.client  # noqa: PLC0415

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HostError("EINVAL", f"{url}: not an http or https URL")
    began = time.perf_counter()
    try:
        connection, target = _http_connection(url, proxy, ca_path, timeout_s)
        try:
            connection.request("HEAD" if head else "GET", target, headers={"User-Agent": "sitecap", **headers})
            answer = connection.getresponse()
            body = b"" if head else _bounded(answer, limit_bytes, began + 2 * timeout_s)
            fields = {key.lower(): value[:1024] for key, value in answer.getheaders()[:64]}
            text = body[:limit_bytes].decode("utf-8", "replace")
            return [answer.status, fields, text, len(body), None, time.perf_counter() - began]
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        said = str(error) or type(error).__name__
        return [None, {}, "", 0, said[:512], time.perf_counter() - began]


def _http_connection(url: str, proxy: str | None, ca_path: str | None, timeout_s: float) -> tuple[Any, str]:
    import http.client  # noqa: PLC0415

    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.hostname or ""
    if proxy is None:
        if parts.scheme == "https":
            context = _tls_context(ca_path)
            return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=context), path
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_s), path
    via = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
    if parts.scheme == "https":
        secure = http.client.HTTPSConnection(
            via.hostname or "", via.port or 3128, timeout=timeout_s, context=_tls_context(ca_path)
        )
        secure.set_tunnel(host, parts.port or 443)
        return secure, path
    return http.client.HTTPConnection(via.hostname or "", via.port or 3128, timeout=timeout_s), url


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
