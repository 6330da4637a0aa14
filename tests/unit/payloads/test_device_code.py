"""Every kernel compiles for NVIDIA and AMD, with no GPU: what a GPU then computes is issue of the device backends."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from payloads import _device, compiled
from payloads.backends import cubin, hiprtc, nvrtc
from payloads.backends.device_code import DeviceCompilerError, device_kernels
from tests.unit.payloads.device.cases import CASES, Case

pytestmark = pytest.mark.slow

# NVRTC 12.9 says this of sm_70 whatever the source is.
DEPRECATED = re.compile(r"nvrtc: warning: Architectures prior to .* are deprecated.*\n?")


def test_every_kernel_has_device_code() -> None:
    assert device_kernels() == (
        "catracks",
        "clue",
        "eseeding",
        "hgcalml",
        "mkfit",
        "pflow",
        "pixeltrack",
        "vertexing",
    )


@pytest.mark.parametrize("architecture", ["sm_70", "sm_90"])
@pytest.mark.parametrize("kernel", device_kernels())
def test_nvrtc_makes_a_cubin(kernel: str, architecture: str) -> None:
    code = nvrtc.compile_kernel(kernel, architecture)
    assert not DEPRECATED.sub("", code.log)
    assert cubin.entries(code.code)


@pytest.mark.parametrize(
    "architecture", ["sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"]
)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kernel)
def test_what_is_launched_fits_every_architecture_without_spills(case: Case, architecture: str) -> None:
    """64 registers allow half of a multiprocessor's threads at least: 65,536 of them for 1,024 of 2,048 (or 1,536)."""
    entries = cubin.entries(nvrtc.compile_kernel(case.kernel, architecture).code)
    assert {name for name, entry in entries.items() if entry.local_bytes > 0} == set(case.local)
    assert max(entry.registers for entry in entries.values()) <= case.registers
    assert min(entry.registers for entry in entries.values()) > 0


@pytest.mark.parametrize("architecture", ["sm_60", "sm_90", "sm_120"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kernel)
def test_a_device_takes_the_very_parameters_that_the_host_gives(case: Case, architecture: str) -> None:
    """Every entry that is launched is in the cubin, and its parameters have the sizes that the host's compiler gives."""
    events = compiled.simulate(case.events[0], 0, 1, 0, 1)
    device = _device.Emulated()
    for settings in ({}, *case.settings):
        device.open(case.kernel, events, settings).process(0)
    entries = cubin.entries(nvrtc.compile_kernel(case.kernel, architecture).code)
    on_device = {name: [size for _, size in entry.parameters] for name, entry in entries.items()}
    launched = device.launched()
    assert launched.items() <= on_device.items()
    assert on_device.keys() == launched.keys()  # no entry is left that nobody launches


@pytest.mark.parametrize("kernel", device_kernels())
def test_nvrtc_makes_ptx_for_gpus_that_the_build_does_not_know(kernel: str) -> None:
    text = nvrtc.compile_kernel(kernel, "compute_60").code.decode()
    assert ".visible .entry" in text
    # never contracted: the operations are those of the CPU
    assert not re.search(r"\bfma\.rn\.f32", text)


@pytest.mark.parametrize("kernel", device_kernels())
def test_hiprtc_makes_a_code_object(kernel: str) -> None:
    try:
        code = hiprtc.compile_kernel(kernel, "gfx90a")
    except DeviceCompilerError as error:
        if "is not there" in str(error):
            pytest.skip(str(error))
        raise
    assert b"\x7fELF" in code.code
    assert not code.log


@pytest.mark.parametrize("architecture", ["gfx906", "gfx908", "gfx1030", "gfx942"])
def test_clue_compiles_for_other_gpus_of_amd(architecture: str) -> None:
    """In a child: ROCm 5.2 does not refuse an architecture that it does not know, it crashes."""
    code = (
        "from payloads.backends.hiprtc import compile_kernel\n"
        f"made = compile_kernel('clue', {architecture!r})\n"
        "assert b'\\x7fELF' in made.code and not made.log, made.log"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    if "HIPRTC is not there" in done.stderr:
        pytest.skip("HIPRTC is not there")
    if done.returncode < 0 and architecture == "gfx942":
        pytest.skip("this release of ROCm does not know gfx942, and crashes")
    assert done.returncode == 0, done.stderr


def test_a_source_that_is_refused_names_kernel_and_architecture() -> None:
    with pytest.raises(DeviceCompilerError, match=r"does not compile absent for sm_90: .*gpu\.cu"):
        nvrtc.compile_kernel("absent", "sm_90")


@pytest.mark.parametrize("cut", [0, 3, 64, 1000, 20_000])
def test_a_cubin_that_is_cut_short_is_none(cut: int) -> None:
    code = nvrtc.compile_kernel("vertexing", "sm_90").code
    assert cut < len(code)
    with pytest.raises(cubin.CubinError, match=f"these {cut} bytes are no cubin"):
        cubin.entries(code[:cut])
