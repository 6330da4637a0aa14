"""Device code that came with the wheel: cubins of the architectures that NVRTC 12 knows, and PTX for those to come.

`python -m payloads.backends.embedded DIRECTORY [PATTERN]` makes it, of kernels whose name matches; CMake calls that for a
wheel where NVRTC is installed.
"""

from __future__ import annotations

import fnmatch
import json
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from payloads.backends import nvrtc
from payloads.backends.device_code import (
    PAYLOADS,
    DeviceCode,
    DeviceCompilerError,
    device_kernels,
    sources_digest,
)

FOLDER = PAYLOADS / "embedded"

ARCHITECTURES = ("sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")
"""From P100 to Blackwell. A cubin also runs on later GPUs of its major version (NVIDIA, "CUDA C++ Programming Guide")."""

PTX = "compute_60"
"""What every GPU since P100 can be given."""

_ABOUT = "about.json"
_OURS = re.compile(r"[a-z0-9_]+-(sm|compute)_[0-9]+-[0-9a-f]{16}")


def embedded(kernel: str, architecture: str) -> DeviceCode | None:
    """Code of a kernel for a GPU of this architecture, made of the very sources that are here; None where there is none.

    Args:
        kernel: name of its folder.
        architecture: ``sm_86`` also takes what was made for ``sm_80``; ``compute_60`` asks for PTX.
    """
    try:
        compiler = str(json.loads((FOLDER / _ABOUT).read_bytes())["compiler"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    for candidate in _taken_by(architecture):
        try:
            code = (FOLDER / _name(kernel, candidate)).read_bytes()
        except OSError:
            continue
        return DeviceCode(kernel, candidate, code, "", compiler, origin="wheel")
    return None


def _taken_by(architecture: str) -> list[str]:
    """Architectures whose code a GPU takes, its own first."""
    if architecture == PTX:
        return [PTX]
    major, minor = architecture[:-1], architecture[-1]
    own = [one for one in ARCHITECTURES if one[:-1] == major and one[-1] <= minor]
    return sorted(own, reverse=True)


def _name(kernel: str, architecture: str) -> str:
    return f"{kernel}-{architecture}-{sources_digest(kernel, nvrtc.OPTIONS)}"


def make(folder: Path, kernels: Sequence[str]) -> int:
    """Fill a folder with the code of these kernels; how many files there are then.

    Raises:
        DeviceCompilerError: NVRTC is absent or refuses a source.
    """
    about = json.dumps({"compiler": nvrtc.version()}) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(kernel, architecture) for kernel in kernels for architecture in (*ARCHITECTURES, PTX)]
    missing = [pair for pair in wanted if not (folder / _name(*pair)).is_file()]
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name not in {_name(*pair) for pair in wanted}:
            path.unlink()  # of earlier sources

    def one(pair: tuple[str, str]) -> None:
        (folder / _name(*pair)).write_bytes(nvrtc.compile_kernel(*pair).code)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, missing))
    (folder / _ABOUT).write_text(about, "utf-8")
    return len(wanted)


def main() -> int:
    """Make the code, or say why the wheel has none: that is no failure."""
    directory, pattern = (*sys.argv[1:], "*")[:2]
    try:
        number = make(Path(directory), fnmatch.filter(device_kernels(), pattern))
    except DeviceCompilerError as error:
        sys.stdout.write(f"sitecap: no device code in the wheel: {error}\n")
        return 0
    sys.stdout.write(f"sitecap: {number} pieces of device code\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
