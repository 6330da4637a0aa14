"""Classes of what can go wrong at an XRootD door, from the codes and sentences of its clients.

The status map was observed with client 6.2.1 against servers 5.5.3: XrdCl's code says which layer failed, the server's
error number (kXR_…) why it refused. `xrdfs` prints the same sentences without the codes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from probes.answers import Json

KXR = {
    3005: "io",
    3007: "io",
    3010: "denied",
    3011: "not-found",
    3012: "io",
    3013: "unsupported",
    3019: "checksum",
    3024: "overloaded",
    3028: "tls",
    3030: "no-credential-accepted",
}
"""Error numbers of servers (XRootD protocol, kXR_error)."""

XRDCL = {
    101: "dns",
    103: "timeout",
    108: "connect",
    110: "tls",
    203: "no-credential-accepted",
    204: "no-credential-accepted",
    206: "timeout",
    306: "redirect-loop",
}
"""XrdCl status codes (XrdClStatus.hh)."""

SENTENCES = (
    ("no protocols left to try", "no-credential-accepted"),
    ("auth failed", "no-credential-accepted"),
    ("redirect limit", "redirect-loop"),
    ("permission denied", "denied"),
    ("not authorized", "denied"),
    ("no such file", "not-found"),
    ("no servers", "not-found"),
    ("tls error", "tls"),
    ("invalid address", "dns"),
    ("socket timeout", "timeout"),
    ("operation expired", "timeout"),
    ("connection error", "connect"),
    ("not supported", "unsupported"),
)
"""What `xrdfs` and the server's own text say."""

_TLS = (
    ("resource temporarily unavailable", "tls-no-ca"),
    ("hostname", "tls-host-name"),
    (" san ", "tls-host-name"),
)
_NUMBER = re.compile(r"\[(3\d{3})\]")

CONNECT = {
    "ECONNREFUSED": "refused",
    "ETIMEDOUT": "timeout",
    "ENETUNREACH": "unreachable",
    "EHOSTUNREACH": "unreachable",
    "EADDRNOTAVAIL": "unreachable",
    "EADDRNOTFOUND": "dns",
}
GREETING = {"ETIMEDOUT": "silent", "EPROTO": "not-xrootd", "ECONNRESET": "closed", "EPIPE": "closed"}

SAID = {
    "dns": "the name has no address",
    "refused": "nothing listens on this port",
    "unreachable": "there is no route to it",
    "timeout": "no answer in time",
    "silent": "it accepts TCP connections and says nothing",
    "not-xrootd": "what answers does not speak XRootD",
    "closed": "it closes the connection",
    "connect": "the connection fails",
    "tls-no-ca": "TLS is wanted, and there are no authorities here to verify its certificate with",
    "tls-untrusted": "its certificate is signed by an authority that is not trusted here",
    "tls-host-name": "its certificate is not for this host name",
    "tls-expired": "its certificate has expired",
    "tls-not-offered": "roots:// wants TLS, and the server does not offer it",
    "tls": "the TLS handshake fails",
    "no-credential-accepted": "the server accepts no credential of ours",
    "denied": "the server lets us in but not at this file",
    "not-found": "no server has the file",
    "redirect-loop": "the redirections go round in a circle",
    "overloaded": "the server says it is overloaded",
    "unsupported": "the server does not support this",
    "io": "the server fails",
    "short": "fewer bytes came than the file has",
    "wrong-data": "a vector read gives other bytes than a plain read",
    "checksum": "the checksum differs from that of the bytes read",
    "died": "the client process ended before its time",
}
"""A clause for each class."""


class Fault(NamedTuple):
    """Class and what was seen."""

    kind: str
    detail: str


def of_client(error: Json) -> Fault | None:
    """Class of a client's [status, code, server's error number, message]; None if there is none."""
    if not isinstance(error, list) or len(error) != 4:
        return None
    _, code, number, message = error
    text = message.strip() if isinstance(message, str) else ""
    text = text.removeprefix("[ERROR]").removeprefix("[FATAL]").strip()
    lower = f" {text.lower()} "
    found = _NUMBER.search(text)
    known = int(found[1]) if found else number if isinstance(number, int) else 0
    kind = KXR.get(known) or (XRDCL.get(code) if isinstance(code, int) else None)
    kind = kind or next((name for words, name in SENTENCES if words in lower), "io")
    if kind == "tls":
        kind = next((name for words, name in _TLS if words in lower), kind)
    return Fault(kind, text or f"code {code}")


def of_greeting(stage: Json, errno_name: Json, detail: Json) -> Fault | None:
    """Class of what broke the bare conversation at one of its stages; None if nothing did."""
    if not isinstance(errno_name, str):
        return None
    text = detail if isinstance(detail, str) else errno_name
    if stage == "connect":
        return Fault(CONNECT.get(errno_name, "connect"), text)
    if errno_name.startswith("kXR_"):
        number = errno_name.removeprefix("kXR_")
        return Fault(KXR.get(int(number), "io") if number.isdigit() else "io", text)
    if stage == "tls" and errno_name == "EIO":
        return Fault("tls", text)
    return Fault(GREETING.get(errno_name, "io"), text)


def of_certificate(seen: dict[str, Json]) -> Fault | None:
    """Class of what is wrong with a certificate; the codes are OpenSSL's X509_V_ERR_… (x509_vfy.h)."""
    if seen.get("verified") is True:
        return None
    missing, code, detail = seen.get("no_authorities"), seen.get("code"), seen.get("detail")
    if isinstance(missing, str):
        return Fault("tls-no-ca", missing)
    text = detail if isinstance(detail, str) else str(seen.get("error") or "no certificate was seen")
    if code == 10:
        return Fault("tls-expired", text)
    if code in (62, 64):
        return Fault("tls-host-name", text)
    return Fault("tls-untrusted" if isinstance(code, int) else "tls", text)
