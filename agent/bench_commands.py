"""What `agent bench` prints besides its progress: lists, screens, pages."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent.bench_devices import device_lines
from agent.bench_last import NAME
from agent.bench_pictures import pictures
from agent.config import Config
from agent.render import bench_html, bench_text
from agent.sink import Style
from payloads import compiled
from payloads.catalogue import Kernel, UnknownKernelError
from payloads.chains import DESCRIBE_S, describe
from payloads.errors import PayloadError
from payloads.events import default_place
from payloads.plan import Options
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile


class UnusableVariantError(Exception):
    """A variant that was asked for cannot be used here; the text says why, or which can."""


def check_variants(names: Sequence[str]) -> None:
    """Refuse variants that are not compiled, or that this processor does not run.

    Raises:
        UnusableVariantError: for the first of them.
    """
    known = {variant.name: variant for variant in compiled.variants()} if names else {}
    for name in names:
        if not known:
            raise UnusableVariantError(f"variant {name} cannot be used here: {compiled.NO_KERNELS}")
        if name not in known:
            raise UnusableVariantError(
                f"there is no compiled variant {name!r}; there are: {', '.join(known)}"
            )
        if not known[name].usable:
            raise UnusableVariantError(f"variant {name} cannot be used here: {known[name].reason}")


def place_of(flag: Path | None, config: Config) -> Path:
    """The directory of event sets: flag, configuration, or where this node keeps such things."""
    if flag is not None:
        return flag
    if config.bench.cache_directory:
        return Path(config.bench.cache_directory)
    return default_place(os.environ)


def last_of(place: Path) -> Path:
    """Where the last result is kept."""
    return place / NAME


def selected(profile: CapabilityProfile, names: Sequence[str]) -> CapabilityProfile:
    """The profile with the named kernels only; as it is if no name is given.

    Raises:
        UnknownKernelError: it holds no result of one of them.
    """
    there = list(dict.fromkeys(one.kernel for one in profile.payloads))
    for name in names:
        if name not in there:
            raise UnknownKernelError(
                f"the result holds no kernel {name!r}; it holds: {', '.join(there) or 'none'}"
            )
    if not names:
        return profile
    return profile.model_copy(
        update={"payloads": tuple(one for one in profile.payloads if one.kernel in names)}
    )


def listing(kernels: Sequence[Kernel]) -> str:
    """Every kernel with what it is measured on."""
    if not kernels:
        return "There are no kernels in this installation.\n"
    names = max(len(kernel.name) for kernel in kernels)
    out = []
    for kernel in kernels:
        chosen = kernel.manifest.events
        out.append(f"{kernel.name:<{names}}  {kernel.manifest.title} (version {kernel.manifest.version})")
        text = f"{chosen.count} events of section {kernel.manifest.section} at pile-up {chosen.pile_up:g}, held to "
        metrics = ", ".join(kernel.manifest.physics)
        out += textwrap.wrap(
            text + metrics, 100, initial_indent=" " * (names + 4), subsequent_indent=" " * (names + 4)
        )
    return "\n".join(out) + "\n"


def backends() -> str:
    """What kernels run on here, after loading each; and why not on the others."""
    known = compiled.variants()
    if not known:
        return f"cpu: {compiled.NO_KERNELS}\n"
    with ThreadPoolExecutor(1) as pool:
        devices = pool.submit(lambda: list(device_lines()))
        return "\n".join([*_variant_lines(known), *devices.result()]) + "\n"


def _variant_lines(known: Sequence[compiled.Variant]) -> list[str]:
    options = Options(mode="quick", budget_s=DESCRIBE_S, cpus=(), copies=1)
    usable = [variant.name for variant in known if variant.usable]
    found = describe(usable, options, time.monotonic() + DESCRIBE_S, lambda: False)
    names = max(len(variant.name) for variant in known)
    out = []
    for variant in known:
        answer = found.get(variant.name)
        if answer is None:
            out.append(f"cpu  {variant.name:<{names}}  no: {variant.reason}")
        elif isinstance(answer, PayloadError):
            out.append(f"cpu  {variant.name:<{names}}  no: {answer}")
        else:
            baseline = ", what CMSSW ships" if variant.is_baseline else ""
            lanes = f"{answer['lanes']} {'lane' if answer['lanes'] == 1 else 'lanes'}"
            out.append(
                f"cpu  {variant.name:<{names}}  {answer['isa']}, {lanes}, {answer['compiler']}{baseline}"
            )
    return out


def body(profile: CapabilityProfile, style: Style, kernels: Sequence[Kernel]) -> str:
    """The result in the format that was asked for."""
    if style.format_name == "json":
        return write_profile(profile)
    if style.format_name == "html":
        return bench_html.render(profile, pictures(profile, kernels))
    return bench_text.render(profile, width=style.width, colour=style.colour, verbose=style.verbose)
