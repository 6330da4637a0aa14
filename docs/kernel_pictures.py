"""The picture in each kernel's README, drawn anew: `python docs/kernel_pictures.py [KERNEL …]`, from the repository."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from payloads.catalogue import Kernel, choose, kernels  # noqa: E402
from payloads.compiled import best_variant  # noqa: E402
from payloads.preparing import picture  # noqa: E402


def drawn(kernel: Kernel) -> str:
    """The first event of its benchmark and what it made of it, as SVG."""
    manifest = kernel.manifest
    events = {"section": manifest.section, **manifest.events.model_dump()}
    request = {
        "backend": "cpu",
        "variant": best_variant().name,
        "lanes": 0,
        "kernel": manifest.name,
        "folder": str(kernel.folder),
        "settings": manifest.settings,
        "events": events,
    }
    return str(picture(request)["svg"])


def main() -> None:
    """Draw those that are named, or all."""
    for kernel in choose(kernels(), sys.argv[1:]):
        (kernel.folder / "picture.svg").write_text(drawn(kernel))
        print(kernel.manifest.name)


if __name__ == "__main__":
    main()
