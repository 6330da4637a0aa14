"""Regular expressions of a stranger, matched in bounded time.

A backtracking matcher such as `re` can be hung by a pattern of ten characters. Here all ways through the pattern are
followed side by side (K. Thompson, CACM 11 (1968) 419; with groups: R. Pike's virtual machine, as in RE2), so the work is
at most length of the pattern × length of the name, and it is counted against a budget.

The syntax is what ECMAScript (which CMSSW uses) and `re` have in common, without what needs backtracking: characters,
`.`, classes, groups, `|`, `* + ? {m,n}` greedy or not, `^`, `$`. What matches is always the whole name.
"""

from __future__ import annotations

from functools import lru_cache

from probes.sitelocal.pattern_program import (
    MAX_GROUPS,
    MAX_PATTERN_CHARS,
    At,
    Instruction,
    Jump,
    Match,
    PatternError,
    Save,
    Split,
    Take,
    quoted,
)
from probes.sitelocal.pattern_syntax import Parser

Slots = tuple[int, ...]


class Budget:
    """Steps that may still be made."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Take `steps` off; PatternError if there are none left."""
        self._left -= steps
        if self._left < 0:
            raise PatternError(
                "matching the rules takes more than a job would wait for; simplify the patterns"
            )


class Pattern:
    """A compiled pattern."""

    def __init__(self, program: list[Instruction], groups: int) -> None:
        self._program = program
        self._groups = groups

    def full_match(self, name: str, budget: Budget) -> tuple[str | None, ...] | None:
        """The groups if the whole name matches, None where a group took no part; None if it does not match.

        Raises:
            PatternError: the budget is spent.
        """
        budget.spend(len(self._program))  # for having been read
        current = self._follow([(0, (-1,) * (2 * self._groups))], 0, name, budget)
        for at, char in enumerate(name):
            onward = [(pc + 1, slots) for pc, slots in current if self._takes(pc, char)]
            if not onward:
                return None
            current = self._follow(onward, at + 1, name, budget)
        for pc, slots in current:
            if isinstance(self._program[pc], Match):
                pairs = zip(slots[::2], slots[1::2], strict=True)
                return tuple(name[begin:end] if end >= 0 else None for begin, end in pairs)
        return None

    def _takes(self, pc: int, char: str) -> bool:
        step = self._program[pc]
        return isinstance(step, Take) and step.test(char)

    def _follow(
        self, starts: list[tuple[int, Slots]], at: int, name: str, budget: Budget
    ) -> list[tuple[int, Slots]]:
        """All places that are reached without consuming a character, the preferred ones first."""
        reached: list[tuple[int, Slots]] = []
        seen: set[int] = set()
        stack = starts[::-1]
        while stack:
            pc, slots = stack.pop()
            if pc in seen:
                continue
            seen.add(pc)
            match self._program[pc]:
                case Jump(to):
                    stack.append((to, slots))
                case Split(first, second):
                    stack += [(second, slots), (first, slots)]
                case Save(slot):
                    stack.append((pc + 1, (*slots[:slot], at, *slots[slot + 1 :])))
                case At(end):
                    if at == (len(name) if end else 0):
                        stack.append((pc + 1, slots))
                case _:
                    reached.append((pc, slots))
        budget.spend(len(seen))
        return reached


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """Make a pattern ready.

    Raises:
        PatternError: it is not one, or has what cannot be matched in bounded time.
    """
    if len(text) > MAX_PATTERN_CHARS:
        raise PatternError(f"a pattern of {len(text)} characters is not a rule")
    parser = Parser(text)
    program = [*parser.parse(), Match()]
    if parser.groups > MAX_GROUPS:
        raise PatternError(f"{quoted(text)} has more than {MAX_GROUPS} groups")
    return Pattern(program, parser.groups)
