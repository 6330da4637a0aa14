"""What may be told of this process's X.509 proxy: dates, kind, groups and key length; no key and no name.

Proxy certificates: RFC 3820. The file holds the proxy, its private key, and the certificates that signed it (Globus).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from probes.answers import Json
from probes.credential_answers import AttributesSeen
from probes.errors import HostError
from probes.live_credentials import Found, proxy_place, read
from probes.live_voms import EXTENSION, attributes

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MAX_CHAIN = 16

PROXY_CERT_INFO = "1.3.6.1.5.5.7.1.14"
"""RFC 3820 §3.8."""

DRAFT_CERT_INFO = "1.3.6.1.4.1.3536.1.222"
"""proxyCertInfo of the draft before RFC 3820 (Globus Toolkit 3)."""

LIMITED = bytes.fromhex("2b060104019b5001010109")
"""DER content of policy language 1.3.6.1.4.1.3536.1.1.1.9, "limited proxy" of Globus."""

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]{1,65536}-----END CERTIFICATE-----")
_KEY = re.compile(rb"-----BEGIN ([A-Z ]{0,16}PRIVATE KEY)-----[^-]{1,65536}-----END \1-----")
"""An encrypted key of the old form has dashes in its header and is not found: no client could use it unattended."""


def look() -> Json:
    """Fields of `probes.credential_answers.ProxySeen`, None if there is no proxy."""
    place = proxy_place()
    try:
        found = read(place)
    except HostError as error:
        return _broken(Found(place.source, place.path, b""), error.text)
    if found is None:
        return None
    try:
        return _seen(found)
    except ValueError as error:
        return _broken(found, str(error))


def _broken(found: Found, problem: str) -> Json:
    return [
        found.source, found.path, found.mode, found.uid, problem, "none", False, 0, None, None, None, None, [], None,
    ]  # fmt: skip


def _seen(found: Found) -> Json:
    chain = _chain(found.value)
    kind, limited = _kind(chain)
    attribute_problem = None
    held: list[Json] = []
    try:
        held = [[one.vo, list(one.fqans), one.not_before_at, one.expires_at] for one in _attributes(chain)]
    except ValueError as error:
        attribute_problem = str(error)
    return [
        found.source,
        found.path,
        found.mode,
        found.uid,
        None,
        kind,
        limited,
        len(chain),
        getattr(chain[0].public_key(), "key_size", None),
        _key_fits(found.value, chain[0]),
        max(one.not_valid_before_utc.timestamp() for one in chain),
        min(one.not_valid_after_utc.timestamp() for one in chain),
        held,
        attribute_problem,
    ]


def _chain(content: bytes) -> list[Certificate]:
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - only where there is a proxy

    pieces = _CERTIFICATE.findall(content)
    if not pieces:
        raise ValueError("it holds no certificate")
    if len(pieces) > MAX_CHAIN:
        raise ValueError(f"it holds {len(pieces)} certificates, which no chain has")
    try:
        chain = [load_pem_x509_certificate(piece) for piece in pieces]
        for one in chain:
            _ = one.extensions, one.public_key(), one.subject.rdns
    except Exception as error:
        # cryptography raises errors of many kinds for what is no certificate or has an unknown key.
        raise ValueError(f"a certificate in it cannot be read ({type(error).__name__})") from None
    return chain


def _extension(certificate: Certificate, oid: str) -> bytes | None:
    from cryptography.x509 import UnrecognizedExtension  # noqa: PLC0415

    for extension in certificate.extensions:
        if extension.oid.dotted_string == oid and isinstance(extension.value, UnrecognizedExtension):
            return extension.value.value
    return None


def _kind(chain: list[Certificate]) -> tuple[Literal["rfc3820", "other", "none"], bool]:
    info = _extension(chain[0], PROXY_CERT_INFO)
    if info is not None:
        return "rfc3820", any(LIMITED in (_extension(one, PROXY_CERT_INFO) or b"") for one in chain)
    last = chain[0].subject.rdns[-1:]
    names = {attribute.value for part in last for attribute in part}
    if _extension(chain[0], DRAFT_CERT_INFO) is not None or names & {"proxy", "limited proxy"}:
        return "other", "limited proxy" in names
    return "none", False


def _attributes(chain: list[Certificate]) -> list[AttributesSeen]:
    """Of the proxy next to its end of the chain: a delegation puts a plain proxy on top of a VOMS proxy."""
    for certificate in chain:
        extension = _extension(certificate, EXTENSION)
        if extension is not None:
            return list(attributes(extension))
    return []


def _key_fits(content: bytes, certificate: Certificate) -> bool | None:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    piece = _KEY.search(content)
    if piece is None:
        return None
    shape = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    try:
        key = load_pem_private_key(piece[0], None)
        return key.public_key().public_bytes(*shape) == certificate.public_key().public_bytes(*shape)
    except Exception:
        return None
