"""What the instructions of a run under callgrind did: float operations and bytes, by the disassembly of what was run.

callgrind counts how often each instruction ran and how often it read and wrote (`--dump-instr=yes`); `objdump` says what each
is. x86-64 only: elsewhere instructions and misses are counted, and what they did is not.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

LINE_BYTES = 64
_ORDINARY_BYTES = 8  # of push, pop, call, ret: what objdump gives no size
_OPERAND_BYTES = {"BYTE": 1, "WORD": 2, "DWORD": 4, "FWORD": 6, "QWORD": 8, "TBYTE": 10, "XMMWORD": 16, "YMMWORD": 32, "ZMMWORD": 64}  # fmt: skip
_OPERAND = re.compile(r"\b([A-Z]*(?:BYTE|WORD)) PTR")
_FLOAT = re.compile(r"v?(?P<what>[a-z0-9]+?)(?P<type>[ps][sd])")
_FUSED = re.compile(r"fn?m(?:add|sub|addsub|subadd)\d{3}")
_KINDS = {
    "add": "additions", "sub": "additions", "addsub": "additions", "hadd": "additions", "hsub": "additions",
    "mul": "multiplications", "div": "divisions and roots", "sqrt": "divisions and roots",
    "rcp": "divisions and roots", "rsqrt": "divisions and roots",
    "min": "comparisons", "max": "comparisons", "comi": "comparisons", "ucomi": "comparisons",
}  # fmt: skip
ARITHMETIC = ("additions", "multiplications", "divisions and roots")
"""Kinds that a roofline takes for operations; "comparisons" are told beside them."""


@dataclass(frozen=True)
class Meaning:
    """What one instruction does each time.

    Attributes:
        kind: of float operation, as ``ARITHMETIC`` or "comparisons"; "multiply-adds" if fused; None if it is none.
        lanes: operations at once.
        operand_bytes: of its operand in memory.
    """

    kind: str | None
    lanes: int
    operand_bytes: int


@dataclass
class Counts:
    """Of a run.

    Attributes:
        instructions: all of them.
        reads, writes: instructions' accesses to memory.
        first_level_misses, last_level_misses: of these accesses, in the simulated caches; a line of 64 bytes each.
        operations: float operations (lanes) by kind; what is fused counts as an addition and a multiplication.
        vector_operations: those of ``operations`` made several at once.
        read_bytes, written_bytes: of all accesses.
    """

    instructions: int = 0
    reads: int = 0
    writes: int = 0
    first_level_misses: int = 0
    last_level_misses: int = 0
    operations: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    vector_operations: int = 0
    read_bytes: int = 0
    written_bytes: int = 0

    @property
    def arithmetic(self) -> int:
        """Additions, multiplications, divisions, roots."""
        return sum(self.operations[kind] for kind in ARITHMETIC)


def meaning_of(text: str) -> Meaning:
    """Of an instruction as ``objdump -M intel`` writes it, as in "vmulps ymm0,ymm1,YMMWORD PTR [rax]"."""
    mnemonic, _, operands = text.partition(" ")
    size = _OPERAND.search(operands)
    operand_bytes = _OPERAND_BYTES.get(size[1], _ORDINARY_BYTES) if size else _ORDINARY_BYTES
    found = _FLOAT.fullmatch(mnemonic)
    if not found:
        return Meaning(None, 1, operand_bytes)
    what = found["what"]
    kind = _KINDS.get(what) or ("multiply-adds" if _FUSED.fullmatch(what) else None)
    if kind is None and what.startswith("cmp") and "mm" in operands:
        kind = "comparisons"
    if kind is None:
        return Meaning(None, 1, operand_bytes)
    register_bytes = 64 if "zmm" in operands else 32 if "ymm" in operands else 16
    lanes = 1 if found["type"][0] == "s" else register_bytes // (4 if found["type"][1] == "s" else 8)
    return Meaning(kind, lanes, operand_bytes)


def disassembly(object_file: Path) -> dict[int, Meaning]:
    """Of all instructions of a file, by address. Empty if it is no file, as the kernel's vdso.

    Raises:
        OSError: there is no objdump.
        subprocess.CalledProcessError: it failed.
    """
    if not object_file.is_file():
        return {}
    done = subprocess.run(
        ["objdump", "-d", "-w", "-M", "intel", "--no-show-raw-insn", object_file],
        capture_output=True,
        text=True,
        check=True,
    )
    known: dict[str, Meaning] = {}
    found = {}
    for line in done.stdout.splitlines():
        address, colon, text = line.partition(":\t")
        if colon and line.startswith(" "):
            text = re.sub(r"^((?:bnd|notrack|lock|rep\w*|data16) +)*", "", text.split("#")[0].strip())
            found[int(address, 16)] = known.setdefault(text, meaning_of(text))
    return found


def costs_by_address(lines: Iterable[str]) -> dict[str, dict[int, list[int]]]:
    """Own costs of each instruction, by object file and address, from a callgrind file with positions not compressed.

    The costs are in the order of ``EVENTS``; those that a call includes are not taken, as the called ones have them.
    """
    names: dict[str, str] = {}
    found: dict[str, dict[int, list[int]]] = defaultdict(dict)
    order: list[int] = []
    current, skip = "", False
    for line in lines:
        if line.startswith("events:"):
            events = line.split()[1:]
            order = [events.index(name) if name in events else -1 for name in EVENTS]
        elif line.startswith(("ob=", "cob=")):  # whichever comes first tells the name of the number
            key, _, value = line.strip().partition("=")
            number, _, name = value.partition(" ")
            known = names.setdefault(number, name)
            current = known if key == "ob" else current
        elif line.startswith("calls="):
            skip = True
        elif line.startswith("0x"):
            if not skip:
                address, *values = line.split()
                costs = [int(values[at]) if 0 <= at < len(values) else 0 for at in order]
                before = found[current].get(int(address, 16))
                found[current][int(address, 16)] = (
                    costs if before is None else [a + b for a, b in zip(before, costs, strict=True)]
                )
            skip = False
    return dict(found)


EVENTS = ("Ir", "Dr", "Dw", "D1mr", "D1mw", "DLmr", "DLmw")


def summed(costs: Mapping[int, list[int]], meanings: Mapping[int, Meaning], counts: Counts) -> None:
    """Add the costs of one object file to ``counts``."""
    plain = Meaning(None, 1, _ORDINARY_BYTES)
    for address, (ran, reads, writes, *misses) in costs.items():
        meaning = meanings.get(address, plain)
        counts.instructions += ran
        counts.reads += reads
        counts.writes += writes
        counts.first_level_misses += misses[0] + misses[1]
        counts.last_level_misses += misses[2] + misses[3]
        counts.read_bytes += reads * meaning.operand_bytes
        counts.written_bytes += writes * meaning.operand_bytes
        if meaning.kind is not None:
            kinds = ARITHMETIC[:2] if meaning.kind == "multiply-adds" else (meaning.kind,)
            for kind in kinds:
                counts.operations[kind] += ran * meaning.lanes
                if meaning.lanes > 1:
                    counts.vector_operations += ran * meaning.lanes
