"""Writing a recording (`probes/recording_layout.py`): what the machine answers, question by question.

Probes run in separate processes, so each writes its own part file; `finish` joins them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from probes.answers import Fetched, Json
from probes.errors import HostError, RecordingError
from probes.host import Door
from probes.recorded_answers import encode
from probes.recording_layout import ANSWERS, MANIFEST, RECORDING_VERSION
from probes.redact import SECRET, Redactor

FETCHED_BODY = Fetched._fields.index("body")


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
