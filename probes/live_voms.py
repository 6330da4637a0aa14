"""VOMS attribute certificates, read out of the extension of a proxy in which they lie.

Attribute certificate: RFC 5755 §4.1. That VOMS puts SEQUENCE { SEQUENCE OF AttributeCertificate } into extension
1.3.6.1.4.1.8005.100.100.5 and the FQANs as IetfAttrSyntax into attribute …100.4: V. Ciaschini, V. Venturi, A. Ceccanti,
"The VOMS Attribute Certificate Format" (OGF GFD.182). Encoding: X.690 DER. Nothing is verified here: that is for the
storage to do; what a node's admin needs is which groups the proxy claims and until when.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from probes.credential_answers import AttributesSeen

EXTENSION = "1.3.6.1.4.1.8005.100.100.5"

MAX_BYTES = 64 * 1024
"""Some 2 kB for one, as much again for the certificate of its server in it."""

MAX_CERTIFICATES = 8
MAX_FQANS = 64
MAX_CHARS = 256
MAX_ELEMENTS = 512

_FQANS_OID = bytes.fromhex("2b06010401be45646404")
"""1.3.6.1.4.1.8005.100.100.4."""

_SEQUENCE, _SET, _OID, _OCTETS, _TIME = 0x30, 0x31, 0x06, 0x04, 0x18
_AUTHORITY, _URI = 0xA0, 0x86
"""policyAuthority [0] of IetfAttrSyntax, uniformResourceIdentifier [6] of a GeneralName."""


class Element(NamedTuple):
    """One element of DER."""

    tag: int
    content: bytes


def attributes(extension: bytes) -> tuple[AttributesSeen, ...]:
    """The attribute certificates in the extension's value.

    Raises:
        ValueError: it is none; the text is one clause.
    """
    if len(extension) > MAX_BYTES:
        raise ValueError(
            f"the VOMS extension has {len(extension)} bytes, more than the {MAX_BYTES} that are read"
        )
    (outer,) = _exactly(_elements(extension), (_SEQUENCE,))
    (sequence,) = _exactly(_elements(outer), (_SEQUENCE,))
    found = [element for element in _elements(sequence) if element.tag == _SEQUENCE]
    return tuple(_certificate(element.content) for element in found[:MAX_CERTIFICATES])


def _certificate(content: bytes) -> AttributesSeen:
    info = _elements(content)[:1]
    (fields,) = _exactly(info, (_SEQUENCE,))
    # version, holder, issuer, signature, serialNumber, attrCertValidityPeriod, attributes, …
    parts = _elements(fields)
    if len(parts) < 7:
        raise ValueError("a VOMS attribute certificate lacks fields")
    begin, end = _exactly(_elements(_sequence(parts[5])), (_TIME, _TIME))
    vo: str | None = None
    fqans: list[str] = []
    for attribute in _elements(_sequence(parts[6])):
        pair = _elements(attribute.content)
        if len(pair) != 2 or pair[0] != Element(_OID, _FQANS_OID) or pair[1].tag != _SET:
            continue
        for value in _elements(pair[1].content):
            for part in _elements(value.content):
                if part.tag == _AUTHORITY:
                    vo = vo or _organisation(part.content)
                elif part.tag == _SEQUENCE:
                    fqans += [_text(one.content) for one in _elements(part.content) if one.tag == _OCTETS]
    if vo is None and fqans:
        vo = fqans[0].removeprefix("/").split("/")[0]
    return AttributesSeen(vo, tuple(fqans[:MAX_FQANS]), _moment(begin), _moment(end))


def _organisation(names: bytes) -> str | None:
    """VO of a policyAuthority such as cms://voms.example:15000."""
    for name in _elements(names):
        if name.tag == _URI:
            vo = _text(name.content).partition("://")[0]
            if vo:
                return vo
    return None


def _elements(content: bytes) -> list[Element]:
    """The elements that stand one after another in `content`; ValueError if their lengths do not fit."""
    found: list[Element] = []
    at = 0
    while at < len(content):
        if at + 2 > len(content) or content[at] & 0x1F == 0x1F or len(found) >= MAX_ELEMENTS:
            raise ValueError("the VOMS extension is not DER")
        tag, length, at = content[at], content[at + 1], at + 2
        if length >= 0x80:
            octets = length & 0x7F
            if not 1 <= octets <= 3:
                raise ValueError("the VOMS extension has an element of impossible length")
            length = int.from_bytes(content[at : at + octets], "big")
            at += octets
        if at + length > len(content):
            raise ValueError("the VOMS extension is cut short")
        found.append(Element(tag, content[at : at + length]))
        at += length
    return found


def _exactly(elements: list[Element], tags: tuple[int, ...]) -> list[bytes]:
    if tuple(element.tag for element in elements) != tags:
        raise ValueError("the VOMS extension holds something else than attribute certificates")
    return [element.content for element in elements]


def _sequence(element: Element) -> bytes:
    (content,) = _exactly([element], (_SEQUENCE,))
    return content


def _moment(content: bytes) -> float:
    """Seconds since 1970 of a GeneralizedTime, YYYYMMDDHHMMSSZ (RFC 5280 §4.1.2.5.2)."""
    try:
        return datetime.strptime(content.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ValueError("a VOMS attribute certificate has a date that is none") from None


def _text(content: bytes) -> str:
    text = content[:MAX_CHARS].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
