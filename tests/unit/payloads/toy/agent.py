"""The whole command line with the toy kernel in place of the compiled ones."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[3]))


def install() -> None:
    """Replace kernels, variants and worker."""
    import agent.bench
    from payloads import catalogue, compiled
    from payloads.runner import Seams

    variants = () if os.environ.get("TOY_NOT_BUILT") else (
        compiled.Variant("x86_64_v4", usable=False, reason="this processor lacks avx512f"),
        compiled.Variant("x86_64_v3", usable=True),
    )  # fmt: skip
    folder = Path(os.environ.get("TOY_KERNELS", str(HERE)))
    command = (sys.executable, "-I", str(HERE / "worker.py"))
    found, benchmark = catalogue.kernels, agent.bench.benchmark

    def with_toys(request: Any, *arguments: Any, **more: Any) -> Any:
        return benchmark(
            replace(request, command=command), *arguments, seams=Seams(variants=lambda: variants), **more
        )

    catalogue.kernels = lambda: found(folder)  # type: ignore[assignment]
    compiled.variants = lambda: variants  # type: ignore[assignment]
    agent.bench.benchmark = with_toys
    if not os.environ.get("TOY_LASTS"):
        # Toys do not keep still to 1 %: they would be repeated until the budget ends.
        agent.bench.Options = partial(agent.bench.Options, most_repeats=3, longest_window_s=0.05)  # type: ignore[assignment,misc]


if __name__ == "__main__":
    install()
    from agent.cli import main

    main()
