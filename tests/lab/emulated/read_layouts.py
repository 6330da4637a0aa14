"""Print, as JSON, what nvml_layouts.c and pynvml say of the same structures, and what calls by value give.

Argument: the shared library. Run by a Python of the library's architecture.
"""

import ctypes
import json
import sys
from typing import Any

import pynvml


class Row(ctypes.Structure):
    _fields_ = (
        ("structure", ctypes.c_char_p),
        ("member", ctypes.c_char_p),
        ("offset_bytes", ctypes.c_size_t),
        ("size_bytes", ctypes.c_size_t),
        ("structure_bytes", ctypes.c_size_t),
    )


def pynvml_structure(name: str) -> Any:
    """The class of a structure of nvml.h: pynvml names it c_NAME, NAME, or either without "_t"."""
    short = name.removesuffix("_t")
    return next(
        getattr(pynvml, known) for known in (f"c_{name}", f"c_{short}", name) if hasattr(pynvml, known)
    )


def layouts(library: ctypes.CDLL) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    library.row_count.restype = ctypes.c_size_t
    library.rows.restype = ctypes.POINTER(Row)
    compiler, python = {}, {}
    for row in library.rows()[: library.row_count()]:
        structure, member = row.structure.decode(), row.member.decode()
        name = f"{structure}.{member}"
        compiler[name] = [row.offset_bytes, row.size_bytes, row.structure_bytes]
        type_ = pynvml_structure(structure)
        field = getattr(type_, member)
        python[name] = [field.offset, field.size, ctypes.sizeof(type_)]
    return compiler, python


def doubled(library: ctypes.CDLL) -> list[int]:
    memory_type = pynvml_structure("nvmlMemory_t")
    library.doubled.argtypes, library.doubled.restype = [memory_type], memory_type
    memory = library.doubled(memory_type(total=85899345920, free=1, used=3))
    return [memory.total, memory.free, memory.used]


def swapped(library: ctypes.CDLL) -> list[int]:
    rates_type = pynvml_structure("nvmlUtilization_t")
    library.swapped.argtypes, library.swapped.restype = [rates_type], rates_type
    rates = library.swapped(rates_type(gpu=97, memory=12))
    return [rates.gpu, rates.memory]


def called_back(library: ctypes.CDLL) -> float:
    function_type = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_char, ctypes.c_ulonglong, ctypes.c_double)
    library.called_back.argtypes = [function_type, ctypes.c_ulonglong]
    library.called_back.restype = ctypes.c_double
    function = function_type(lambda letter, size, half: ord(letter) + size + half)
    return float(library.called_back(function, 2**40))


if __name__ == "__main__":
    loaded = ctypes.CDLL(sys.argv[1])
    compiler_says, pynvml_says = layouts(loaded)
    answer = {
        "compiler": compiler_says,
        "pynvml": pynvml_says,
        "doubled": doubled(loaded),
        "swapped": swapped(loaded),
        "called_back": called_back(loaded),
    }
    print(json.dumps(answer))
