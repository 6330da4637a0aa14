"""Carry this agent, with its own Python, into a container that has neither.

A container image may have no Python, an older glibc, or musl.  So nothing of the image is used: the
running interpreter, its standard library, the agent's packages, every shared library that they need and
the dynamic loader itself are bind-mounted read-only below ``/.sitecap``, and the command starts that
loader by name.  The one condition is that image and machine have the same architecture.

The interpreter runs isolated (``-I``): no ``PYTHON*`` variable of the image reaches it, and none is set
that the commands which the probes start could inherit.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from agent import shared_objects

DISTRIBUTION = "sitecap"
PACKAGES = ("agent", "probes", "profiles", "sitecap")

# The layout in the container.  The interpreter finds its standard library by its own place: ../lib.
HOME = PurePosixPath("/.sitecap")
BIN = HOME / "bin"
LIBRARIES = HOME / "so"
SOURCE = HOME / "source"
SITES = HOME / "site"
BOOT = HOME / "boot.py"

# Where Apptainer's --nv and --rocm put the driver's libraries; it names the place only in
# LD_LIBRARY_PATH, which --library-path replaces.
_LIBRARIES_OF_THE_RUNTIME = ("/.singularity.d/libs",)

_BOOT_TEXT = """\
import runpy, sys
sys.path[:0] = {path!r}
module = sys.argv[1]
del sys.argv[1]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


class PortableError(Exception):
    """This agent cannot be carried into a container; the message says why and what to do."""


@dataclass(frozen=True)
class Mount:
    """One read-only bind mount: ``source`` of this machine appears as ``target`` in the container."""

    source: Path
    target: str


@dataclass(frozen=True)
class PortableAgent:
    """How to run this agent inside a container.

    Attributes:
        mounts: what to bind-mount read-only, in this order: a later target may lie inside an earlier one.
        python: the command that runs a module of this agent; append the module's name and its arguments.
        argv: the command of the agent itself; append its arguments, such as ``probe``.
        env: variables to set in the container.  Empty today: the command line says all that is needed.
    """

    mounts: tuple[Mount, ...]
    python: tuple[str, ...]
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def build(cache_dir: Path) -> PortableAgent:
    """Find out what this agent stands on, and stage copies of the scattered part of it.

    Interpreter, loader and libraries are copied into a subdirectory of ``cache_dir`` named after their
    content, so that it is made once; the standard library and the packages are mounted where they are.

    Args:
        cache_dir: a private directory of this user; made with mode 0700 when missing.

    Raises:
        PortableError: the interpreter is static, the agent is not installed, or the cache directory cannot
            be used or is open to other users.
    """
    if not sys.executable:
        raise PortableError("Python does not know its own executable; start the agent by a full path")
    executable = Path(sys.executable).resolve()
    stdlib = Path(os.__file__).resolve().parent
    sites = _sites()
    # An editable install: only the packages, the rest of that source tree is nobody's business inside.
    apart = {name: folder for name, folder in _packages().items() if folder.parent not in sites}

    # Tk would bring half of X11 along, and no probe opens a window.
    standard = [
        path for path in sorted(stdlib.glob("lib-dynload/*.so")) if not path.name.startswith("_tkinter")
    ]
    extensions = [*standard, *_extensions_of_dependencies()]
    try:
        objects = shared_objects.find(executable, extensions, inside=[stdlib, *sites])
    except shared_objects.SharedObjectsError as error:
        raise PortableError(str(error)) from None

    mounts = [Mount(stdlib, str(HOME / sys.platlibdir / stdlib.name))]
    mounts += [Mount(folder, str(SOURCE / name)) for name, folder in apart.items()]
    mounts += [Mount(site, str(SITES / str(number))) for number, site in enumerate(sites)]
    import_path = [str(SOURCE)] if apart else []
    import_path += [str(SITES / str(number)) for number in range(len(sites))]

    files = {BIN / executable.name: executable, LIBRARIES / objects.loader.name: objects.loader}
    files |= {LIBRARIES / name: path for name, path in objects.libraries.items()}
    stage = _stage(cache_dir, files, _BOOT_TEXT.format(path=import_path), [mount.target for mount in mounts])
    python = (
        str(LIBRARIES / objects.loader.name),
        "--library-path",
        ":".join((str(LIBRARIES), *_LIBRARIES_OF_THE_RUNTIME)),
        str(BIN / executable.name),
        # -S: no site module, whose .pth files name paths of this machine; -B: the mounts are read-only.
        *("-I", "-S", "-B", "-X", "utf8"),
        str(BOOT),
    )
    return PortableAgent(mounts=(Mount(stage, str(HOME)), *mounts), python=python, argv=(*python, "agent"))


def _sites() -> list[Path]:
    """The folders of installed packages on the import path."""
    entries = dict.fromkeys(Path(entry).resolve() for entry in sys.path if entry)
    return [path for path in entries if path.name in {"site-packages", "dist-packages"} and path.is_dir()]


def _packages() -> dict[str, Path]:
    """Where each of the agent's own packages lies."""
    folders = {}
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise PortableError(f"the package {name!r} cannot be found; install {DISTRIBUTION} again")
        folders[name] = Path(next(iter(spec.submodule_search_locations))).resolve()
    return folders


def _extensions_of_dependencies() -> list[Path]:
    """The extension modules of the agent's installed dependencies, optional ones included."""
    todo, seen = [DISTRIBUTION], {DISTRIBUTION}
    found: list[Path] = []
    while todo:
        name = todo.pop()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name != DISTRIBUTION:
                continue  # an extra that is not installed
            raise PortableError(
                f"{DISTRIBUTION} is not installed for {sys.executable}, so its dependencies are not known; "
                "install it there (in a checkout: pip install -e .)"
            ) from None
        files = (Path(str(distribution.locate_file(file))) for file in distribution.files or ())
        found += [file for file in files if ".so" in file.suffixes and file.is_file()]
        for requirement in distribution.requires or ():
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            if match and match[0] not in seen:
                seen.add(match[0])
                todo.append(match[0])
    return found


def _stage(
    cache_dir: Path, files: Mapping[PurePosixPath, Path], boot: str, mount_points: Sequence[str]
) -> Path:
    """The directory to mount as HOME: copies of ``files``, the boot script, and empty mount points.

    Copies, not links: only a file's owner may hard-link it, and a symbolic link would dangle inside.
    """
    try:
        _make_private(cache_dir)
        digest = hashlib.sha256(repr((boot, sorted(mount_points))).encode())
        for target, source in sorted(files.items()):
            with source.open("rb") as file:
                digest.update(repr((target, hashlib.file_digest(file, "sha256").digest())).encode())
        stage = cache_dir / f"portable-{digest.hexdigest()[:32]}"
        if not stage.is_dir():
            with tempfile.TemporaryDirectory(dir=cache_dir, prefix=".staging-") as private:
                made = Path(private) / "stage"
                _fill(made, files, boot, mount_points)
                _rename_unless_there(made, stage)
    except OSError as error:
        raise PortableError(
            f"cannot stage the agent for containers in {cache_dir} ({error.strerror or error}); "
            "name another directory"
        ) from None
    return stage


def _make_private(cache_dir: Path) -> None:
    """Make the directory, and refuse one in which somebody else could plant a library."""
    cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = cache_dir.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PortableError(
            f"{cache_dir} belongs to other users or is writable by them, who could plant code there that the "
            "agent would run; name a directory of your own, mode 0700"
        )


def _fill(made: Path, files: Mapping[PurePosixPath, Path], boot: str, mount_points: Sequence[str]) -> None:
    folders = {(made / PurePosixPath(point).relative_to(HOME)) for point in mount_points}
    copies = {made / target.relative_to(HOME): source for target, source in files.items()}
    for folder in folders | {copy.parent for copy in copies}:
        folder.mkdir(parents=True, exist_ok=True)
    for copy, source in copies.items():
        shutil.copyfile(source, copy)
    (made / BOOT.relative_to(HOME)).write_text(boot, encoding="utf-8")
    # Whatever the umask: the process in the container may be any user, and has to read and run these.
    for path in (made, *made.rglob("*")):
        path.chmod(0o755)


def _rename_unless_there(made: Path, stage: Path) -> None:
    try:
        made.rename(stage)
    except OSError:
        # Another agent of this user may have been quicker, with the same content under the same name.
        if not stage.is_dir():
            raise
