"""The certificate of an XRootD server, behind the host door: TLS begins only after kXR_protocol has asked for it.

Verified as XRootD's own client does: with the authorities of X509_CERT_DIR or X509_CERT_FILE, else those of
/etc/grid-security/certificates, never with those of the system (XrdCl, XrdTlsContext). Where that fails, the certificate
is read once more without trust, so that its names and its expiry can be said.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Any

from probes.answers import Json
from probes.errors import HostError
from probes.live_sockets import cut_after, tls_context
from probes.live_xrootd import Conversation, ServerError, address_of, said
from probes.xrootd_wire import WireError

GRID_AUTHORITIES = "/etc/grid-security/certificates"
MAX_NAMES = 32


def authorities() -> str:
    """Directory or file of authorities that XRootD's client uses."""
    for name in ("X509_CERT_DIR", "X509_CERT_FILE"):
        path = os.environ.get(name, "").strip()
        if path:
            return path
    return GRID_AUTHORITIES


def certificate(host: str, family: str, port: int, timeout_s: float) -> dict[str, Json]:
    """What the server shows and whether it is verified; "error" says why nothing was seen at all."""
    found: dict[str, Any] = {
        "authorities": authorities(), "no_authorities": None, "verified": False, "code": None, "detail": None,
        "protocol": None, "names": [], "not_after": None, "issuer": None, "error": None,
    }  # fmt: skip
    began = time.perf_counter()
    try:
        address = address_of(host, family, timeout_s)
        try:
            trusting = tls_context(found["authorities"])
        except HostError as error:
            found["no_authorities"] = error.text
        else:
            _be_lenient(trusting)
            _look(host, address, port, began + timeout_s, trusting, found)
        if not found["verified"]:
            _look(host, address, port, began + timeout_s, _trustless(), found)
    except (OSError, WireError, ServerError) as error:
        found["error"] = said(error, began, timeout_s)[0]
    return found


def _be_lenient(context: Any) -> None:  # noqa: ANN401 - ssl is imported lazily
    """Forgive what XrdCl forgives: Python 3.13 by itself refuses authorities that break the letter of RFC 5280."""
    import ssl  # noqa: PLC0415

    context.verify_flags &= ~ssl.VERIFY_X509_STRICT


def _trustless() -> Any:  # noqa: ANN401 - ssl is imported lazily
    import ssl  # noqa: PLC0415

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _look(
    host: str,
    address: str,
    port: int,
    deadline: float,
    context: Any,  # noqa: ANN401 - ssl is imported lazily
    found: dict[str, Any],
) -> None:
    import ssl  # noqa: PLC0415

    with contextlib.ExitStack() as held:
        left_s = max(0.05, deadline - time.perf_counter())
        link = held.enter_context(socket.create_connection((address, port), timeout=left_s))
        held.enter_context(cut_after(link, deadline))
        talk = Conversation(link, deadline)
        talk.greet(want_tls=True)
        try:
            secure = held.enter_context(context.wrap_socket(link, server_hostname=host))
        except ssl.SSLCertVerificationError as error:
            found["code"], found["detail"] = error.verify_code, error.verify_message
            return
        found["verified"] = context.verify_mode == ssl.CERT_REQUIRED
        found["protocol"] = secure.version()
        _read(secure.getpeercert(binary_form=True) or b"", found)


def _read(der: bytes, found: dict[str, Any]) -> None:
    from cryptography import x509  # noqa: PLC0415

    try:
        shown = x509.load_der_x509_certificate(der)
        found["not_after"] = shown.not_valid_after_utc.timestamp()
        found["issuer"] = shown.issuer.rfc4514_string()[:512]
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        # Names only: an address identifies a machine.
        found["names"] = [name[:253] for name in names.get_values_for_type(x509.DNSName)[:MAX_NAMES]]
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return
