"""What a roofline counts: the meaning of instructions, the costs of a callgrind file, and a sentence where there is no valgrind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import roofline
from benchmarks.instruction_counts import Counts, Meaning, costs_by_address, meaning_of, summed

FILE = """\
positions: instr
events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw

ob=(1) /lib/kernel.so
fn=(1) 0x1000
0x1000 10 10 0 1 4 0 1 2 0
0x1008 10
cob=(2) /lib/libc.so
cfn=(2) memset
calls=3 0x2000
0x1010 900 300 300 0 0 0 0 0 0
0x1010 3 0 3
ob=(2)
fn=(2)
0x20 7 0 7 0 0 5 0 0 1
ob=(1)
0x1000 5 5 0 0 1 0 0 0 0
"""


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("vmulps ymm0,ymm1,YMMWORD PTR [rax+0x20]", Meaning("multiplications", 8, 32)),
        ("addps  xmm0,xmm1", Meaning("additions", 4, 8)),
        ("vsubpd zmm0,zmm1,zmm2", Meaning("additions", 8, 8)),
        ("mulss  xmm0,DWORD PTR [rdi+rax*4]", Meaning("multiplications", 1, 4)),
        ("vfmadd231ps ymm0,ymm1,YMMWORD PTR [rax]", Meaning("multiply-adds", 8, 32)),
        ("vsqrtsd xmm0,xmm1,xmm2", Meaning("divisions and roots", 1, 8)),
        ("vcmpltps ymm0,ymm1,ymm2", Meaning("comparisons", 8, 8)),
        ("ucomiss xmm0,xmm1", Meaning("comparisons", 1, 8)),
        ("vbroadcastss ymm0,DWORD PTR [rax]", Meaning(None, 1, 4)),
        ("vaddsubps xmm0,xmm1,xmm2", Meaning("additions", 4, 8)),
        ("movaps xmm0,XMMWORD PTR [rsp]", Meaning(None, 1, 16)),
        ("cmpsd  QWORD PTR ds:[rsi],QWORD PTR es:[rdi]", Meaning(None, 1, 8)),
        ("vpaddd ymm0,ymm1,ymm2", Meaning(None, 1, 8)),
        ("cvtsi2ss xmm0,DWORD PTR [rax]", Meaning(None, 1, 4)),
        ("push   rbp", Meaning(None, 1, 8)),
    ],
)
def test_an_instruction_is_understood(text: str, meaning: Meaning) -> None:
    assert meaning_of(text) == meaning


def test_costs_are_those_of_an_instruction_itself() -> None:
    costs = costs_by_address(FILE.splitlines())
    assert costs == {
        "/lib/kernel.so": {
            0x1000: [15, 15, 0, 5, 0, 2, 0],
            0x1008: [10, 0, 0, 0, 0, 0, 0],
            0x1010: [3, 0, 3, 0, 0, 0, 0],
        },
        "/lib/libc.so": {0x20: [7, 0, 7, 0, 5, 0, 1]},
    }


def test_operations_are_lanes_and_bytes_are_operands() -> None:
    meanings = {
        0x1000: meaning_of("vmulps ymm0,ymm1,YMMWORD PTR [rax]"),
        0x1008: meaning_of("addss xmm0,xmm1"),
        0x1010: meaning_of("vfmadd231ps xmm0,xmm1,xmm2"),
    }
    counts = Counts()
    summed(costs_by_address(FILE.splitlines())["/lib/kernel.so"], meanings, counts)
    assert counts.instructions == 28
    assert dict(counts.operations) == {"multiplications": 15 * 8 + 3 * 4, "additions": 10 + 3 * 4}
    assert counts.arithmetic == 154
    assert counts.vector_operations == 144
    assert (counts.read_bytes, counts.written_bytes) == (15 * 32, 3 * 8)
    assert (counts.first_level_misses, counts.last_level_misses) == (5, 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["clue"], "nothing is counted, since there is no valgrind here\n"),
        (["cluu"], "there is no kernel 'cluu'; did you mean 'clue'?\n"),
    ],
)
def test_what_is_missing_costs_one_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["roofline", *arguments])
    assert roofline.main() == 1
    assert capsys.readouterr().out == sentence
