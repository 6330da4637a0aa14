"""Sockets behind the host door: name look-up, TCP and TLS. HTTP is in `probes.live_http`.

Only small facts come back; credentials never go in. `ssl` is imported inside the functions: most runs of the
local probes never need it, and it costs a third of the agent's start-up.

A time-out here bounds the whole question. A socket's own time-out bounds one read only, so a peer that sends a
byte now and then could hold a probe for ever; hence `cut_after`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from probes.answers import Json
from probes.errors import HostError
from probes.live_certificate import names


def resolve(name: str, timeout_s: float) -> list[Json]:
    """Look a name up in both families; the resolver has no time-out of its own, so it runs beside us."""
    found: dict[str, Any] = {}

    began = time.perf_counter()
    try:
        encoded = name.encode("idna")
    except UnicodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        return [[], [], f"{name!r}: not a host name", time.perf_counter() - began]

    def look_up() -> None:
        try:
            found["answers"] = socket.getaddrinfo(encoded, None, type=socket.SOCK_STREAM)
        except OSError as error:
            found["error"] = f"{name}: {error.strerror or error}"

    thread = threading.Thread(target=look_up, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise HostError("EAGAIN", f"{name}: no thread for the look-up: {error}") from error
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
    """Shake hands with verification; on failure once more without, to be able to say who answered instead.

    Raises:
        HostError: there are no authorities to verify with, so that nothing could be learnt from trying.
    """
    import ssl  # noqa: PLC0415

    context = tls_context(ca_path)
    deadline = time.perf_counter() + timeout_s
    try:
        with (
            socket.create_connection((address, port), timeout=timeout_s) as raw,
            cut_after(raw, deadline),
            context.wrap_socket(raw, server_hostname=name) as link,
        ):
            der = link.getpeercert(binary_form=True) or b""
            return [True, True, None, link.version(), *names(der), hashlib.sha256(der).hexdigest()]
    except ssl.SSLCertVerificationError as error:
        der, protocol = _unverified(name, address, port, deadline)
        fingerprint = hashlib.sha256(der).hexdigest() if der else None
        return [True, False, error.verify_message or str(error), protocol, *names(der), fingerprint]
    except (OSError, ValueError) as error:  # ValueError: an empty name, or one that is not encodable as IDNA
        return [False, False, _handshake_error(error, deadline, timeout_s), None, None, None, None]


def _handshake_error(error: Exception, deadline: float, timeout_s: float) -> str:
    if isinstance(error, TimeoutError) or time.perf_counter() >= deadline:
        return f"no complete handshake within {timeout_s:g} s"
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return str(reason).replace("_", " ").lower()[:512]


def tls_context(ca_path: str | None) -> Any:  # noqa: ANN401 - ssl is imported lazily
    """A verifying context of the authorities in a file or directory; None = those of the system.

    Raises:
        HostError: the file or directory cannot be read, or there is no authority in it.
    """
    import ssl  # noqa: PLC0415

    if ca_path is None:
        paths = ssl.get_default_verify_paths()
        where = "the system"
        directory: str | None = paths.capath
        context = ssl.create_default_context()
    else:
        is_directory = os.path.isdir(ca_path)  # noqa: PTH112
        where = ca_path
        directory = ca_path if is_directory else None
        try:
            context = ssl.create_default_context(cafile=None if is_directory else ca_path, capath=directory)
        except ssl.SSLError as error:
            raise HostError("EINVAL", f"{ca_path}: no certificates in PEM form") from error
        except OSError as error:
            raise HostError.of(error, ca_path) from error
    # A directory is read by OpenSSL only when it looks an issuer up, so it does not show in the statistics.
    if not context.cert_store_stats()["x509_ca"] and not (directory and _has_entries(directory)):
        raise HostError("ENOENT", f"{where} has no certificate authorities to verify with")
    return context


def _has_entries(directory: str) -> bool:
    try:
        with os.scandir(directory) as entries:
            return any(True for _ in entries)
    except OSError as error:
        raise HostError.of(error, directory) from error


def _unverified(name: str, address: str, port: int, deadline: float) -> tuple[bytes, str | None]:
    """Certificate and protocol of whoever answers, without any trust; empty if it does not answer again."""
    import ssl  # noqa: PLC0415

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(
                (address, port), timeout=max(0.1, deadline - time.perf_counter())
            ) as raw,
            cut_after(raw, deadline),
            context.wrap_socket(raw, server_hostname=name) as link,
        ):
            return link.getpeercert(binary_form=True) or b"", link.version()
    except (OSError, ValueError):
        return b"", None


@contextlib.contextmanager
def cut_after(link: socket.socket, deadline: float) -> Iterator[None]:
    """Shut a connection down at `deadline` (of time.perf_counter), so that reading from it ends then at the latest."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(link, socket.SHUT_RDWR)

    # A duplicate keeps the connection reachable when `ssl` has taken the original over.
    link = link.dup()
    timer = threading.Timer(max(0.0, deadline - time.perf_counter()), cut)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError as error:
        link.close()
        raise HostError("EAGAIN", f"no thread to watch a connection: {error}") from error
    try:
        yield
    finally:
        timer.cancel()
        link.close()
