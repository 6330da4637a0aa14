"""Checksums of a file and of pieces of it."""

from __future__ import annotations

import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from probes.live_xrootd_worker import Sums, agrees, spread
from probes.xrootd.facts import checksum


def test_checksums_are_compared_without_regard_to_leading_zeros() -> None:
    session: dict[str, Any] = {
        "sequential": {"error": None, "sums": {"adler32": "002c52e1"}},
        "checksum": {"error": None, "said": "adler32 2C52E1"},
    }
    found = checksum(session)
    assert found is not None
    assert (found.server, found.read) == ("002c52e1", "002c52e1")


@given(
    size=st.integers(0, 10**10),
    count=st.integers(2, 300),
    length=st.integers(1, 10**6),
    share=st.integers(1, 5),
)
def test_spread_chunks_lie_in_the_file_and_do_not_overlap(
    size: int, count: int, length: int, share: int
) -> None:
    chunks = spread(size, count, length, share=share)
    ends = [0, *(offset + piece for offset, piece in chunks)]
    assert all(offset >= end for (offset, _), end in zip(chunks, ends, strict=False))
    assert ends[-1] <= size
    assert sum(piece for _, piece in chunks) * share <= size


@given(
    content=st.binary(min_size=1, max_size=64),
    cut=st.integers(0, 64),
    at=st.integers(0, 64),
    length=st.integers(1, 9),
)
def test_a_wrong_byte_is_seen_where_two_reads_overlap(content: bytes, cut: int, at: int, length: int) -> None:
    at = min(at, len(content) - 1)
    piece = content[at : at + length]
    cut = min(cut, len(content) - 1)
    data = content[cut:]
    assert agrees(data, cut, at, piece)
    if at + len(piece) > cut:
        wrong = bytes([piece[-1] ^ 1])
        assert not agrees(data, cut, at, piece[:-1] + wrong)


def test_sums_of_pieces_are_those_of_the_whole() -> None:
    sums = Sums()
    for piece in (b"abc", b"", b"defg"):
        sums.add(piece)
    assert sums.said() == {
        "adler32": f"{zlib.adler32(b'abcdefg'):08x}",
        "crc32": f"{zlib.crc32(b'abcdefg'):08x}",
    }
