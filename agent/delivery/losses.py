"""What a full or old spool had to give up is written down: nothing goes without a word."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

FILE = "lost.jsonl"
MAX_BYTES = 1024 * 1024
"""Some 5,000 lines; then the file becomes `lost.jsonl.1`, and what was called so is gone."""

_log = logging.getLogger("agent.delivery")


def note_losses(directory: Path, documents: Sequence[str], reason: str) -> None:
    """Write down that documents are about to be given up, each as a line of `lost.jsonl`, if the disk takes it.

    Before they are: an agent that dies between leaves a line too many, never one too few.
    """
    if not documents:
        return
    at = datetime.now(UTC).isoformat()
    lines = [json.dumps({"at": at, "document": document, "reason": reason}) + "\n" for document in documents]
    path = directory / FILE
    with suppress(OSError):
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            path.replace(directory / f"{FILE}.1")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o660)
        try:
            os.write(descriptor, "".join(lines).encode())
        finally:
            os.close(descriptor)


def tell_losses(directory: Path, number: int, reason: str) -> None:
    """Say in the log how many documents were given up."""
    if number:
        _log.warning("the spool gave up %d profiles: %s; see %s", number, reason, directory / FILE)
