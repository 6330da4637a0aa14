"""The agent's own Python runs in real containers whatever their image holds."""

from __future__ import annotations

import pytest

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.apptainer import PACKAGES, SUITE, Apptainer
from tests.lab.cache import debootstrap_root
from tests.lab.engine import Engine

pytestmark = pytest.mark.lab

# One worker for each engine: dockerd and the mount namespace of Apptainer are made once a worker.
containers = pytest.mark.xdist_group("containers")

# `python -m platform` needs no agent; it names the libc that runs it by reading its own executable.
QUESTION = ("platform", "--terse")


@containers
@pytest.mark.parametrize("image", ["busybox", "debian"])
def test_in_podman(podman: Engine, image: str) -> None:
    done = podman.run(
        getattr(podman.images, image), [*podman.agent.python, *QUESTION], extra=podman.agent_options()
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Linux-")


@containers
def test_in_podman_with_a_newer_glibc_than_ours(podman: Engine) -> None:
    try:
        tree = debootstrap_root(SUITE, PACKAGES)
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    options = ["--rootfs", f"{tree}:O"]
    done = podman.run("", [*options, *podman.agent.python, *QUESTION], extra=podman.agent_options())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Linux-")


@containers
@pytest.mark.parametrize("image", ["busybox", "debian"])
def test_in_docker(dockerd: Engine, image: str) -> None:
    done = dockerd.run(
        getattr(dockerd.images, image), [*dockerd.agent.python, *QUESTION], extra=dockerd.agent_options()
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Linux-")


@pytest.mark.xdist_group("apptainer")
def test_in_apptainer_as_an_ordinary_user(apptainer: Apptainer) -> None:
    done = apptainer.run(
        [*apptainer.agent.python, *QUESTION], extra=["--containall", *apptainer.agent_options()]
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Linux-")
