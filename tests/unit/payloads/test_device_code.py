"""Every kernel compiles for NVIDIA and AMD, with no GPU: what a GPU then computes is issue of the device backends."""

from __future__ import annotations

import re

import pytest

from payloads.backends import hiprtc, nvrtc
from payloads.backends.device_code import DeviceCode, DeviceCompilerError, device_kernels

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
    assert code.code.startswith(b"\x7fELF")
    assert not DEPRECATED.sub("", code.log)
    assert entry_points(code)


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


def test_a_source_that_is_refused_names_kernel_and_architecture() -> None:
    with pytest.raises(DeviceCompilerError, match=r"does not compile absent for sm_90: .*gpu\.cu"):
        nvrtc.compile_kernel("absent", "sm_90")


def entry_points(code: DeviceCode) -> set[bytes]:
    return set(re.findall(rb"\.text\.(\w+)", code.code))
