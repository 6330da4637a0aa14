"""The ELF reader on this machine's own files, and on damaged ones."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.elf import ElfError, read_links

PYTHON = Path(sys.executable).resolve()


def test_names_the_loader_that_the_kernel_starts_for_this_python() -> None:
    loader = read_links(PYTHON).interpreter
    assert loader is not None
    # The kernel maps the loader into every process that it starts with it.
    assert str(Path(loader).resolve()) in Path("/proc/self/maps").read_text()


def test_names_the_libraries_that_readelf_names() -> None:
    if shutil.which("readelf") is None:
        pytest.skip("no readelf to compare with")
    said = subprocess.run(
        ["readelf", "-dW", PYTHON], check=True, capture_output=True, text=True, env={"LC_ALL": "C"}
    ).stdout
    expected = [line.split("[")[1].rstrip("]") for line in said.splitlines() if "(NEEDED)" in line]
    assert list(read_links(PYTHON).needed) == expected
    assert expected


def _tiny_32_bit_big_endian() -> bytes:
    """A hand-laid ELF32 file: a loader, two needed libraries, one load segment at address 0x1000."""
    strings = b"\0libc.so.6\0libm.so.6\0"
    interpreter = b"/lib/ld.so.1\0"
    headers_end = 52 + 3 * 32
    strings_at = headers_end + len(interpreter)
    dynamic_at = strings_at + len(strings)
    dynamic = struct.pack(">10I", 1, 1, 1, 11, 5, 0x1000 + strings_at, 10, len(strings), 0, 0)
    total = dynamic_at + len(dynamic)
    ident = b"\x7fELF\x01\x02\x01" + bytes(9)
    header = struct.pack(">HHIIIIIHHHHHH", 3, 20, 1, 0, 52, 0, 0, 52, 32, 3, 0, 0, 0)
    segments = b"".join(
        struct.pack(">8I", kind, offset, 0x1000 + offset, 0, size, size, 4, 4)
        for kind, offset, size in (
            (1, 0, total),
            (3, headers_end, len(interpreter)),
            (2, dynamic_at, len(dynamic)),
        )
    )
    return ident + header + segments + interpreter + strings + dynamic


def test_reads_the_other_word_size_and_byte_order(tmp_path: Path) -> None:
    file = tmp_path / "tiny"
    file.write_bytes(_tiny_32_bit_big_endian())
    links = read_links(file)
    assert links.interpreter == "/lib/ld.so.1"
    assert links.needed == ("libc.so.6", "libm.so.6")


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF", b"#!/bin/sh\n" + b"x" * 100], ids=["empty", "magic", "script"]
)
def test_says_that_a_file_is_not_elf(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "thing"
    file.write_bytes(content)
    with pytest.raises(ElfError, match=r"thing is not an ELF file"):
        read_links(file)


@pytest.mark.parametrize("kept", [40, 100, 52 + 3 * 32 + 5])
def test_says_that_a_file_is_cut_short(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "cut"
    file.write_bytes(_tiny_32_bit_big_endian()[:kept])
    with pytest.raises(ElfError, match=r"cut is cut short"):
        read_links(file)


@settings(max_examples=300, deadline=None, database=None)
@given(position=st.integers(16, 52 + 3 * 32 - 1), value=st.binary(min_size=1, max_size=8))
def test_damage_is_never_more_than_a_domain_error(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: bytes
) -> None:
    content = bytearray(_tiny_32_bit_big_endian())
    content[position : position + len(value)] = value
    file = tmp_path_factory.getbasetemp() / "damaged"
    file.write_bytes(content)
    try:
        links = read_links(file)
    except ElfError:
        return
    assert len(links.needed) <= 2
