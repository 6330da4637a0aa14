"""What a cubin says of its entries: registers, local and shared memory, parameters; read with no GPU and no toolkit.

A cubin is an ELF file of 64 bits. `.text.NAME` is an entry's code; `.nv.info` and `.nv.info.NAME` hold records of four bytes (format, attribute, size), followed by `size` bytes
where the format is EIFMT_SVAL; numbers of formats and attributes as `cuobjdump -elf` and `readelf` of LLVM name them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from payloads.errors import PayloadError

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_EIFMT_SVAL = 4
_FRAME_SIZE = 0x11
_KPARAM_INFO = 0x17
_REGCOUNT = 0x2F


class CubinError(PayloadError):
    """These bytes are no cubin."""


@dataclass(frozen=True)
class EntryCode:
    """One entry of a cubin.

    Attributes:
        registers: of a thread.
        local_bytes: of a thread's stack: arrays that are no registers, and spills.
        shared_bytes: of a block, where their number is fixed.
        parameters: offset and size of each, in bytes.
        code_bytes: of its instructions.
    """

    registers: int
    local_bytes: int
    shared_bytes: int
    parameters: tuple[tuple[int, int], ...]
    code_bytes: int


@dataclass(frozen=True)
class _Section:
    name: str
    offset: int
    size: int


def entries(code: bytes) -> dict[str, EntryCode]:
    """The entries of a cubin by name.

    Raises:
        CubinError: it is none, or cut short.
    """
    try:
        return _entries(code)
    except (struct.error, LookupError, ValueError) as error:
        raise CubinError(f"these {len(code)} bytes are no cubin that can be read: {error}") from error


def _entries(code: bytes) -> dict[str, EntryCode]:
    if code[:5] != b"\x7fELF\x02":
        raise ValueError("no ELF of 64 bits")
    sections = {section.name: section for section in _sections(code)}
    frames, registers = (_of_entries(code, sections, which) for which in (_FRAME_SIZE, _REGCOUNT))
    found = {}
    for section in sections.values():
        if not section.name.startswith(".text."):
            continue
        name = section.name.removeprefix(".text.")
        shared = sections.get(f".nv.shared.{name}")
        found[name] = EntryCode(
            registers=registers[name],
            local_bytes=frames[name],
            shared_bytes=shared.size if shared else 0,
            parameters=_parameters(_body(code, sections[f".nv.info.{name}"])),
            code_bytes=section.size,
        )
    return found


def _sections(code: bytes) -> Iterator[_Section]:
    head = _HEADER.unpack_from(code)
    start, count, names = head[6], head[12], head[13]
    raw = [_SECTION.unpack_from(code, start + number * _SECTION.size) for number in range(count)]
    table = raw[names][4]
    for name, _, _, _, offset, size, *_ in raw:
        end = code.index(b"\0", table + name)
        yield _Section(code[table + name : end].decode(), offset, size)


def _body(code: bytes, section: _Section) -> bytes:
    return code[section.offset : section.offset + section.size]


def _records(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(body):
        form, attribute, size = struct.unpack_from("<BBH", body, at)
        at += 4
        if form == _EIFMT_SVAL:
            yield attribute, body[at : at + size]
            at += size


def _of_entries(code: bytes, sections: dict[str, _Section], which: int) -> dict[str, int]:
    """The number that `.nv.info` gives of each entry under this attribute."""
    symbols, strings = _body(code, sections[".symtab"]), _body(code, sections[".strtab"])
    found = {}
    for attribute, value in _records(_body(code, sections[".nv.info"])):
        if attribute == which:
            symbol, number = struct.unpack("<II", value)
            name = _SYMBOL.unpack_from(symbols, symbol * _SYMBOL.size)[0]
            found[strings[name : strings.index(b"\0", name)].decode()] = number
    return found


def _parameters(body: bytes) -> tuple[tuple[int, int], ...]:
    found = {}
    for attribute, value in _records(body):
        if attribute == _KPARAM_INFO:
            _, ordinal, offset, flags = struct.unpack("<IHHI", value)
            found[ordinal] = (offset, flags >> 18)
    return tuple(found[ordinal] for ordinal in sorted(found))
