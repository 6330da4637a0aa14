"""Stored objects: checked by their hash first, and only then decompressed, up to a bound."""

from __future__ import annotations

import zlib

from probes.cvmfs.faults import FaultError
from probes.cvmfs.hashes import ContentHash
from probes.cvmfs.signed import described, is_html

MAX_LOOKED_AT_BYTES = 32_000_000
"""Unpacked to see whether an object is cut; it takes about a tenth of a second."""


def checked(content: bytes, wanted: ContentHash, what: str) -> bytes:
    """The same content, whose hash is the wanted one.

    Raises:
        FaultError: truncated if it is the beginning of a compressed object, else bad-hash.
    """
    try:
        wanted.check(content, what)
    except FaultError as fault:
        if fault.name == "bad-hash" and _is_cut(content):
            raise FaultError("truncated", f"{what} ends early, after {len(content)} bytes") from fault
        if fault.name == "bad-hash" and is_html(content):
            raise FaultError("bad-hash", f"instead of {what} came {described(content)}") from fault
        raise
    return content


def inflated(content: bytes, limit_bytes: int, what: str) -> bytes:
    """Decompress (zlib, RFC 1950).

    Raises:
        FaultError: bomb if more than `limit_bytes` come out, bad-object if it is not zlib.
    """
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(content, limit_bytes + 1)
    except zlib.error as error:
        raise FaultError(
            "bad-object", f"{what} has the right hash but is not compressed by zlib: {error}"
        ) from error
    if len(out) > limit_bytes:
        raise FaultError(
            "bomb",
            f"{what} is {len(content)} bytes that unpack to more than {limit_bytes}: not unpacked further",
        )
    if not stream.eof:
        raise FaultError("bad-object", f"{what} has the right hash but its compressed stream has no end")
    return out


def _is_cut(content: bytes) -> bool:
    """Whether it is a zlib stream without its end; content that nobody vouches for is unpacked up to a bound only."""
    stream, rest, out_bytes = zlib.decompressobj(), content, 0
    try:
        while rest and not stream.eof and out_bytes < MAX_LOOKED_AT_BYTES:
            out_bytes += len(stream.decompress(rest, 65_536))
            rest = stream.unconsumed_tail
    except zlib.error:
        return False
    return bool(content) and not rest and not stream.eof
