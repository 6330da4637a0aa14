"""Replaying a recording (`probes/recording_layout.py`): what the machine answered then."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from probes.answers import Json
from probes.errors import HostError, RecordingError
from probes.live import LiveDoor
from probes.recorded_answers import decode
from probes.recording_layout import ANSWERS, MANIFEST, NOT_A_PROBE, RECORDING_VERSION, TREE, key_of

MAX_ANSWERS_BYTES = 64 * 1024 * 1024
"""A recording larger than this is refused: a whole 768-thread node takes some 5 MB."""

MAX_MANIFEST_BYTES = 65_536

_FILE_QUESTIONS = ("file", "dir", "link", "stat", "xattr")


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
            key = key_of(line["ask"], line["args"])
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
        line = self._line(key_of(kind, args))
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
