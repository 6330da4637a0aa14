"""How every claim is read: each value kept as evidence, each malformed one as a problem, nothing raised."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from probes.errors import HostError
from probes.host import KIB, Host

MAX_CORES: Final = 2**20
MAX_BYTES: Final = 2**63 - 1
MAX_DURATION_S: Final = 100 * 366 * 86_400
"""A limit of a hundred years is a way of saying none, or damage."""

MAX_MOMENT_S: Final = 2**35
"""The year 3058, in seconds since 1970; far enough from datetime's own end that durations can be added."""

MAX_TEXT: Final = 512
MAX_NOTES: Final = 64

FILE_LIMIT_BYTES: Final = 256 * KIB

_WHOLE = re.compile(r"[0-9]{1,20}")
_CLOCK = re.compile(r"(?:(?P<days>[0-9]{1,6})-)?(?P<fields>[0-9]{1,9}(?::[0-9]{1,9}){0,2})")


class Reading:
    """One claim in the making: asks the host, keeps what was said and what could not be understood."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._evidence: list[str] = []
        self._problems: list[str] = []

    @property
    def evidence(self) -> tuple[str, ...]:
        """What was read, e.g. "NSLOTS=8", without repetition, at most MAX_NOTES."""
        return tuple(self._evidence)

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each value that could not be used, at most MAX_NOTES."""
        return tuple(self._problems)

    def note(self, text: str) -> None:
        """Keep a piece of evidence."""
        _append(self._evidence, text)

    def problem(self, text: str) -> None:
        """Keep a sentence about something that could not be used."""
        _append(self._problems, text)

    # -- asking ------------------------------------------------------------------------------------------

    def variable(self, name: str, *, as_evidence: bool = True) -> str | None:
        """An environment variable, stripped and at most MAX_TEXT long; None if unset or empty.

        `as_evidence=False` keeps a value out of the profile that may hold a network address.
        """
        try:
            value = self.host.env(name)
        except HostError as error:
            if not error.is_absent:
                self.problem(f"{name} could not be read: {error.text}")
            return None
        # Bytes that are not UTF-8 arrive as lone surrogates, which no JSON document may hold.
        value = (value or "").strip().encode("utf-8", "replace").decode()
        if not value:
            return None
        if len(value) > MAX_TEXT:
            self.problem(f"{name} is longer than {MAX_TEXT} characters and was not used")
            return None
        if as_evidence:
            self.note(f"{name}={value}")
        return value

    def first_variable(self, names: Iterable[str]) -> tuple[str, str] | None:
        """Name and value of the first of some variables that is set."""
        for name in names:
            if (value := self.variable(name)) is not None:
                return name, value
        return None

    def is_set(self, name: str) -> bool:
        """Whether an environment variable is set; its value is not looked at."""
        try:
            found = self.host.has_env(name)
        except HostError:
            return False
        if found:
            self.note(f"{name} is set")
        return found

    def path_variable(self, name: str) -> str | None:
        """An environment variable that holds an absolute path."""
        value = self.variable(name)
        if value is not None and not value.startswith("/"):
            self.problem(f"{name} is {value!r}, not an absolute path")
            return None
        return value

    def file(self, path: str, *, limit_bytes: int = FILE_LIMIT_BYTES, expected: bool = True) -> str | None:
        """Content of a text file; None if it cannot be read, which is a problem unless absence is normal."""
        try:
            return self.host.read_text(path, limit_bytes=limit_bytes)
        except HostError as error:
            if expected or not error.is_absent:
                self.problem(f"{path} could not be read: {error.text}")
            return None

    def host_name(self) -> str | None:
        """First label of this host's name, in lower case, to find it in a batch system's list of hosts."""
        try:
            return short_name(self.host.system_name().node) or None
        except HostError as error:
            self.problem(f"this host's name is not known: {error.text}")
            return None

    # -- understanding -----------------------------------------------------------------------------------

    def whole(self, label: str, text: str, *, highest: int = MAX_BYTES, lowest: int = 0) -> int | None:
        """A whole number within bounds, else None and a problem. `label` names the variable or file."""
        if _WHOLE.fullmatch(text.strip()):
            number = int(text)
            if lowest <= number <= highest:
                return number
            self.problem(f"{label} says {number}, which is not between {lowest} and {highest}")
            return None
        self.problem(f"{label} is {shown(text)}, not a whole number")
        return None

    def cores(self, label: str, text: str) -> int | None:
        """A number of cores, at least 1."""
        return self.whole(label, text, lowest=1, highest=MAX_CORES)

    def size(self, label: str, text: str, *, unit_bytes: int = 1) -> int | None:
        """A size given in units of `unit_bytes`, as bytes."""
        number = self.whole(label, text, highest=MAX_BYTES // unit_bytes)
        return None if number is None else number * unit_bytes

    def seconds(self, label: str, text: str) -> float | None:
        """A duration given in seconds."""
        number = self.whole(label, text, highest=MAX_DURATION_S)
        return None if number is None else float(number)

    def clock_seconds(self, label: str, text: str) -> float | None:
        """A duration given as seconds, MM:SS, HH:MM:SS or D-HH:MM:SS, in seconds."""
        match = _CLOCK.fullmatch(text.strip())
        if match is None:
            self.problem(f"{label} is {shown(text)}, not a duration such as 1-12:30:00")
            return None
        total = 0
        for field in match["fields"].split(":"):
            total = total * 60 + int(field)
        total += int(match["days"] or 0) * 86_400
        if total > MAX_DURATION_S:
            self.problem(f"{label} is {shown(text)}, more than a hundred years")
            return None
        return float(total)

    def moment(self, label: str, text: str) -> datetime | None:
        """A moment given in seconds since 1970, UTC; 0 means that the source does not know it."""
        number = self.whole(label, text, highest=MAX_MOMENT_S)
        return datetime.fromtimestamp(number, tz=UTC) if number else None


def short_name(name: str) -> str:
    """First label of a host name, in lower case: lists of hosts mix short and full names."""
    return name.strip().partition(".")[0].lower()


def shown(text: str) -> str:
    """A value as it may stand in a sentence: quoted, control characters escaped, at most 60 characters."""
    text = text.strip()
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def words(text: str, separators: str = " \t,") -> tuple[str, ...]:
    """The distinct words of a list that is separated by blanks or commas, in order, at most 256."""
    found = dict.fromkeys(word[:MAX_TEXT] for word in re.split(f"[{re.escape(separators)}]+", text) if word)
    return tuple(found)[:256]


def _append(notes: list[str], text: str) -> None:
    text = text if len(text) <= 2 * MAX_TEXT else f"{text[: 2 * MAX_TEXT]}..."
    if text not in notes and len(notes) < MAX_NOTES:
        notes.append(text)
