"""Which dynamic loader and shared libraries a Python interpreter and its extension modules stand on."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.elf import ElfError, read_links

# glibc opens these by name when a user, a host or a thread's end calls for them; nothing links to them.
_OPENED_BY_GLIBC = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2", "libgcc_s.so.1")
_LOADER_TIMEOUT_S = 10.0
_LISTED = re.compile(r"^\s+(\S+) => (/.*) \(0x[0-9a-f]+\)$", re.MULTILINE)


class SharedObjectsError(Exception):
    """The loader or the libraries cannot be found out; the message says why and what to do."""


@dataclass(frozen=True)
class SharedObjects:
    """What a dynamic program needs besides itself.

    Attributes:
        loader: the dynamic loader that the kernel starts for the program.
        libraries: name that programs ask for (``libz.so.1``) → file of this machine.
    """

    loader: Path
    libraries: Mapping[str, Path]


def find(executable: Path, extensions: Sequence[Path], inside: Sequence[Path] = ()) -> SharedObjects:
    """Resolve all libraries of an executable and its extension modules, as the dynamic linker does here.

    Args:
        executable: the program.
        extensions: modules that it may load later; one that is unreadable, or whose libraries are missing
            here, contributes nothing, because it could not be imported here either.
        inside: folders whose libraries are left out: they are carried whole, and the modules beside them
            find them by their own run path.

    Raises:
        SharedObjectsError: the executable is unreadable or static, or its loader does not answer.
    """
    try:
        interpreter = read_links(executable).interpreter
    except (ElfError, OSError) as error:
        raise SharedObjectsError(f"cannot read the Python executable: {error}") from None
    if interpreter is None:
        raise SharedObjectsError(
            f"{executable} is linked statically; run the agent with an ordinary (dynamic) Python"
        )
    loader = Path(interpreter)
    known = dict(_resolve(loader, executable))
    libc = next((path for name, path in known.items() if name.startswith("libc.")), None)
    if libc is None:
        raise SharedObjectsError(f"{loader} names no C library for {executable}; is this Python broken?")
    for extension in extensions:
        try:
            wanted = set(read_links(extension).needed)
        except (ElfError, OSError):
            continue
        # Asking the loader costs a process; most modules want only what is known already.
        if wanted - known.keys() - {loader.name}:
            for name, path in _resolve(loader, extension):
                known.setdefault(name, path)
    for name in _OPENED_BY_GLIBC:
        if (libc.parent / name).exists():
            known.setdefault(name, libc.parent / name)
    real = {name: path.resolve() for name, path in known.items() if name != loader.name}
    carried = [folder.resolve() for folder in inside]
    return SharedObjects(
        loader,
        {
            name: path
            for name, path in real.items()
            if not any(path.is_relative_to(folder) for folder in carried)
        },
    )


def _resolve(loader: Path, file: Path) -> Iterator[tuple[str, Path]]:
    """The libraries of a file, name by name, by the loader's own ``--list`` (what ldd(1) runs)."""
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    try:
        done = subprocess.run(  # noqa: S603 - the loader that the kernel runs for this very interpreter
            [loader, "--list", file],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LOADER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SharedObjectsError(f"cannot ask {loader} for the libraries of {file}: {error}") from None
    for match in _LISTED.finditer(os.fsdecode(done.stdout)):
        yield match[1], Path(match[2])
