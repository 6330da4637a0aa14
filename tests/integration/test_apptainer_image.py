"""The agent's own SIF: built from deploy/apptainer.def and run by real Apptainer, all as an ordinary user."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from profiles.facts.gpu import NvmlStatus
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.gpu_fake.build import LIBRARY, native_library
from tests.lab.apptainer import BUILD_TIMEOUT_S, Apptainer
from tests.lab.cache import cache_dir
from tests.lab.foreign import REPOSITORY

# With the images: the SIF is made from one, and the lab of Apptainer starts in a second.
pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.xdist_group("image")]

HOME = "/home/pilot"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
SITE = {"GLIDEIN_CMSSite": "T2_XX_Lab"}


@pytest.fixture(scope="module")
def sif(apptainer: Apptainer, agent_archive: Path) -> Iterator[Apptainer]:
    """Apptainer with the agent's image."""
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix=".apptainer-") as private:
        folder = Path(private)
        folder.chmod(0o755)
        shutil.copy(REPOSITORY / "deploy/apptainer.def", folder)
        shutil.copy(agent_archive, folder / "sitecap-agent.tar")
        here = f"/cache/{folder.name}"
        done = apptainer.cli(
            "build",
            "--mksquashfs-args=-comp zstd -Xcompression-level 1",
            f"--build-arg=image={here}/sitecap-agent.tar",
            f"{HOME}/sitecap-agent.sif",
            f"{here}/apptainer.def",
            timeout_s=BUILD_TIMEOUT_S,
        )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    yield replace(apptainer, image=f"{HOME}/sitecap-agent.sif")
    (outside(apptainer, HOME) / "sitecap-agent.sif").unlink()


def outside(apptainer: Apptainer, path: str) -> Path:
    """A path of the root that Apptainer lives in, as this process sees it."""
    return Path(f"/proc/{apptainer.holder_pid}/root{path}")


def profile(
    sif: Apptainer, *words: str, options: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> CapabilityProfile:
    done = sif.cli("run", *options, sif.image, "probe", "--json", *words, env=env)
    assert done.returncode in (0, 1), done.stderr + done.stdout
    return read_profile(done.stdout.encode())


def sites(found: CapabilityProfile) -> list[str]:
    assert found.facts.context is not None
    return [one.name for one in found.facts.context.site_names]


def test_an_ordinary_user_probes_what_the_pilot_was_given(sif: Apptainer) -> None:
    found = profile(sif, "context", "container", env=SITE)

    assert found.facts.context is not None
    assert found.facts.context.runtime == "apptainer"
    assert sites(found) == ["T2_XX_Lab"]
    assert found.facts.container is not None
    assert found.facts.container.no_new_privs is True
    assert found.facts.container.effective_capabilities == ()


def test_a_clean_environment_says_nothing_of_the_site(sif: Apptainer) -> None:
    assert sites(profile(sif, "context", options=["--cleanenv"], env=SITE)) == []


def test_the_home_is_bound_unless_contained(sif: Apptainer) -> None:
    for options, kept in (((), True), (("--contain",), False)):
        name = f"{HOME}/profile-{kept}.json"
        done = sif.cli(
            "run", *options, sif.image, "probe", "context", "-q", "--format=json", f"--output={name}"
        )
        assert done.returncode in (0, 1), done.stderr
        assert outside(sif, name).exists() is kept


def test_the_image_is_read_only_and_needs_nothing_else(sif: Apptainer) -> None:
    done = sif.cli("exec", sif.image, "/bin/sh", "-c", "echo x >/opt/sitecap/x")
    assert "Read-only file system" in done.stderr

    nothing = ["--containall", "--cleanenv", "--net", "--network=none", "--no-mount=tmp,home"]
    found = profile(sif, options=nothing)
    assert found.facts.cores is not None
    assert found.facts.cores.effective_cores is not None


def test_its_commands_and_its_kernels_are_there(sif: Apptainer) -> None:
    version = sif.cli(
        "exec", sif.image, "agent", "--version", env={"PYTHONPATH": "/nowhere", "PYTHONHOME": "/no"}
    )
    assert re.fullmatch(r"agent, version \S+\n", version.stdout), version.stderr
    listed = sif.cli("run", sif.image, "bench", "--list-backends")
    assert "scalar" in listed.stdout, listed.stderr


# -- accelerators: Apptainer puts the host's libraries into /.singularity.d/libs -----------------------------


@pytest.fixture(scope="module")
def with_drivers(sif: Apptainer, tmp_path_factory: pytest.TempPathFactory) -> Apptainer:
    """A host with NVIDIA's and AMD's libraries in the loader's cache, where --nv and --rocm look for them."""
    made = native_library(tmp_path_factory.mktemp("nvml"))
    shutil.copy(made / LIBRARY, outside(sif, LIBRARIES))
    # AMD's hold nothing: the question is whether the agent's loader finds them.
    rocm = outside(sif, "/opt/rocm/lib")
    rocm.mkdir(parents=True)
    for folder, name in ((rocm, "libamdhip64.so.6"), (outside(sif, LIBRARIES), "libamdcomgr64.so.2")):
        # The loader's cache knows a library by the name inside it.
        empty = ["gcc", "-shared", f"-Wl,-soname,{name}", "-o", str(folder / name), "-x", "c", "/dev/null"]
        subprocess.run(empty, check=True, capture_output=True)
    subprocess.run(
        ["nsenter", f"--target={sif.holder_pid}", "--mount", "ldconfig"], check=True, capture_output=True
    )
    return sif


def nvml(found: CapabilityProfile) -> Any:
    assert found.facts.gpu is not None
    assert found.facts.gpu.nvml is not None
    return found.facts.gpu.nvml


@pytest.mark.parametrize(
    "foreign", [{}, {"LD_LIBRARY_PATH": "/opt/pilot/lib"}], ids=["plain", "pilot's path"]
)
def test_nvml_of_the_host_answers_with_nv_and_only_then(
    with_drivers: Apptainer, foreign: dict[str, str]
) -> None:
    env = {"FAKE_NVML": "h100", **foreign}

    without = nvml(profile(with_drivers, "gpu", env=env))
    found = nvml(profile(with_drivers, "gpu", options=["--nv"], env=env))

    assert without.status is NvmlStatus.LIBRARY_MISSING
    assert found.status is NvmlStatus.OK
    assert [device.name for device in found.devices] == ["NVIDIA H100 80GB HBM3"] * 2


@pytest.mark.parametrize(
    ("library", "where"),
    [("libamdcomgr64.so.2", "/.singularity.d/libs"), ("libamdhip64.so.6", "/opt/rocm/lib")],
)
def test_the_hosts_rocm_is_found(with_drivers: Apptainer, library: str, where: str) -> None:
    """Apptainer binds AMD's compiler and drivers; HIP it leaves to the image, or to a bind of /opt/rocm."""
    code = f"import ctypes; ctypes.CDLL('{library}'); print(open('/proc/self/maps').read())"
    python = [with_drivers.image, "/opt/sitecap/bin/python", "-I", "-c", code]

    found = with_drivers.cli("exec", "--rocm", "--bind=/opt/rocm", *python)
    without = with_drivers.cli("exec", *python)

    assert f"{where}/{library}" in found.stdout, found.stderr
    assert "OSError" in without.stderr
