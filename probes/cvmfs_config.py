"""The CVMFS client's own configuration on this node, read in the client's order; its files are parsed, never executed.

A library for probes, not a probe. The files are shell scripts to the client (it feeds them to /bin/sh). Here only
assignments are understood: quotes, comments, `$NAME`, `${NAME}` and `${NAME:-default}` of earlier assignments. A value
that needs a command (`$(…)`, backquotes) is not known, and is said so. An assignment inside an `if`, `case` or loop
counts only where nothing else has set the name, because its condition is not evaluated.

The order is that of the client (cvmfs/options.cc, ParseDefault). The configuration repository
(CVMFS_CONFIG_REPOSITORY) is left out: it is a mount, and a probe that works without one must not hang in one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from probes.errors import HostError
from probes.host import KIB, Host

DIRECTORY = "/etc/cvmfs"
LIMIT_BYTES = 64 * KIB
"""Of one file: the largest shipped one has some 10 KiB."""

MAX_FILES = 64
"""In default.d."""

MAX_NAMES = 512
MAX_VALUE_CHARACTERS = 8192

_ASSIGNMENT = re.compile(
    r"^\s*(?:(?:export|readonly|eval)\s+)*([A-Za-z_][A-Za-z0-9_]{0,127})=(.*)$", re.DOTALL
)
_OPENS = re.compile(r"^\s*(?:if|case|for|while|until)\b")
_CLOSES = re.compile(r"(?:^|[;\s])(?:fi|esac|done)\s*(?:;|#.*)?$")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}$`]*))?\})")


class NotUnderstoodError(ValueError):
    """A value that only a shell could tell; the text says why."""


@dataclass
class Options:
    """What the files set.

    Attributes:
        values: by name, e.g. {"CVMFS_QUOTA_LIMIT": "20000"}; empty if CVMFS is not configured here.
        sources: file that set each name last.
        problems: one sentence each for what could not be read or understood.
    """

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """A value that is set and not empty."""
        return self.values.get(name) or None


def read_options(host: Host, repository: str) -> Options:
    """Read all files that the client would read for a repository such as "cms.cern.ch"; never raises."""
    found = Options()
    domain = repository.partition(".")[2]
    dropped_in = [name for name in host.list_dir_or_empty(f"{DIRECTORY}/default.d") if name.endswith(".conf")]
    if len(dropped_in) > MAX_FILES:
        found.problems.append(f"{DIRECTORY}/default.d: only the first {MAX_FILES} files are read")
    paths = [
        "default.conf",
        *(f"default.d/{name}" for name in dropped_in[:MAX_FILES]),
        "default.local",
        f"domain.d/{domain}.conf",
        f"domain.d/{domain}.local",
        f"config.d/{repository}.conf",
        f"config.d/{repository}.local",
    ]
    for path in (f"{DIRECTORY}/{path}" for path in paths):
        try:
            text = host.read_text(path, limit_bytes=LIMIT_BYTES)
        except HostError as error:
            if not error.is_absent:
                found.problems.append(f"CVMFS configuration not read: {error.text}")
        else:
            parse(text, path, found)
    return found


def parse(text: str, path: str, into: Options) -> None:
    """Add the assignments of one file; a later one replaces an earlier one."""
    depth = 0
    for number, line in enumerate(text.replace("\\\n", "").split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        opened = _OPENS.match(line) is not None
        depth += opened
        if not opened and (match := _ASSIGNMENT.match(line)) is not None:
            _assign(match[1], match[2], f"{path}, line {number}", path, into, conditional=depth > 0)
        if _CLOSES.search(line):
            depth = max(0, depth - 1)


def value_of(text: str, known: dict[str, str]) -> str:
    """The value of an assignment as a shell would see it: up to the first unquoted blank, `;`, `|` or `&`.

    Raises:
        NotUnderstoodError: a quote is not closed, or the value needs a command.
    """
    value = ""
    position = 0
    while position < len(text) and text[position] not in " \t;|&":
        character = text[position]
        if character in "'\"":
            end = text.find(character, position + 1)
            if end < 0:
                raise NotUnderstoodError("a quote is not closed on its line")
            inner = text[position + 1 : end]
            value += inner if character == "'" else _expanded(inner, known)
            position = end + 1
        elif character == "\\":
            value += text[position + 1 : position + 2] or "\\"  # the last character stands for itself
            position += 2
        else:
            end = position
            while end < len(text) and text[end] not in " \t;|&'\"\\":
                end += 1
            value += _expanded(text[position:end], known)
            position = end
    if len(value) > MAX_VALUE_CHARACTERS:
        raise NotUnderstoodError(f"longer than {MAX_VALUE_CHARACTERS} characters")
    return value


def _assign(name: str, text: str, where: str, path: str, into: Options, *, conditional: bool) -> None:
    if conditional and name in into.values:
        return
    if name not in into.values and len(into.values) >= MAX_NAMES:
        return
    try:
        into.values[name] = value_of(text.strip(), into.values)
        into.sources[name] = path
    except NotUnderstoodError as error:
        into.values.pop(name, None)
        into.problems.append(f"{where}: {name} is not understood: {error}")


def _expanded(text: str, known: dict[str, str]) -> str:
    if "`" in text or "$(" in text:
        raise NotUnderstoodError("it runs a command, which is not done here")
    pieces: list[str] = []
    end = length = 0
    for match in _VARIABLE.finditer(text):
        pieces += [text[end : match.start()], known.get(match[1] or match[2]) or match[3] or ""]
        end = match.end()
        length += len(pieces[-1])
        # One after the other, so that a value that doubles itself is stopped before it is large.
        if length > MAX_VALUE_CHARACTERS:
            raise NotUnderstoodError(f"longer than {MAX_VALUE_CHARACTERS} characters")
    if "${" in _VARIABLE.sub("", text):
        raise NotUnderstoodError("an expansion other than ${NAME} and ${NAME:-default}")
    return "".join(pieces) + text[end:]
