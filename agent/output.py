"""The result in the words that were asked for, and the exit code that goes with it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from agent.exit_code import exit_code
from agent.extras import with_prometheus_client
from agent.render import text
from agent.run import Look
from agent.sink import ExitMapName, Style
from probes.spec import Probe
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile


def body(profile: CapabilityProfile, probes: Sequence[Probe], style: Style) -> str:
    """The result in the format that was asked for; each renderer is loaded only when it is needed.

    Raises:
        ExtraError: the library that a format needs is not installed.
    """
    if style.format_name == "json":
        return write_profile(profile)
    if style.format_name != "text":
        with with_prometheus_client(f"the format {style.format_name}"):
            renderer = importlib.import_module(f"agent.render.{style.format_name}")
        return str(renderer.render(profile))
    return text.render_text(
        profile,
        probes,
        width=style.width,
        colour=style.colour,
        verbose=style.verbose,
        only_problems=style.only_problems,
    )


def code_of(found: Look, *, strict: bool, exit_map: ExitMapName) -> int:
    """The exit code by the chosen map; a signal keeps its own code in every map."""
    ours = exit_code(
        found.profile, strict=strict, interrupted_by=found.interrupted_by, out_of_budget=found.out_of_budget
    )
    if exit_map == "agent" or found.interrupted_by:
        return ours
    from agent.render.exit_maps import exit_status  # noqa: PLC0415

    return exit_status(found.profile, exit_map)
