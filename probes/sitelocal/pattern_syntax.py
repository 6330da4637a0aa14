"""Reading a regular expression into the instructions of `probes.sitelocal.pattern_program`."""

from __future__ import annotations

from typing import NoReturn

from probes.sitelocal.pattern_program import (
    MAX_DEPTH,
    MAX_INSTRUCTIONS,
    MAX_REPEAT,
    At,
    Instruction,
    Jump,
    PatternError,
    Save,
    Split,
    Take,
    Test,
    quoted,
)

_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}


class Parser:
    """Recursive descent over one pattern.

    Attributes:
        groups: capturing groups seen so far.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.groups = 0

    def parse(self) -> list[Instruction]:
        """Instructions of the whole pattern; jumps are relative until here, absolute after.

        Raises:
            PatternError: it is not a pattern that we read.
        """
        code = self._alternatives()
        if self._at < len(self._text):
            self._refuse("has a ) too many")
        return [_absolute(step, at) for at, step in enumerate(code)]

    def _alternatives(self) -> list[Instruction]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse("is nested too deeply")
        code = self._sequence()
        while self._peek() == "|":
            self._at += 1
            other = self._sequence()
            code = [Split(1, len(code) + 2), *code, Jump(len(other) + 1), *other]
            self._check_size(code)
        self._depth -= 1
        return code

    def _sequence(self) -> list[Instruction]:
        code: list[Instruction] = []
        while self._peek() not in ("", "|", ")"):
            code += self._repeated(self._atom())
            self._check_size(code)
        return code

    def _atom(self) -> list[Instruction]:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return [Take(self._class())]
        if char == ".":
            return [Take(lambda one: one != "\n")]
        if char == "^":
            return [At(end=False)]
        if char == "$":
            return [At(end=True)]
        if char == "\\":
            return [Take(self._escape())]
        if char in "*+?":
            self._refuse(f"repeats nothing with {char}")
        if char == "{":
            self._refuse("has a { that ends no repetition; write \\{")
        return [Take(_is(char))]

    def _group(self) -> list[Instruction]:
        if self._peek() == "?":
            if not self._text.startswith("?:", self._at):
                self._refuse("has a look-around or a flag, which is not supported")
            self._at += 2
            code = self._alternatives()
        else:
            number = self.groups
            self.groups += 1
            code = [Save(2 * number), *self._alternatives(), Save(2 * number + 1)]
        if self._peek() != ")":
            self._refuse("has a ( that is not closed")
        self._at += 1
        return code

    def _repeated(self, atom: list[Instruction]) -> list[Instruction]:
        bounds = self._bounds()
        if bounds is None:
            return atom
        least, most = bounds
        greedy = self._peek() != "?"
        if not greedy:
            self._at += 1
        if self._peek() in ("*", "+", "?") or self._bounds() is not None:
            self._refuse("repeats a repetition; put it into ( )")
        if (least + (most or 0)) * len(atom) > MAX_INSTRUCTIONS:
            self._refuse("is too long when its repetitions are written out")
        code = atom * least
        if most is None:
            body = [_split(1, len(atom) + 2, greedy=greedy), *atom, Jump(-len(atom) - 1)]
            return code + body
        for left in range(most - least, 0, -1):
            rest = left * (len(atom) + 1)
            code = [*code, _split(1, rest, greedy=greedy), *atom]
        return code

    def _bounds(self) -> tuple[int, int | None] | None:
        char = self._peek()
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if char in simple:
            self._at += 1
            return simple[char]
        if char != "{":
            return None
        inside, brace, _ = self._text[self._at + 1 :].partition("}")
        low, comma, high = inside.partition(",")
        if not brace or not _is_number(low) or (high and not _is_number(high)):
            self._refuse("has a { that is not {m}, {m,} or {m,n}")
        self._at += len(inside) + 2
        least = int(low)
        most = int(high) if high else None if comma else least
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            self._refuse(f"repeats {{{inside}}}; at most {MAX_REPEAT} and not backwards is allowed")
        return least, most

    def _class(self) -> Test:
        negated = self._peek() == "^"
        if negated:
            self._at += 1
        tests: list[Test] = []
        while self._peek() != "]":
            if not self._peek():
                self._refuse("has a [ that is not closed")
            tests.append(self._member())
        self._at += 1
        if not tests:
            self._refuse("has an empty class []")
        return (lambda one: not any(test(one) for test in tests)) if negated else _any(tests)

    def _member(self) -> Test:
        """A character, a range or a kind of characters (digits …) inside [ ]."""
        if self._peek() == "\\" and self._text[self._at + 1 : self._at + 2] in tuple("dDsSwW"):
            self._at += 1
            return self._escape()
        low = self._literal()
        if self._peek() != "-" or self._text[self._at + 1 : self._at + 2] in ("]", ""):
            return _is(low)
        self._at += 1
        high = self._literal()
        if high < low:
            self._refuse(f"has the backward range {low}-{high}")
        return _between(low, high)

    def _literal(self) -> str:
        char = self._next()
        if char != "\\":
            return char
        char = self._next()
        if char in _CONTROL:
            return _CONTROL[char]
        if char.isalnum():
            self._refuse(f"has \\{char} where a character should be, which is not supported")
        return char

    def _escape(self) -> Test:
        char = self._next()
        kinds: dict[str, Test] = {
            "d": lambda one: one in "0123456789",
            "s": lambda one: one in " \t\n\r\f\v",
            "w": lambda one: one.isascii() and (one.isalnum() or one == "_"),
        }
        if char.lower() in kinds:
            test = kinds[char.lower()]
            return test if char.islower() else (lambda one: not test(one))
        if char in _CONTROL:
            return _is(_CONTROL[char])
        if char.isalnum():
            self._refuse(f"has \\{char}, which is not supported")
        return _is(char)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        if not char:
            self._refuse("ends in the middle")
        self._at += 1
        return char

    def _check_size(self, code: list[Instruction]) -> None:
        if len(code) > MAX_INSTRUCTIONS:
            self._refuse("is too long when its repetitions are written out")

    def _refuse(self, why: str) -> NoReturn:
        raise PatternError(f"the pattern {quoted(self._text)} {why}")


def _absolute(step: Instruction, at: int) -> Instruction:
    if isinstance(step, Split):
        return Split(at + step.first, at + step.second)
    return Jump(at + step.to) if isinstance(step, Jump) else step


def _split(stay: int, leave: int, *, greedy: bool) -> Split:
    return Split(stay, leave) if greedy else Split(leave, stay)


def _is(wanted: str) -> Test:
    return lambda one: one == wanted


def _between(low: str, high: str) -> Test:
    return lambda one: low <= one <= high


def _any(tests: list[Test]) -> Test:
    return lambda one: any(test(one) for test in tests)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4
