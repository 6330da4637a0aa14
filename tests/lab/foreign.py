"""Debian trees with Python and the agent's runtime libraries, for this and for other architectures.

Packages of another architecture come through apt with directories of its own, so that this machine's dpkg
never hears of a second architecture; they are unpacked, not installed: no maintainer script runs.
"""

from __future__ import annotations

import compileall
import importlib.metadata
import py_compile
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.lab import LabUnavailableError, need_commands
from tests.lab.cache import artefact, debian_mirror

REPOSITORY = Path(__file__).parents[2]

SUITE = "bookworm"
"""Debian 12: Python 3.11, the oldest that sitecap supports, and Linux 6.1."""
GUEST_PYTHON = (3, 11)
SITE_PACKAGES = "usr/local/lib/python3.11/dist-packages"

# Raise when python_tree() below makes a different tree from the same packages and libraries.
TREE_RECIPE = "1"
APT_TIMEOUT_S = 300
# glibc 2.36 of Debian 12 runs wheels of all of these.
MANYLINUX = ("manylinux_2_17", "manylinux2014", "manylinux_2_28", "manylinux_2_34")

# Unpacked, not installed: dependencies are spelt out, without the documentation and terminal chains of apt.
TREE_PACKAGES = (
    "base-files",
    "busybox-static",
    "libbz2-1.0",
    "libc6",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libssl3",
    "libtinfo6",
    "libuuid1",
    "python3.11-minimal",
    "zlib1g",
)
# Most of a tree's size, read by nothing here; a smaller tree boots faster.
UNREAD = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/lib/*/gconv",
    "lib/*/gconv",
    "usr/lib/python3.11/lib2to3",
    "usr/lib/python3.11/pydoc_data",
)


@dataclass(frozen=True)
class Architecture:
    """One processor architecture by the names that Debian, the kernel, GNU and QEMU give it."""

    debian: str
    machine: str
    """What uname(2) and wheels call it."""
    qemu_user: str | None = None
    compiler: str | None = None


AMD64 = Architecture("amd64", "x86_64")
ARM64 = Architecture("arm64", "aarch64", "qemu-aarch64-static", "aarch64-linux-gnu-gcc")
PPC64EL = Architecture("ppc64el", "ppc64le", "qemu-ppc64le-static", "powerpc64le-linux-gnu-gcc")


class Apt:
    """apt for one architecture with state, lists and cache in a private directory."""

    def __init__(self, architecture: Architecture, private: Path) -> None:
        """Fetch the package lists into ``private``.

        Raises:
            LabUnavailableError: no apt or dpkg-deb here, no Debian mirror known, or it does not answer.
        """
        need_commands("apt-get", "apt-cache", "dpkg-deb")
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (private / folder).mkdir(parents=True)
        (private / "status").touch()
        keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
        signed = f"[signed-by={keyring}] " if keyring.exists() else ""
        sources = private / "sources.list"
        # The main suite alone: security archives drop architectures long before the main one does.
        sources.write_text(f"deb {signed}{debian_mirror()} {SUITE} main\n")
        options = {
            "APT::Architecture": architecture.debian,
            "APT::Architectures": architecture.debian,
            "APT::Sandbox::User": "root",
            # Else lists that did not come are only a warning, and every package would seem not to exist.
            "APT::Update::Error-Mode": "any",
            "Acquire::Retries": 3,
            "Acquire::Languages": "none",
            "Dir::Cache": private / "cache",
            "Dir::Etc::SourceList": sources,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State": private / "state",
            "Dir::State::Status": private / "status",
        }
        self._options = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        self._private = private
        self._run(["apt-get", "update", "-q"])

    def first_dependency(self, package: str) -> str:
        """What a metapackage stands for, e.g. linux-image-arm64 → linux-image-6.1.0-50-arm64."""
        for line in self._run(["apt-cache", "depends", package]).splitlines():
            relation, _, name = line.strip().partition(": ")
            if relation == "Depends":
                return name
        raise LabUnavailableError(f"{package} of {SUITE} depends on nothing: not the metapackage it was")

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Files of the packages, without their dependencies."""
        folder = Path(tempfile.mkdtemp(dir=self._private))
        self._run(["apt-get", "download", "-q", *packages], cwd=folder)
        return sorted(folder.glob("*.deb"))

    def _run(self, argv: Sequence[str], cwd: Path | None = None) -> str:
        return run_or_unavailable([argv[0], *self._options, *argv[1:]], f"{argv[0]} {argv[1]} failed", cwd)


def run_or_unavailable(
    argv: Sequence[str],
    what: str,
    cwd: Path | None = None,
    *,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
    limit_s: float = APT_TIMEOUT_S,
) -> str:
    """Run a command that needs a registry or a tool that may be absent; give its standard output.

    Args:
        argv: the command.
        what: did not work if it fails, for the sentence.
        cwd: where it runs; None = here.
        env: its whole environment; None = ours.
        text: on its standard input; None = ours.
        limit_s: it is killed after this.

    Raises:
        LabUnavailableError: it failed or did not end; with its last words.
    """
    try:
        done = subprocess.run(
            argv,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env=env,
            input=text,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired:
        raise LabUnavailableError(f"{what}: no end after {limit_s:g} s") from None
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise LabUnavailableError(f"{what} (exit {done.returncode}): {' | '.join(lines[-3:])}")
    return done.stdout


def python_tree(architecture: Architecture) -> Path:
    """A Debian tree with Python, busybox and the agent's runtime libraries; treat it as read-only.

    The libraries are those that are installed here, in the same versions, as wheels of that architecture.

    Raises:
        LabUnavailableError: a registry does not answer or has no such package.
    """
    pins = runtime_pins()

    def make(root: Path) -> None:
        root.mkdir()
        with tempfile.TemporaryDirectory(dir=root.parent) as private:
            for deb in Apt(architecture, Path(private)).download(TREE_PACKAGES):
                run_or_unavailable(["dpkg-deb", "-x", str(deb), str(root)], f"unpacking {deb.name} failed")
        for pattern in UNREAD:
            for path in root.glob(pattern):
                shutil.rmtree(path)
        _make_links_relative(root)
        _unpack_wheels(architecture, pins, root / SITE_PACKAGES)
        compile_tree(root / "usr/lib/python3.11", root)
        compile_tree(root / SITE_PACKAGES, root)

    digest = sha256("\n".join([*TREE_PACKAGES, *UNREAD, *pins]).encode()).hexdigest()[:12]
    return artefact(f"python-{architecture.debian}-{digest}", TREE_RECIPE, make)


def runtime_pins() -> list[str]:
    """The agent's runtime libraries and all that they need, as installed here: ["click==8.2.0", …]."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    todo = [Requirement(text) for text in _wanted(project)]
    pins: dict[str, str] = {}
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if name in pins or not applies:
            continue
        try:
            installed = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            raise LabUnavailableError(f"{name} is not installed here, so its version is not known") from None
        pins[name] = f"{name}=={installed.version}"
        todo += [Requirement(text) for text in installed.requires or []]
    return sorted(pins.values())


def _wanted(project: dict[str, dict[str, list[str]]]) -> Iterator[str]:
    yield from project["dependencies"]
    yield from project["optional-dependencies"]["gpu-nvidia"]


def put_project(site: Path, root: Path) -> None:
    """Put sitecap's own packages, as they are in the working tree, into a ``site`` directory below ``root``.

    Raises:
        LabUnavailableError: sitecap is not installed here, so that its metadata is not at hand.
    """
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    for package in settings["tool"]["scikit-build"]["wheel"]["packages"]:
        shutil.copytree(REPOSITORY / package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        installed = importlib.metadata.distribution("sitecap")
    except importlib.metadata.PackageNotFoundError:
        raise LabUnavailableError("sitecap is not installed here; run the set-up of the Makefile") from None
    metadata = site / f"sitecap-{installed.version}.dist-info"
    metadata.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        if text := installed.read_text(name):
            (metadata / name).write_text(text)
    compile_tree(site, root)


def compile_tree(folder: Path, root: Path) -> None:
    """Compile to bytecode what would else be compiled at each start, slowly, by an emulated processor."""
    # Another Python's bytecode would be ignored: correct, only slower.
    if sys.version_info[:2] == GUEST_PYTHON:
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        compileall.compile_dir(
            str(folder), stripdir=str(root), prependdir="/", quiet=2, invalidation_mode=mode
        )


def _make_links_relative(root: Path) -> None:
    """Absolute links of a tree that is not "/" lead out of it (the ELF loader of ppc64el is one)."""
    for path in root.rglob("*"):
        if path.is_symlink() and (target := path.readlink()).is_absolute():
            depth = len(path.relative_to(root).parts) - 1
            path.unlink()
            path.symlink_to(Path(*[".."] * depth, *target.parts[1:]))


def _unpack_wheels(architecture: Architecture, pins: Sequence[str], site: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        platforms = [f"--platform={tag}_{architecture.machine}" for tag in MANYLINUX]
        version = "--python-version=" + ".".join(map(str, GUEST_PYTHON))
        options = ["--no-deps", "--only-binary=:all:", "--quiet", f"--dest={folder}", version, *platforms]
        run_or_unavailable(
            [sys.executable, "-m", "pip", "download", *options, *pins],
            f"downloading the {architecture.machine} wheels of {', '.join(pins)} failed",
        )
        for wheel in sorted(Path(folder).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
