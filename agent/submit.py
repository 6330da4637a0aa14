"""Profiles that somebody names, into the spool: files, patterns, standard input."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from agent.codes import FAILURES, NO_FAILURE, NOT_DELIVERED
from agent.delivery.deliver import Delivered, check, deliver, drain
from agent.delivery.errors import SpoolError
from agent.delivery.names import Name, name_of, one_line
from agent.delivery.places import spool_of
from agent.delivery.settings import DeliverySettings
from agent.delivery.spool import Spool
from agent.delivery.store import Memory
from agent.exit_code import SIGNALS
from profiles.reading import ProfileError, read_profile

MAX_INPUT_BYTES = 256 * 1024**2
"""Of one file with a profile a line, or of standard input: it is held in memory."""


class InputError(Exception):
    """What is named is not there; the text says what."""


class Source(NamedTuple):
    """Where a document is from, for messages, and its bytes; or why it has none."""

    place: str
    document: bytes
    problem: str | None = None


class Taken(NamedTuple):
    """What became of what was named.

    Attributes:
        kept: how many profiles are in the spool.
        refused: a sentence for each document that is no profile.
        unspooled: profiles that no disk takes, with why; to be sent from memory.
    """

    kept: int
    refused: tuple[str, ...]
    unspooled: Memory
    trouble: str | None


class Submitted(NamedTuple):
    """What came of it all.

    Attributes:
        delivered: of the drain.
        refused: a sentence for each document that is no profile.
    """

    delivered: Delivered
    refused: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """One line for people."""
        counts = self.delivered
        parts = [f"{counts.delivered} handed in"]
        parts += [f"{counts.duplicates} had been before"] if counts.duplicates else []
        parts += [f"{counts.set_aside} set aside"] if counts.set_aside else []
        parts += [f"{len(self.refused)} not profiles"] if self.refused else []
        parts += [f"{counts.left} waiting: {counts.reason}"] if counts.left else []
        return ", ".join(parts)


def paths(arguments: Sequence[str]) -> list[Path | None]:
    """The files that arguments name: paths, patterns (* ? [ ] **), and "-" for standard input, here None.

    Raises:
        InputError: a file does not exist, or a pattern fits nothing.
    """
    found: list[Path | None] = []
    for argument in arguments:
        found += [None] if argument == "-" else _fitting(argument)
    return found


def sources(files: Sequence[Path | None], stdin: IO[bytes]) -> Iterator[Source]:
    """The documents of files, of which each holds one profile, or one a line."""
    for path in files:
        place = "standard input" if path is None else str(path)
        try:
            if path is None:
                content = stdin.read(MAX_INPUT_BYTES + 1)
            else:
                with path.open("rb") as file:
                    content = file.read(MAX_INPUT_BYTES + 1)
        except OSError as error:
            yield Source(place, b"", error.strerror or type(error).__name__)
            continue
        yield from _documents(place, content)


def take(found: Iterator[Source], spool: Spool) -> Taken:
    """Check documents and put them into the spool."""
    kept = 0
    refused: list[str] = []
    memory: dict[Name, bytes] = {}
    trouble: str | None = None
    for place, document, problem in found:
        if problem is not None:
            refused.append(f"{place}: {problem}")
            continue
        try:
            read_profile(document)
            name = name_of(document)
        except (ProfileError, SpoolError) as error:
            refused.append(f"{place}: {error}")
            continue
        try:
            spool.put(document)
            kept += 1
        except SpoolError as error:
            trouble = str(error)
            memory[name] = document
    return Taken(kept, tuple(refused), Memory(memory), trouble)


def submit(
    files: Sequence[Path | None],
    stdin: IO[bytes],
    settings: DeliverySettings,
    *,
    until_s: float | None,
    stop: Callable[[], bool],
) -> Submitted:
    """Put what is named into the spool, then hand in all that waits there.

    Args:
        files: as `paths` returns them; none = what waits already.
        stdin: standard input.
        settings: how to deliver.
        until_s: on the clock of `time.monotonic`, when it must end; None = when the spool is empty.
        stop: whether the caller wants to end.

    Raises:
        DeliveryError: nothing can be handed in.
    """
    check(settings)
    taken = take(sources(files, stdin), spool_of(settings))
    unsent = taken.unspooled
    if not unsent.documents:
        return Submitted(deliver(settings, until_s=until_s, stop=stop), taken.refused)
    first = drain(unsent, settings, until_s, stop)
    if first.left:
        first = first._replace(reason=f"{first.reason}; {taken.trouble}: {first.left} profiles are not kept")
    if taken.kept == 0:
        return Submitted(first, taken.refused)
    return Submitted(_together(first, deliver(settings, until_s=until_s, stop=stop)), taken.refused)


def exit_code(done: Submitted, interrupted_by: str | None) -> int:
    """The exit code of `agent submit`. What a person must look at comes before what may yet go by itself."""
    if interrupted_by and done.delivered.left:
        return SIGNALS.get(interrupted_by, NOT_DELIVERED)
    if done.refused or done.delivered.set_aside:
        return FAILURES
    return NOT_DELIVERED if done.delivered.left else NO_FAILURE


def _together(one: Delivered, other: Delivered) -> Delivered:
    return Delivered(
        one.delivered + other.delivered,
        one.duplicates + other.duplicates,
        one.set_aside + other.set_aside,
        one.left + other.left,
        one.reason or other.reason,
    )


def _fitting(argument: str) -> list[Path | None]:
    path = Path(argument)
    # A file whose name has a bracket is meant as it stands.
    if path.exists():
        return [path]
    if not glob.has_magic(argument):
        raise InputError(f"{argument}: there is no such file")
    found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - also absolute patterns
    if not found:
        raise InputError(f"{argument}: no file fits this pattern")
    return [Path(one) for one in found]


def _documents(place: str, content: bytes) -> Iterator[Source]:
    if len(content) > MAX_INPUT_BYTES:
        yield Source(place, b"", f"more than {MAX_INPUT_BYTES} bytes: hand it in in parts")
        return
    lines = [(number, line.strip()) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    if not lines:
        yield Source(place, b"", "empty: there is no profile in it")
    # In a file with a profile a line each is an object by itself; a profile over many lines begins with its brace alone.
    elif len(lines) > 1 and all(line.startswith(b"{") and line.endswith(b"}") for _, line in lines):
        for number, line in lines:
            yield Source(f"{place}, line {number}", line)
    else:
        yield Source(place, one_line(content))
