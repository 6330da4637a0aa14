"""Files that a pilot leaves: the profile, and what other programs of the slot read of it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.pilot.settings import PilotSettings
from agent.render import classad, glidein, mjf
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
MAX_NAME = 80


def profile_path(wanted: str | None, names: Sequence[str], node: str) -> Path:
    """Where the profile goes: the file that is wanted, or one of its own in that directory or the working directory.

    The name holds job and node, because the working directory may be that of many nodes.

    Args:
        wanted: file or directory; None = the working directory.
        names: of the job.
        node: its name or pseudonym.
    """
    if wanted is not None and not Path(wanted).is_dir() and not wanted.endswith("/"):
        return Path(wanted)
    words = [
        "sitecap-profile",
        *(_NOT_IN_NAMES.sub("-", name).strip("-")[:MAX_NAME] for name in (*names[:1], node)),
    ]
    return Path(wanted or ".") / f"{'-'.join(filter(None, words))}.json"


def files_of(
    profile: CapabilityProfile, document: bytes, settings: PilotSettings, path: Path | None
) -> dict[Path, bytes]:
    """Every file that is to be left, with what is in it.

    Args:
        profile: parsed.
        document: the same as it is handed in.
        settings: which other files are wanted.
        path: for the profile; None = it is not left as a file.
    """
    files = {} if path is None else {path: document}
    if settings.classad is not None:
        files[Path(settings.classad)] = classad.render(profile).encode()
    if settings.glidein is not None:
        files[Path(settings.glidein)] = glidein.render(profile).encode()
    if settings.mjf is not None:
        files |= {Path(settings.mjf) / name: text.encode() for name, text in mjf.render(profile).items()}
    return files


def leave_files(document: bytes, settings: PilotSettings, path: Path | None) -> list[str]:
    """Write all files; what cannot be written costs only itself.

    Returns:
        A sentence for each that is not there.
    """
    return write_all(files_of(read_profile(document), document, settings, path))


def write_all(files: Mapping[Path, bytes]) -> list[str]:
    """Write each file so that it appears whole or not at all; a sentence for each that does not."""
    failed = []
    for path, content in files.items():
        try:
            if str(path) == "-":
                sys.stdout.buffer.write(content)
                sys.stdout.flush()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, content)
        except OSError as error:
            failed.append(f"cannot write {path}: {error.strerror}")
    return failed


def _write(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():
        path.write_bytes(content)  # a device or a pipe is written to, not replaced
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
