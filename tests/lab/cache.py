"""What is costly to make (root trees, images, kernels) is made once and kept for the next run.

An artefact is a file or directory of the cache directory, named after what it is and the version of its
recipe: change the recipe, raise the version.  It is made under a file lock, so that of several pytest
workers one makes it and the others wait, and it appears under its name only when complete.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.lab import LabUnavailableError, need_commands, need_root

# Raise when debootstrap_root() below makes a different tree from the same arguments.
ROOT_RECIPE = "1"
APT_SOURCES = Path("/etc/apt")
# A mirror that answers needs 30-60 s for a tree; one that hangs must not hold up the whole test run.
DEBOOTSTRAP_TIMEOUT_S = 420


def cache_dir() -> Path:
    """The cache directory, made on first use: ``$XDG_CACHE_HOME/sitecap-lab``, else below ``~/.cache``."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = base / "sitecap-lab"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock ``name`` across processes; waits for whoever holds it."""
    with (cache_dir() / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def artefact(name: str, version: str, make: Callable[[Path], None]) -> Path:
    """The cached artefact, made by ``make(path)`` if it is not there.

    ``make`` gets a path that does not exist, in a private directory of the same file system, and creates
    a file or directory there; if it raises, nothing is kept.
    """
    path = cache_dir() / f"{name}-{version}"
    with locked(path.name):
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=cache_dir(), prefix=".making-") as private:
                made = Path(private) / "artefact"
                make(made)
                made.rename(path)
    return path


def debian_mirror(apt: Path = APT_SOURCES) -> str:
    """The Debian mirror that this machine's own apt sources name.

    Args:
        apt: a directory like /etc/apt, with sources.list and sources.list.d.

    Raises:
        LabUnavailableError: when no source there is a Debian archive.
    """
    for path in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*"))]:
        with contextlib.suppress(OSError):
            for uri in _uris(path.read_text(encoding="utf-8", errors="replace")):
                if uri.rstrip("/").endswith("/debian"):
                    return uri.rstrip("/")
    raise LabUnavailableError(
        f"no Debian mirror in {apt}/sources.list or sources.list.d: cannot make root trees"
    )


def _uris(text: str) -> Iterator[str]:
    """Archive addresses of a sources file, in the one-line or the deb822 format."""
    for line in text.splitlines():
        if match := re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)", line):
            yield match[1]
        elif line.lower().startswith("uris:"):
            yield from line.partition(":")[2].split()


def debootstrap_root(suite: str, packages: Sequence[str] = ()) -> Path:
    """A Debian root tree of ``suite`` (minbase) with ``packages`` installed; treat it as read-only.

    Its resolver answers nothing (``nameserver 127.0.0.1``), because daemons in a network namespace would
    wait for the machine's real one; its /etc/hosts knows localhost and ``vm``.  No daemon is started.

    Raises:
        LabUnavailableError: not root, no debootstrap, or the mirror cannot give the suite or a package.
    """
    need_root()
    need_commands("debootstrap", "chroot")
    mirror = debian_mirror()
    names = sorted(packages)
    digest = hashlib.sha256("\n".join([suite, *names]).encode()).hexdigest()[:12]

    def make(root: Path) -> None:
        # unsafe-io: no fsync per file; a tree that a crash cuts short is never renamed into place.
        env = {
            **os.environ,
            "DPKG_FORCE": "unsafe-io",
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
        }
        try:
            _bootstrap(root, suite, mirror, names, env)
        except BaseException:
            # debootstrap leaves /proc and /sys mounted when it is killed.
            for mounted in ("proc", "sys"):
                subprocess.run(["umount", "-lq", root / mounted], check=False, capture_output=True)
            raise

    return artefact(f"root-{suite}-{digest}", ROOT_RECIPE, make)


def _bootstrap(root: Path, suite: str, mirror: str, packages: Sequence[str], env: dict[str, str]) -> None:
    _run_or_unavailable(
        ["debootstrap", "--variant=minbase", suite, str(root), mirror], f"debootstrap of {suite} failed", env
    )
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    if packages:
        # A mirror may serve a frozen snapshot, whose (still signed) index is past its validity date.
        script = (
            "set -e; apt-get -o Acquire::Check-Valid-Until=false update -q; "
            'apt-get install -y -q --no-install-recommends "$@"; '
            "apt-get clean; rm -rf /var/lib/apt/lists/*"
        )
        _run_or_unavailable(
            ["chroot", str(root), "sh", "-c", script, "sh", *packages],
            f"installing {', '.join(packages)} in the {suite} tree failed",
            env,
        )
    shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost vm\n::1 localhost\n")


def _run_or_unavailable(argv: Sequence[str], what: str, env: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            argv,
            env=env,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DEBOOTSTRAP_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise LabUnavailableError(f"{what}: no end after {DEBOOTSTRAP_TIMEOUT_S} s") from None
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise LabUnavailableError(f"{what} (exit {done.returncode}): {' | '.join(lines[-3:])}")
