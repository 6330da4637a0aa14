"""The Frontier protocol, as far as one query needs it: the URL that carries it, and what the reply says. Pure.

A query is SQL, zlib-compressed and base64-encoded in an alphabet that fits into a URL. The reply is XML with one
`<payload>`: base64 of (compressed) records in `<data>`, and `<quality error= md5= records= full_size=>`. The MD5 is that
of the bytes that base64 gives, still compressed. Records are typed fields, ended by an end-of-record mark; the first
record names the columns (fermitools/frontier: client memdata.c and anydata.cc, servlet ResponseFormat.java).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

QUERY = "SELECT 1 FROM DUAL"
"""What SAM and CMS's pilot test ask: the smallest question that needs the database."""

ENCODING = "BLOBzip"
MAX_REPLY_BYTES = 65_536
MAX_BLOB_BYTES = 65_536
"""Of the records after decompression; those of the test query have some 20 bytes."""

_TO_URL = str.maketrans("+/=", ".-_")
_FROM_URL = str.maketrans(".-_", "+/=")
_HEX_MD5 = re.compile(r"^[0-9a-f]{32}$")

_FIXED = {0: "b", 1: ">i", 2: ">q", 3: ">f", 4: ">d", 5: ">q"}
"""struct formats of the field types byte, int4, int8, float, double and time (ms)."""
_STRING = 6
_END_OF_RECORD = 7
_NULL_BIT = 0x80

Field = int | float | bytes | None


class FrontierError(Exception):
    """A reply that is none or reports an error.

    Attributes:
        fault: "frontier-error" (the server says so), "not-frontier" (no such XML), "bad-payload" (damaged on the way),
            "wrong-answer".
        text: one clause.
    """

    def __init__(self, fault: str, text: str) -> None:
        super().__init__(text)
        self.fault = fault
        self.text = text


@dataclass(frozen=True)
class Reply:
    """A good reply: columns and rows as the fields of records."""

    columns: tuple[Field, ...]
    rows: tuple[tuple[Field, ...], ...]


def query_url(server: str, query: str = QUERY) -> str:
    """URL that asks a server such as "http://host:8000/FrontierProd"."""
    packed = base64.b64encode(zlib.compress(query.encode(), 9)).decode("ascii")
    kind = "type=frontier_request:1:DEFAULT"
    return f"{server.rstrip('/')}/Frontier/{kind}&encoding={ENCODING}&p1={packed.translate(_TO_URL)}"


def query_of(parameter: str) -> str:
    """The SQL that a parameter p1 carries.

    Raises:
        ValueError: it carries none.
    """
    try:
        packed = base64.b64decode(parameter.translate(_FROM_URL), validate=True)
        return _inflated(packed).decode()
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"p1 is not a Frontier query: {error}") from error


def parse(content: bytes) -> Reply:
    """What a reply says.

    Raises:
        FrontierError: see its `fault`.
    """
    payload = _payload(content)
    quality = payload.find(".//quality")
    if quality is None:
        raise FrontierError("not-frontier", "no <quality> in the reply")
    code = quality.get("error", "")
    if code != "0":
        said = quality.get("message") or "no message"
        raise FrontierError("frontier-error", f"error {code[:16]}: {_printable(said)}")
    encoding = payload.get("encoding", "")
    if not re.fullmatch(r"BLOB(zip\d?)?", encoding):
        raise FrontierError("not-frontier", f"encoding {encoding[:32]!r} instead of BLOB or BLOBzip")
    text = "".join((payload.findtext("data") or "").split())
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FrontierError("bad-payload", f"<data> is not base64: {error}") from error
    wanted = quality.get("md5", "").lower()
    if not _HEX_MD5.match(wanted):
        raise FrontierError("not-frontier", "no MD5 in <quality>")
    if hashlib.md5(packed, usedforsecurity=False).hexdigest() != wanted:
        raise FrontierError("bad-payload", "the MD5 of the payload is not the one that the server gives")
    try:
        blob = _inflated(packed) if encoding.startswith("BLOBzip") else packed
    except (zlib.error, ValueError) as error:
        raise FrontierError("bad-payload", f"the payload cannot be decompressed: {error}") from error
    size = quality.get("full_size")
    if size is not None and size != str(len(blob)):
        raise FrontierError("bad-payload", f"{len(blob)} bytes after decompression instead of {size[:16]}")
    records = list(_records(blob))
    if not records:
        raise FrontierError("bad-payload", "the payload holds no records")
    return Reply(records[0], tuple(records[1:]))


def check_one(reply: Reply) -> None:
    """Check that a reply is that of `QUERY`: one row with one field that is 1.

    Raises:
        FrontierError: with the fault "wrong-answer".
    """
    rows = reply.rows
    value = rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else None
    if value not in (1, b"1"):
        raise FrontierError(
            "wrong-answer", f"{QUERY} gave {len(rows)} row{'s' if len(rows) != 1 else ''}, not 1"
        )


def _payload(content: bytes) -> Element:
    from defusedxml import DefusedXmlException  # noqa: PLC0415 - only where XML is read
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    if b"<frontier" not in content:
        raise FrontierError("not-frontier", "the reply is not Frontier's XML")
    try:
        root = fromstring(content)
    except (ParseError, ValueError, DefusedXmlException, LookupError) as error:
        raise FrontierError("not-frontier", f"the reply is not XML: {_printable(str(error))}") from error
    problem = root.find(".//global_error")
    if problem is not None:
        said = problem.get("msg") or problem.get("message") or "no message"
        raise FrontierError("frontier-error", _printable(said))
    transaction = root.find("transaction")
    if root.tag != "frontier" or transaction is None:
        raise FrontierError("not-frontier", "no <transaction> in the reply")
    # A servlet that fails before it has a payload puts <quality> directly into the transaction.
    payload = transaction.find("payload")
    return transaction if payload is None else payload


def _inflated(packed: bytes) -> bytes:
    engine = zlib.decompressobj()
    blob = engine.decompress(packed, MAX_BLOB_BYTES)
    if not engine.eof:
        kind = "more than the bound" if engine.unconsumed_tail else "cut short"
        raise ValueError(f"{kind} after {len(blob)} bytes")
    return blob


def _records(blob: bytes) -> Iterator[tuple[Field, ...]]:
    fields: list[Field] = []
    position = 0
    while position < len(blob):
        kind = blob[position]
        position += 1
        if kind == _END_OF_RECORD:
            yield tuple(fields)
            fields = []
        elif kind & _NULL_BIT:
            fields.append(None)
        else:
            value, position = _field(blob, kind, position)
            fields.append(value)
    if fields:
        raise FrontierError("bad-payload", "the last record has no end")


def _field(blob: bytes, kind: int, position: int) -> tuple[Field, int]:
    layout = ">i" if kind == _STRING else _FIXED.get(kind)
    if layout is None:
        raise FrontierError("bad-payload", f"field type {kind} at byte {position - 1} of the records")
    end = position + struct.calcsize(layout)
    if end > len(blob):
        raise FrontierError("bad-payload", "the records are cut short")
    (value,) = struct.unpack(layout, blob[position:end])
    if kind != _STRING:
        return value, end
    if not 0 <= value <= len(blob) - end:
        raise FrontierError("bad-payload", f"a text of {value} bytes in records of {len(blob)}")
    return blob[end : end + value], end + value


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text[:256]).strip()
