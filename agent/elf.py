"""What an ELF file asks of the dynamic linker: its loader and its shared libraries.

Only the program headers and the dynamic section are read, so a file costs a few small reads however big
it is.  Format: System V ABI, chapters 4 (object files) and 5 (dynamic linking).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ = 0, 1, 5, 10

# A damaged or hostile file may claim any size; real ones stay far below these.
_MAX_PROGRAM_HEADERS = 1024
_MAX_SECTION_BYTES = 16 << 20


class ElfError(ValueError):
    """The file is not a readable ELF file; the message names it and the defect."""


@dataclass(frozen=True)
class ElfLinks:
    """What the dynamic linker is asked for.

    Attributes:
        interpreter: path of the dynamic loader (PT_INTERP), None for a static program or a library.
        needed: names of the shared libraries (DT_NEEDED), in the file's order.
    """

    interpreter: str | None
    needed: tuple[str, ...]


@dataclass(frozen=True)
class _Layout:
    """Where a 32- or 64-bit file keeps its fields; ``order`` is struct's byte-order mark."""

    order: str
    wide: bool

    def unpack(self, narrow: str, wide: str, data: bytes) -> tuple[int, ...]:
        form = self.order + (wide if self.wide else narrow)
        size = struct.calcsize(form)
        if len(data) < size:
            raise ElfError("is cut short")
        return struct.unpack(form, data[:size])


@dataclass(frozen=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def read_links(path: Path) -> ElfLinks:
    """Read the loader and the needed libraries of an ELF executable or shared library.

    Raises:
        ElfError: the file is not ELF, or is damaged.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            return _read(file)
        except ElfError as error:
            raise ElfError(f"{path} {error}") from None


def _read(file: BinaryIO) -> ElfLinks:
    ident = file.read(16)
    if ident[:4] != b"\x7fELF" or len(ident) < 16 or ident[4] not in {1, 2} or ident[5] not in {1, 2}:
        raise ElfError("is not an ELF file")
    layout = _Layout(order="<" if ident[5] == 1 else ">", wide=ident[4] == 2)
    segments = _segments(file, layout)
    interpreter = None
    needed: tuple[str, ...] = ()
    for segment in segments:
        if segment.kind == _PT_INTERP:
            interpreter = os.fsdecode(_at(file, segment.offset, segment.size).rstrip(b"\0"))
        elif segment.kind == _PT_DYNAMIC:
            needed = _needed(file, layout, segment, segments)
    return ElfLinks(interpreter, needed)


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    if size > _MAX_SECTION_BYTES:
        raise ElfError(f"has a section of {size} bytes, more than any real one")
    # A seek beyond what the kernel can express is damage, not an operating system's failure.
    if offset >= 1 << 63:
        raise ElfError("points outside itself")
    file.seek(offset)
    data = file.read(size)
    if len(data) < size:
        raise ElfError("is cut short")
    return data


def _segments(file: BinaryIO, layout: _Layout) -> list[_Segment]:
    header = _at(file, 16, 48 if layout.wide else 36)
    _, _, _, _, table, _, _, _, entry_size, count = layout.unpack("HHIIIIIHHH", "HHIQQQIHHH", header)
    if count > _MAX_PROGRAM_HEADERS:
        raise ElfError(f"has {count} program headers, more than any real file")
    segments = []
    for index in range(count):
        entry = _at(file, table + index * entry_size, entry_size)
        if layout.wide:
            kind, _, offset, address, _, size = layout.unpack("", "IIQQQQ", entry)
        else:
            kind, offset, address, _, size = layout.unpack("IIIII", "", entry)
        segments.append(_Segment(kind, offset, address, size))
    return segments


def _needed(file: BinaryIO, layout: _Layout, dynamic: _Segment, segments: list[_Segment]) -> tuple[str, ...]:
    data = _at(file, dynamic.offset, dynamic.size)
    step = 16 if layout.wide else 8
    names: list[int] = []
    table = table_size = 0
    for start in range(0, len(data) - step + 1, step):
        tag, value = layout.unpack("II", "QQ", data[start : start + step])
        if tag == _DT_NULL:
            break
        if tag == _DT_NEEDED:
            names.append(value)
        elif tag == _DT_STRTAB:
            table = value
        elif tag == _DT_STRSZ:
            table_size = value
    if not names:
        return ()
    strings = _at(file, _file_offset(table, segments), table_size)
    return tuple(
        os.fsdecode(strings[name : strings.find(b"\0", name)]) for name in names if name < len(strings)
    )


def _file_offset(address: int, segments: list[_Segment]) -> int:
    """The string table is named by its address in memory; the load segments say where that lies on disk."""
    for segment in segments:
        if segment.kind == _PT_LOAD and segment.address <= address < segment.address + segment.size:
            return segment.offset + address - segment.address
    raise ElfError("has no string table")
