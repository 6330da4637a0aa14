"""The agent's image for other architectures: built on this machine without an emulator, started with one.

``SITECAP_IMAGE_WHOLE=1`` cross-compiles a kernel into them too and takes all libraries that there are, some minutes;
without it the kernels are left to their own tests (tests/integration/payloads), and the image holds what a probe needs.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import pytest

from tests.lab import LabUnavailableError, need_commands, skip_or_fail
from tests.lab.engine import Engine
from tests.lab.foreign import ARM64, PPC64EL, Architecture
from tests.lab.images import bases, build, foreign_base, own_tag

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.xdist_group("image")]

WHOLE = bool(os.environ.get("SITECAP_IMAGE_WHOLE"))
MODULES = [
    "pydantic_core",
    "cryptography.hazmat.bindings._rust",
    *(["payloads._cpu_scalar"] if WHOLE else []),
]


@dataclass(frozen=True)
class Foreign:
    engine: Engine
    image: str
    platform: str
    architecture: Architecture

    def python(self, *args: str) -> str:
        """What the image's Python prints, emulated: the kernel is told of no other binary format."""
        assert self.architecture.qemu_user
        emulator = f"--volume=/usr/bin/{self.architecture.qemu_user}:/emulator:ro"
        done = self.engine.run(
            self.image,
            ["/opt/sitecap/bin/python", "-I", *args],
            extra=["--read-only", "--cap-drop=ALL", emulator, "--entrypoint=/emulator"],
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(
    scope="module",
    params=[(ARM64, "arm64", "bench,daemon,gpu-nvidia,xrootd"), (PPC64EL, "ppc64le", "daemon,gpu-nvidia")],
    ids=["arm64", "ppc64le"],
)
def foreign(request: pytest.FixtureRequest, podman: Engine) -> Foreign:
    architecture, platform, extras = request.param
    try:
        need_commands(architecture.qemu_user)
        base = foreign_base(podman, architecture, platform)
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    bases(podman)
    tag = own_tag(f"agent-{platform}")
    options = [
        f"--platform=linux/{platform}",
        f"--build-arg=PYTHON={base}",
        f"--build-arg=AGENT_EXTRAS={extras if WHOLE else 'daemon'}",
    ]
    build(podman, "agent", *options, f"--build-arg=SITECAP_NO_KERNELS={'' if WHOLE else 1}", f"--tag={tag}")
    return Foreign(podman, tag, platform, architecture)


def test_the_image_is_of_the_other_architecture(foreign: Foreign) -> None:
    (answer,) = json.loads(foreign.engine.cli("image", "inspect", foreign.image).stdout)
    assert (answer["Os"], answer["Architecture"]) == ("linux", foreign.platform)


def test_the_agent_and_all_that_is_compiled_start_there(foreign: Foreign) -> None:
    assert foreign.python("-m", "agent", "--version").startswith("agent, version ")

    code = f"import importlib, platform; [importlib.import_module(n) for n in {MODULES!r}]; print(platform.machine())"
    assert foreign.python("-c", code).strip() == foreign.architecture.machine


def test_no_file_of_the_building_machine_is_left(foreign: Foreign) -> None:
    """Bytes 18-19 of an ELF file tell the machine: 183 = AArch64, 21 = 64-bit PowerPC (elf.h)."""
    code = (
        "import json, pathlib;"
        "heads = [open(p, 'rb').read(20) for p in pathlib.Path('/opt/sitecap').rglob('*.so*') if p.is_file()];"
        "print(json.dumps([int.from_bytes(h[18:20], 'little') for h in heads if h[:4] == b'\\x7fELF']))"
    )
    machines: Any = json.loads(foreign.python("-c", code))
    assert set(machines) == {{"arm64": 183, "ppc64le": 21}[foreign.platform]}
