"""What class of fault a broken HTTP exchange with a door is, in the words of the route table. Pure."""

from __future__ import annotations

from typing import NamedTuple

from probes.answers import Drained, Fetched
from probes.network_steps import without_addresses


class Fault(NamedTuple):
    """A class, and what was seen in one clause."""

    name: str
    detail: str


_TLS = (
    ("hostname mismatch", "tls-name"),
    ("ip address mismatch", "tls-name"),
    ("has expired", "tls-expired"),
    ("not yet valid", "tls-expired"),
    ("issuer certificate", "tls-authority"),
    ("self-signed", "tls-authority"),
    ("self signed", "tls-authority"),
    ("revoked", "tls-revoked"),
)
"""Words of OpenSSL's X509_verify_cert_error_string(3) and of Python's name check, and their class."""

_REMEDIES = {
    "tls-authority": "the authority that signed its certificate is not among those of this node",
    "tls-name": "its certificate is for another name",
    "tls-expired": "its certificate is outside its validity",
    "tls-revoked": "its certificate was revoked",
}

_STATUSES = {
    401: "it wants a credential",
    403: "it refuses this credential or its absence",
    404: "there is no such file",
    405: "it does not know this method here",
    500: "it failed inside",
    503: "it is overloaded or down",
}


def broken(answer: Fetched | Drained) -> Fault | None:
    """Why there is no whole answer; None if there is one, whatever its status."""
    if answer.error is None:
        return None
    said = without_addresses(answer.error) or "no reason is given"
    late = answer.errno_name == "ETIMEDOUT"
    if answer.stage == "resolve":
        return Fault("dns", said)
    if answer.stage == "connect":
        return Fault("timeout" if late else "connect", said)
    if answer.stage == "tls":
        return Fault("silent", f"it takes the connection, then says nothing: {said}") if late else _tls(said)
    if answer.stage == "answer":
        if late:
            return Fault("silent", f"it takes the question, then says nothing: {said}")
        return _no_answer(answer.errno_name, said)
    if late:
        return Fault("too-slow", f"{answer.body_bytes} bytes came, then time was up: {said}")
    if answer.errno_name is not None:
        return Fault("reset", f"{said} after {answer.body_bytes} bytes")
    return Fault("truncated", said)


def refused(status: int) -> Fault:
    """A status that is not the one of success."""
    means = _STATUSES.get(status)
    return Fault(f"http-{status}", f"status {status}" + (f": {means}" if means else ""))


def _tls(said: str) -> Fault:
    lower = said.lower()
    name = next((name for words, name in _TLS if words in lower), "tls")
    return Fault(name, f"{_REMEDIES[name]}: {_short(said)}" if name in _REMEDIES else _short(said))


def _short(said: str) -> str:
    """OpenSSL's reason without its code and source line."""
    text = said.rpartition("] ")[2]
    return text.rpartition(" (_ssl.c")[0] or text


def _no_answer(errno_name: str | None, said: str) -> Fault:
    lower = said.lower()
    if errno_name in ("ECONNRESET", "EPIPE") or "closed connection" in lower or "eof occurred" in lower:
        return Fault("reset", f"it ended the connection without an answer: {_short(said)}")
    if "alert" in lower:
        return Fault("tls", f"it refused in the TLS handshake: {_short(said)}")
    return Fault("not-http", f"what it says is not HTTP: {said[:256]}")
