"""What a door sends, read as hostile input: PROPFIND's XML, parts of a multi-range answer, digests. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

PROPFIND = (
    '<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:getcontentlength/>'
    "<D:getlastmodified/><D:resourcetype/></D:prop></D:propfind>"
)
"""Asks for three properties of RFC 4918 §15."""

MAX_PROPFIND_BYTES = 65_536
"""Depth 0 is one entry of some 1 kB."""

MAX_SIZE = 2**63 - 1
_ADLER32 = re.compile(r"(?:^|,)\s*adler32=([0-9a-fA-F]{1,8})\s*(?:,|$)", re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([0-9A-Za-z\'()+_,./:=? -]{1,70})"?', re.IGNORECASE)


class HostileError(ValueError):
    """The document has what an honest door never sends."""


class Properties(NamedTuple):
    """What PROPFIND says of one resource; None where it does not."""

    size_bytes: int | None
    modified: str | None
    directory: bool


def properties(content: bytes) -> Properties:
    """Parse the answer to PROPFIND with Depth 0.

    Raises:
        HostileError: it declares a document type or entities.
        ValueError: it is not XML, or not the multistatus of one resource; the text is one clause.
    """
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415 - only the type of the error

    from defusedxml import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise HostileError(
            f"it declares a document type or entities ({type(error).__name__}), which WebDAV never needs"
        ) from None
    except ParseError as error:
        raise ValueError(f"it is not XML: {error}") from None
    except (ValueError, LookupError) as error:
        raise ValueError(f"it is not XML that can be read: {str(error)[:128]}") from None
    if root.tag != "{DAV:}multistatus":
        raise ValueError(f"its root element is <{root.tag[:64]}>, not <DAV: multistatus>")
    response = root.find("{DAV:}response")
    if response is None:
        raise ValueError("it has no <response>")
    found: dict[str, str | None] = {}
    directory = False
    for propstat in response.findall("{DAV:}propstat")[:8]:
        status = propstat.findtext("{DAV:}status") or " 200 "
        if " 200" not in status[:32]:
            continue
        for name in ("getcontentlength", "getlastmodified"):
            found.setdefault(name, propstat.findtext(f"{{DAV:}}prop/{{DAV:}}{name}"))
        directory |= propstat.find("{DAV:}prop/{DAV:}resourcetype/{DAV:}collection") is not None
    return Properties(_size(found.get("getcontentlength")), _text(found.get("getlastmodified")), directory)


def _size(text: str | None) -> int | None:
    word = (text or "").strip()
    if not word:
        return None
    if not (word.isascii() and word.isdigit() and len(word) < 20 and int(word) <= MAX_SIZE):
        raise ValueError(f"its getcontentlength is {word[:32]!r}, not a size")
    return int(word)


def _text(text: str | None) -> str | None:
    return (text or "").strip()[:64] or None


def content_range(field: str | None) -> tuple[int, int, int | None] | None:
    """First byte, last byte and whole size of a Content-Range (RFC 9110 §14.4); the size is None for `*`."""
    match = _CONTENT_RANGE.fullmatch((field or "").strip())
    if match is None:
        return None
    return int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3])


def parts(content_type: str, content: bytes) -> dict[tuple[int, int], bytes] | None:
    """Range → bytes of a multipart/byteranges answer (RFC 9110 §14.6); None if it is not one."""
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/byteranges") or boundary is None:
        return None
    found: dict[tuple[int, int], bytes] = {}
    for piece in content.split(b"--" + boundary[1].encode())[1:17]:
        head, separator, body = piece.partition(b"\r\n\r\n")
        fields = dict(
            line.lower().split(":", 1) for line in head.decode("latin-1").splitlines() if ":" in line
        )
        where = content_range(fields.get("content-range"))
        if separator and where is not None:
            first, last, _ = where
            # What follows the part is the line end that belongs to the next boundary.
            found[first, last] = body[: max(0, last - first + 1)]
    return found


def adler32(field: str | None) -> str | None:
    """The adler32 of a Digest field (RFC 3230 §4.1.1): 8 lower-case hexadecimal digits, None if it has none."""
    match = _ADLER32.search(field or "")
    return None if match is None else match[1].lower().zfill(8)
