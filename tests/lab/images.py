"""The product's images, built from the Dockerfile by real Podman on bases that are made here: no registry is asked.

The bases have the layout of the official Python images that the Dockerfile names: the interpreter in
/usr/local/bin; the second has compilers beside it. One kernel is compiled, for the portable baseline, since
compiling all of them for all instruction sets takes most of a build; ``make image`` does that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.cache import artefact, locked
from tests.lab.engine import Engine
from tests.lab.foreign import REPOSITORY, Apt, Architecture, python_tree, run_or_unavailable

BUILD = REPOSITORY / "deploy/image/build.sh"
BASE_RECIPE = "1"
FOREIGN_BASE_RECIPE = "2"
SLIM = f"localhost/sitecap-lab/python-slim:{BASE_RECIPE}"
FULL = f"localhost/sitecap-lab/python-full:{BASE_RECIPE}"
BUILD_TIMEOUT_S = 1500

# A mirror may serve a frozen snapshot, whose (still signed) index is past its validity date.
_INSTALL = (
    "RUN apt-get -o Acquire::Check-Valid-Until=false update -q"
    " && apt-get install -y -q --no-install-recommends {packages} && rm -rf /var/lib/apt/lists/* /var/cache/apt"
)
_SLIM = f"""\
FROM {{debian}}
{_INSTALL.format(packages="python3 ca-certificates")}
RUN ln -s /usr/bin/python3.11 /usr/local/bin/python3.11 && ln -s python3.11 /usr/local/bin/python3
"""
_FULL = f"""\
FROM {SLIM}
{_INSTALL.format(packages="python3-dev python3-venv g++")}
"""


@pytest.fixture(scope="session")
def agent_image(podman: Engine) -> str:
    """The agent's image, by its name."""
    return _built(podman, "agent")


@pytest.fixture(scope="session")
def service_image(podman: Engine) -> str:
    """The service's image, by its name; without what draws plots."""
    return _built(podman, "service", "--build-arg=SERVICE_EXTRAS=postgres,service")


@pytest.fixture(scope="session")
def agent_archive(
    podman: Engine, agent_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The agent's image as an OCI archive, as one carries it to a machine without a registry."""
    path = tmp_path_factory.mktemp("oci") / "sitecap-agent.tar"
    done = podman.cli("save", "--format=oci-archive", f"--output={path}", agent_image)
    assert done.returncode == 0, done.stderr
    yield path
    path.unlink()


def _built(engine: Engine, target: str, *options: str) -> str:
    tag = own_tag(target)
    bases(engine)
    build(engine, target, f"--build-arg=PYTHON={SLIM}", f"--tag={tag}", *options)
    return tag


def own_tag(name: str) -> str:
    """A tag of this checkout: another one on this machine has the same storage, and its agent may be older."""
    return f"localhost/sitecap-lab/{name}:{sha256(str(REPOSITORY).encode()).hexdigest()[:8]}"


def bases(engine: Engine) -> None:
    """Have both bases in the engine's storage, or skip the test."""
    try:
        with locked("podman-bases"):
            for name, text in ((SLIM, _SLIM.format(debian=engine.images.debian)), (FULL, _FULL)):
                if engine.cli("image", "exists", name).returncode != 0:
                    _make_base(engine, name, text)
    except LabUnavailableError as reason:
        skip_or_fail(reason)


def foreign_base(engine: Engine, architecture: Architecture, platform: str) -> str:
    """The base to run on for another architecture: Python in /usr/local with its headers, as the official images have it.

    Raises:
        LabUnavailableError: the packages of that architecture cannot be had.
    """
    tree = python_tree(architecture)

    def make(path: Path) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent) as private:
            unpacked, more = Path(private) / "unpacked", Path(private) / "more"
            for deb in Apt(architecture, Path(private)).download(["libpython3.11-dev", "libstdc++6"]):
                run_or_unavailable(
                    ["dpkg-deb", "-x", str(deb), str(unpacked)], f"unpacking {deb.name} failed"
                )
            headers = more / "usr/local/include/python3.11"
            shutil.copytree(unpacked / "usr/include/python3.11", headers)
            (own,) = unpacked.glob("usr/include/*/python3.11/pyconfig.h")
            shutil.copy(own, headers)
            (more / "usr/local/bin").mkdir()
            (more / "usr/local/bin/python3.11").symlink_to("/usr/bin/python3.11")
            (more / "usr/local/bin/python3").symlink_to("python3.11")
            # Each path once, or Podman refuses the archive: of the tree's own directories only what they lack.
            libraries = [
                f"./{path.relative_to(unpacked)}" for path in unpacked.glob("usr/lib/*/libstdc++.so.6*")
            ]
            without = ["-C", str(tree), "--exclude=./usr/local", "."]
            run_or_unavailable(
                ["tar", "-cf", str(path), *without, "-C", str(unpacked), *libraries], "tar failed"
            )
            # By itself: an exclusion holds for the whole command.
            run_or_unavailable(["tar", "-rf", str(path), "-C", str(more), "./usr/local"], "tar failed")

    archive = artefact(f"{tree.name}-base-tar", FOREIGN_BASE_RECIPE, make)
    name = f"localhost/sitecap-lab/{tree.name}-base:{FOREIGN_BASE_RECIPE}"
    with locked("podman-bases"):
        if engine.cli("image", "exists", name).returncode != 0:
            done = engine.cli("import", "--os=linux", f"--arch={platform}", str(archive), name)
            if done.returncode != 0:
                raise LabUnavailableError(f"podman import failed: {done.stderr.strip()[-300:]}")
    return name


def build(engine: Engine, target: str, *options: str) -> None:
    """Build a target of the Dockerfile as ``make image`` does; what fails here fails the test, with the end of its log."""
    few = ("--build-arg=SITECAP_ONLY_VARIANTS=scalar", "--build-arg=SITECAP_ONLY_KERNELS=pixeltrack")
    options = (f"--build-arg=BUILDER={FULL}", *few, *options)
    done = subprocess.run(
        [BUILD, target, "--network=host", "--layers", *options],
        env={**os.environ, **engine.env, "ENGINE": engine.command[0]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def _make_base(engine: Engine, name: str, text: str) -> None:
    run_or_unavailable(
        [*engine.command, "build", "--network=host", f"--tag={name}", "-"],
        f"the base image {name} cannot be made",
        env={**os.environ, **engine.env},
        text=text,
        limit_s=BUILD_TIMEOUT_S,
    )
