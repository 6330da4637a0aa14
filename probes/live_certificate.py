"""Issuer and subject of an X.509 certificate that was not verified.

`ssl` shows the names of a certificate only after it has verified it; but who signed the one that was *not*
verified is what an admin needs to find the box that intercepts. So the two names are read from the DER here
(ITU-T X.690 §8 for the encoding, RFC 5280 §4.1 for the order of the fields). Nothing is trusted on their account.
"""

from __future__ import annotations

MAX_NAME_CHARS = 512

_SEQUENCE, _SET, _OID, _VERSION = 0x30, 0x31, 0x06, 0xA0
_STRING_CODECS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be"}
"""UTF8String, PrintableString, T61String, IA5String, BMPString (X.680 §8.4)."""

_ATTRIBUTES = {
    "2.5.4.3": "commonName",
    "2.5.4.6": "countryName",
    "2.5.4.7": "localityName",
    "2.5.4.8": "stateOrProvinceName",
    "2.5.4.10": "organizationName",
    "2.5.4.11": "organizationalUnitName",
    "0.9.2342.19200300.100.1.25": "domainComponent",
}
"""Spelled as `ssl` spells them (RFC 4519, RFC 5280 appendix A)."""


def names(der: bytes) -> tuple[str | None, str | None]:
    """Issuer and subject of a DER certificate as "key=value, key=value"; None for what cannot be read."""
    try:
        fields = _children(_children(der)[0][1])[0][1]
        parts = _children(fields)
        first = 1 if parts[0][0] == _VERSION else 0
        # serialNumber, signature, issuer, validity, subject
        return _name(parts[first + 2][1]), _name(parts[first + 4][1])
    except (IndexError, ValueError):
        return None, None


def _children(content: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element in a constructed element; ValueError if lengths do not fit."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length >= 0x80:
            octets = length & 0x7F
            length = int.from_bytes(content[at : at + octets], "big")
            at += octets
        if at + length > len(content):
            raise ValueError("an element is longer than what holds it")
        found.append((tag, content[at : at + length]))
        at += length
    return found


def _name(content: bytes) -> str | None:
    parts: list[str] = []
    for set_tag, relative in _children(content):
        for tag, attribute in _children(relative) if set_tag == _SET else []:
            pair = _children(attribute) if tag == _SEQUENCE else []
            if len(pair) != 2 or pair[0][0] != _OID:
                continue
            oid = _oid(pair[0][1])
            text = pair[1][1].decode(_STRING_CODECS.get(pair[1][0], "latin-1"), "replace")
            clean = "".join(
                character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
            )
            parts.append(f"{_ATTRIBUTES.get(oid, oid)}={clean}")
    return ", ".join(parts)[:MAX_NAME_CHARS] or None


def _oid(content: bytes) -> str:
    first = min(content[0] // 40, 2)
    numbers = [first, content[0] - 40 * first]
    value = 0
    for octet in content[1:]:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            numbers.append(value)
            value = 0
    return ".".join(str(number) for number in numbers)
