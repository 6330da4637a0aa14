"""The programs of Kubernetes, built once from Debian's source package and kept in the cache."""

from __future__ import annotations

from pathlib import Path

from tests.lab import LabUnavailableError, need_commands
from tests.lab.cache import artefact, debian_mirror
from tests.lab.foreign import run_or_unavailable

SCRIPT = Path(__file__).with_name("build.sh")
# Raise when build.sh makes something else.
RECIPE = "2"
REFLECT2 = Path("/usr/share/gocode/src/github.com/modern-go/reflect2")
# Five minutes of both cores of the development machine; this is for one that is busy.
BUILD_TIMEOUT_S = 3600


def binaries() -> Path:
    """A directory with kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kubectl and pause.

    Raises:
        LabUnavailableError: no Go compiler, no mirror, or the build failed.
    """
    mirror = debian_mirror()

    def make(path: Path) -> None:
        need_commands("go", "cc", "apt-get")
        if not REFLECT2.is_dir():
            raise LabUnavailableError(f"no {REFLECT2}: install golang-github-modern-go-reflect2-dev")
        run_or_unavailable(
            ["sh", str(SCRIPT), str(path), mirror], "Kubernetes cannot be built", limit_s=BUILD_TIMEOUT_S
        )

    return artefact("kubernetes", RECIPE, make)
