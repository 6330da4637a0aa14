"""Open a GPU in a process of its own, as the children of the benchmark do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def opened(ordinal: int = 0, embedded: Path | None = None) -> list[str]:
    """Name of a GPU that was opened for clue, its code, and what was said of that; or the error."""
    code = (
        "from pathlib import Path\n"
        "from payloads.backends import cuda, embedded\n"
        "from payloads.errors import PayloadError\n"
        f"embedded.FOLDER = Path({str(embedded)!r})\n"
        f"try: gpu = cuda.open_gpu('clue', {ordinal}, ())\n"
        "except PayloadError as error: print(error)\n"
        "else: print(gpu.device.name, f'{gpu.code.architecture} {gpu.code.origin}', *gpu.said, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parents[4],
    )  # fmt: skip
    return done.stdout.splitlines()
