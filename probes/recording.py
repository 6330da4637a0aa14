"""Writing and replaying recordings: what the machine answered, question by question.

A recording is a directory:

* `recording.json` - version, when, by which agent, whether redacted, which probes;
* `answers.jsonl` - one question and its answer a line: {"ask", "args", "by", "answer" | "error"}; the content of a
  file is {"text": …} or {"base64": …};
* `root/` - optional, in recordings made by hand: a file tree that answers file questions which have no line.

Probes run in separate processes, so each writes its own part file; `finish` joins them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from probes.answers import Fetched, Json
from probes.errors import HostError, RecordingError
from probes.host import Door
from probes.live import LiveDoor
from probes.recorded_answers import decode, encode
from probes.redact import SECRET, Redactor

RECORDING_VERSION = "1.0"
MANIFEST = "recording.json"
ANSWERS = "answers.jsonl"
TREE = "root"
MAX_ANSWERS_BYTES = 64 * 1024 * 1024
"""A recording larger than this is refused: a whole 768-thread node takes some 5 MB."""

MAX_MANIFEST_BYTES = 65_536

_IDENTIFYING_ARGS = {
    "file": 1, "run": 1, "try_threads": 0, "try_write": 1, "resolve": 1, "connect": 2, "tls": 3, "http": 3, "fetch": 7,
    "drain": 4,
}  # fmt: skip
"""How many leading arguments make two questions the same; the rest are time-outs and size bounds."""

FETCHED_BODY = Fetched._fields.index("body")

NOT_A_PROBE = "agent"
"""Name under which the agent itself asks."""

_FILE_QUESTIONS = ("file", "dir", "link", "stat", "xattr")


def _key(kind: str, args: list[Json]) -> str:
    count = _IDENTIFYING_ARGS.get(kind, len(args))
    return json.dumps([kind, *args[:count]], sort_keys=True)


class RecordingDoor:
    """Passes questions on, keeps the redacted answers, and gives the redacted answers to the probe.

    The probe sees what the replay will show it, so both come to the same verdict.
    """

    def __init__(self, inner: Door, directory: Path, by: str, redactor: Redactor | None) -> None:
        self._inner = inner
        self._by = by
        self._redactor = redactor
        self.failure: str | None = None
        # A probe may ask from several threads; neither the redactor nor the stream may be entered twice.
        self._lock = threading.Lock()
        try:
            self._part = (directory / f".part-{by}.jsonl").open("a", encoding="utf-8")
        except OSError as error:
            raise RecordingError(f"cannot write the recording into {directory}: {error.strerror}") from error

    def ask(self, kind: str, args: list[Json]) -> Any:  # noqa: ANN401
        """Answer a question and keep it."""
        if kind == "env" and Redactor.is_secret_name(str(args[0])):
            return self._kept(kind, args, lambda: SECRET if self._inner.ask("has_env", args) else None)
        live = self._restore(args)
        return self._kept(kind, args, lambda: self._inner.ask(kind, live))

    def observe(self, name: str, args: list[Json], live: Callable[[], Json]) -> Any:  # noqa: ANN401
        """Observe and keep the answer."""
        return self._kept(f"observe:{name}", args, lambda: self._inner.observe(name, args, live))

    def restore(self, text: str) -> str:
        """The identity behind a pseudonym in `text`."""
        return str(self._restore([text])[0])

    def close(self) -> None:
        """Flush what was kept; a full disk shows here at the latest."""
        try:
            self._part.close()
        except OSError as error:
            self._fail(error)

    def _restore(self, args: list[Json]) -> list[Json]:
        if self._redactor is None:
            return args
        with self._lock:
            restored = self._redactor.restore(args)
        assert isinstance(restored, list)
        return restored

    def _hide(self, value: Any) -> Any:  # noqa: ANN401
        if self._redactor is None:
            return value
        if isinstance(value, bytes):
            # Latin-1 maps every byte to one character and back, so binary content survives the redaction.
            return str(self._redactor.hide(value.decode("latin-1"))).encode("latin-1", "replace")
        return self._redactor.hide(value)

    def _kept(self, kind: str, args: list[Json], answer: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            found = answer()
        except HostError as error:
            with self._lock:
                text = str(self._hide(error.text))
                self._write({**self._question(kind, args), "error": [error.errno_name, text]})
            raise HostError(error.errno_name, text) from error
        with self._lock:
            value = self._hide_fetched(found) if kind == "fetch" else self._hide(found)
            self._write({**self._question(kind, args), "answer": encode(value)})
        return value

    def _hide_fetched(self, found: Any) -> Any:  # noqa: ANN401
        """A body is base64 in its answer, where no pattern finds anything: its text is redacted, binary is kept.

        Binary content is signed, hashed or compressed, so whatever changed it would be taken for a fault.
        """
        if self._redactor is None:
            return found
        body = base64.b64decode(found[FETCHED_BODY])
        with contextlib.suppress(UnicodeDecodeError):
            body = str(self._redactor.hide(body.decode("utf-8"))).encode("utf-8")
        hidden = self._redactor.hide([*found[:FETCHED_BODY], "", *found[FETCHED_BODY + 1 :]])
        assert isinstance(hidden, list)
        hidden[FETCHED_BODY] = base64.b64encode(body).decode("ascii")
        return hidden

    def _question(self, kind: str, args: list[Json]) -> dict[str, Json]:
        return {"ask": kind, "args": self._hide(args), "by": self._by}

    def _write(self, line: dict[str, Json]) -> None:
        if self.failure is not None:
            return
        try:
            self._part.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._part.flush()  # a probe that is killed leaves what led to it
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = f"the recording is incomplete: {error.strerror}"


def begin(directory: Path) -> None:
    """Make an empty directory for a recording, private to the user.

    Raises:
        RecordingError: it exists and is not empty, or cannot be made.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise RecordingError(f"{directory} is not empty: name a new directory for the recording")
    except OSError as error:
        raise RecordingError(f"cannot make {directory} for the recording: {error.strerror}") from error


def finish(
    directory: Path, *, agent_version: str, created_at: str, redacted: bool, probes: Sequence[str] = ()
) -> None:
    """Join the parts of the probes into one recording.

    Raises:
        RecordingError: the disk is full or the directory vanished; what was written stays.
    """
    manifest = {
        "recording_version": RECORDING_VERSION,
        "agent_version": agent_version,
        "created_at": created_at,
        "redacted": redacted,
        "probes": list(probes),
    }
    try:
        with (directory / ANSWERS).open("w", encoding="utf-8") as joined:
            for part in sorted(directory.glob(".part-*.jsonl")):
                joined.write(part.read_text("utf-8"))
        (directory / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
        for part in directory.glob(".part-*.jsonl"):
            part.unlink()
    except OSError as error:
        raise RecordingError(
            f"cannot finish the recording in {directory}: {error.strerror}; free some space and run again"
        ) from error


class Recording:
    """The answers of a recording, checked and indexed.

    Attributes:
        probes: that were recorded; None = made by hand, for whichever probe finds its answers in it.

    Raises:
        RecordingError: the directory is not a recording, is of another version, or has a broken line.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        listed = self._check_manifest(directory / MANIFEST).get("probes")
        self.answers: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.env_names: set[str] = set()
        for line in _lines(directory / ANSWERS):
            key = _key(line["ask"], line["args"])
            self.answers.setdefault(key, {}).setdefault(str(line.get("by", "")), []).append(line)
            if line["ask"] == "env" and line.get("answer") is not None:
                self.env_names.add(str(line["args"][0]))
        asking = {by for one in self.answers.values() for by in one} - {"", NOT_A_PROBE}
        named = {str(name) for name in listed} if isinstance(listed, list) else set()
        self.probes = frozenset(named or asking) or None
        tree = directory / TREE
        if tree.is_symlink():
            raise RecordingError(f"{tree} is a link; a recording brings its own files")
        self.tree = LiveDoor(os.path.abspath(tree)) if tree.is_dir() else None  # noqa: PTH100

    @staticmethod
    def _check_manifest(path: Path) -> dict[str, Any]:
        try:
            _check_file(path, MAX_MANIFEST_BYTES)
            manifest = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise RecordingError(
                f"{path.parent} is not a recording: {path.name}: {error.strerror}; make one with "
                "`agent probe --record DIR`"
            ) from error
        except (ValueError, RecursionError) as error:
            raise RecordingError(f"{path} is not JSON: {error}; the recording is damaged") from error
        version = str(manifest.get("recording_version"))[:16] if isinstance(manifest, dict) else "none"
        if version.split(".")[0] != RECORDING_VERSION.split(".", maxsplit=1)[0]:
            raise RecordingError(
                f"{path} has recording_version {version}; this agent reads {RECORDING_VERSION}: record again with it"
            )
        return dict(manifest)


def _check_file(path: Path, limit_bytes: int) -> None:
    """Refuse what a read of a recording could hang in (a pipe, a device) or choke on."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise RecordingError(f"{path} is not a regular file: this is not a recording of ours")
    if status.st_size > limit_bytes:
        raise RecordingError(f"{path} is larger than {limit_bytes} bytes: this is not a recording of ours")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        _check_file(path, MAX_ANSWERS_BYTES)
        with path.open(encoding="utf-8") as stream:
            for number, text in enumerate(stream, 1):
                if text.strip():
                    yield _checked_line(path, number, text)
    except OSError as error:
        raise RecordingError(f"the recording has no readable {path.name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error


def _checked_line(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordingError(
            f"{path}, line {number}: not JSON ({error}); the recording is damaged"
        ) from error
    good = (
        isinstance(line, dict)
        and isinstance(line.get("ask"), str)
        and isinstance(line.get("args"), list)
        and (line["ask"] != "env" or line["args"])
        and ("answer" in line or _is_error(line.get("error")))
    )
    if not good:
        raise RecordingError(f"{path}, line {number}: needs ask, args, and answer or error")
    return dict(line)


def _is_error(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


class ReplayDoor:
    """Answers one probe's questions from a recording; touches nothing of this machine."""

    def __init__(self, recording: Recording, by: str) -> None:
        self._recording = recording
        self._by = by
        self._asked: dict[str, int] = {}

    def ask(self, kind: str, args: list[Json]) -> Any:  # noqa: ANN401
        """The recorded answer; a question asked several times gets the answers in their order."""
        line = self._line(_key(kind, args))
        if line is None:
            return self._unrecorded(kind, args)
        if "error" in line:
            raise HostError(*line["error"])
        return decode(kind, line["answer"])

    def observe(self, name: str, args: list[Json], live: Callable[[], Json]) -> Any:  # noqa: ANN401, ARG002
        """The recorded answer; `live` is never called."""
        return self.ask(f"observe:{name}", args)

    def restore(self, text: str) -> str:
        """The text as it is: a recording knows no other."""
        return text

    def _line(self, key: str) -> dict[str, Any] | None:
        by_probe = self._recording.answers.get(key)
        if not by_probe:
            return None
        lines = by_probe.get(self._by) or next(iter(by_probe.values()))
        index = self._asked.get(key, 0)
        self._asked[key] = index + 1
        return lines[min(index, len(lines) - 1)]

    def _unrecorded(self, kind: str, args: list[Json]) -> Any:  # noqa: ANN401
        if kind in _FILE_QUESTIONS and self._recording.tree is not None:
            return self._recording.tree.ask(kind, args)
        if kind in ("env", "which"):
            return None
        if kind == "has_env":
            return str(args[0]) in self._recording.env_names
        if kind == "env_names":
            return sorted(name for name in self._recording.env_names if name.startswith(str(args[0])))
        raise HostError("ENOTRECORDED", f"{kind} {args!r:.120} is not in the recording")
