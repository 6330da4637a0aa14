"""One event of each kernel drawn, in children: from the same events that a profile was measured on, if this is its version."""

from __future__ import annotations

import time
from collections.abc import Sequence

from agent.render.bench_html import Picture
from payloads.catalogue import Kernel
from payloads.chains import one_task, request_of
from payloads.children import WORKER
from payloads.compiled import best_variant
from payloads.errors import PayloadError
from payloads.plan import Options
from profiles.profile import CapabilityProfile

DRAWING_S = 60.0
"""For simulating, reconstructing and drawing one event."""


def pictures(
    profile: CapabilityProfile,
    kernels: Sequence[Kernel],
    variant: str | None = None,
    command: tuple[str, ...] = WORKER,
) -> dict[str, Picture]:
    """A picture, or why there is none, for every kernel of the profile.

    Args:
        profile: what was measured.
        kernels: of this installation.
        variant: that reconstructs; None = the widest that runs here.
        command: the worker.
    """
    here = {kernel.name: kernel for kernel in kernels}
    options = Options(mode="quick", budget_s=DRAWING_S, cpus=(), copies=1, command=command)
    found = {}
    for result in profile.payloads:
        kernel = here.get(result.kernel)
        if kernel is None:
            found[result.kernel] = Picture(None, "this installation does not have the kernel")
            continue
        note = None
        if str(kernel.manifest.version) != result.version:
            note = f"Drawn by version {kernel.manifest.version} of the kernel; what was measured was {result.version[:20]}."
        try:
            request = {
                **request_of(kernel, options),
                "task": "picture",
                "variant": variant or best_variant().name,
            }
            end = time.monotonic() + DRAWING_S
            answer = one_task(request, f"drawing {kernel.name}", options, end, lambda: False)
            found[result.kernel] = Picture(answer["svg"], note)
        except PayloadError as error:
            found[result.kernel] = Picture(None, str(error))
    return found
