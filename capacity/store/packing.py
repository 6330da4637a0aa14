"""Documents at rest: Zstandard, which packs a profile as small as zlib does in a third of the time."""

from __future__ import annotations

import pyarrow as pa

_CODEC = pa.Codec("zstd", compression_level=1)


def pack(document: bytes) -> bytes:
    """The document in one Zstandard frame."""
    packed: bytes = _CODEC.compress(document, asbytes=True)
    return packed


def unpack(packed: bytes, size_bytes: int) -> bytes:
    """The document again; `size_bytes` is what was written down when it was packed."""
    document: bytes = _CODEC.decompress(packed, decompressed_size=size_bytes, asbytes=True)
    return document
