"""Derives the allowed ranges of a kernel's physics from many samples of events: ``python -m payloads.ranges KERNEL``.

A benchmark judges one sample, the manifest's `count` events, and one of single particles where the manifest has `singles`. Here
further samples of these sizes, of other seeds, are made, reconstructed and measured; a range is their mean ± 8 standard deviations of a sample, and at least 2 % of the mean, so that
chance never fails a right kernel while a wrong cut does. To be run again after every change of the simulation, of a kernel's
algorithm or of what is measured.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from payloads.arrays import Array, Arrays
from payloads.catalogue import EventChoice, Kernel, PhysicsRange, SinglesChoice, choose, kernels
from payloads.compiled import best_variant, open_kernel, simulate
from payloads.errors import PayloadError
from payloads.parts import load_part

SPREADS = 8.0
LEAST_RELATIVE = 0.02
FIRST_SEED = 1001


@dataclass(frozen=True)
class Derived:
    """Range of one metric: mean and standard deviation of the samples, and what follows."""

    mean: float
    spread: float
    low: float
    high: float
    origin: str


Measure = Callable[[Arrays, list[dict[str, Array]]], Mapping[str, float]]


def measure_samples(
    kernel: Kernel, section: str, events: EventChoice, measure: Measure, seeds: Iterable[int]
) -> list[dict[str, float]]:
    """What `measure` says of as many of these events of each seed.

    Raises:
        NotBuiltError: no compiled kernels.
    """
    measured = []
    for seed in seeds:
        arrays = simulate(section, events.pile_up, seed, 0, events.count)
        opened = open_kernel(best_variant().name, kernel.name, arrays, kernel.manifest.settings)
        results = []
        for event in range(opened.events):
            opened.process(event)
            results.append(opened.results())
        measured.append({str(name): float(value) for name, value in measure(arrays, results).items()})
    return measured


def derive(values: Sequence[float], *, is_share: bool, sample: str) -> Derived:
    """The range that follows from one metric's samples.

    Args:
        values: at least two.
        is_share: cannot leave 0 to 1.
        sample: what a sample is, for the origin.
    """
    mean, spread = statistics.fmean(values), statistics.stdev(values)
    half = max(SPREADS * spread, LEAST_RELATIVE * abs(mean))
    low, high = mean - half, mean + half
    if min(values) >= 0:
        low = max(low, 0.0)
    if is_share:
        high = min(high, 1.0)
    origin = (
        f"{mean:.4g} +- {spread:.2g} in {len(values)} samples of {sample}; {SPREADS:g} standard deviations of a sample, "
        f"at least {LEAST_RELATIVE:.0%} of the mean"
    )
    return Derived(mean, spread, low, high, origin)


def rewritten(text: str, derived: dict[str, Derived]) -> str:
    """The manifest with new low, high and origin of these metrics; everything else stays as written."""
    for name, found in derived.items():
        head, body = re.split(rf"(?m)^(?=\[physics\.{re.escape(name)}\]$)", text, maxsplit=1)
        table, separator, rest = body.partition("\n[")
        for key, value in (
            ("low", f"{found.low:.5g}"),
            ("high", f"{found.high:.5g}"),
            ("origin", f'"{found.origin}"'),
        ):
            table = re.sub(rf"(?m)^{key} = .*$", lambda _, key=key, value=value: f"{key} = {value}", table)
        text = head + table + separator + rest
    return text


def table(kernel: Kernel) -> str:
    """The ranges of a manifest for its README, in Markdown; the value is what the origin says the samples gave."""
    rows = ["| metric | value | allowed | unit | what |", "|---|---|---|---|---|"]
    for name, allowed in kernel.manifest.physics.items():
        found = re.match(r"(\S+) \+- (\S+)", allowed.origin)
        means = allowed.means.replace("|", r"\|")
        value = "–" if found is None else f"{found[1]} ± {found[2]}"
        rows.append(f"| `{name}` | {value} | {allowed.low:g} … {allowed.high:g} | {allowed.unit} | {means} |")
    return "\n".join(rows) + "\n"


def _sample_of(events: EventChoice, seeds: range) -> str:
    of_what = " of single particles" if isinstance(events, SinglesChoice) else ""
    return f"{events.count} events{of_what} at pile-up {events.pile_up:g} (seeds {seeds[0]}-{seeds[-1]})"


def _is_share(allowed: PhysicsRange) -> bool:
    return allowed.unit == "1" and "share" in allowed.means


def main(arguments: Sequence[str] | None = None) -> int:
    """Print mean, spread and range of every metric; with ``--write`` put them into the manifests."""
    parser = argparse.ArgumentParser(prog="python -m payloads.ranges", description=__doc__.partition("\n")[0])
    parser.add_argument("kernel", nargs="*", help="none = all")
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--write", action="store_true", help="rewrite low, high and origin in manifest.toml")
    parser.add_argument(
        "--table", action="store_true", help="only print the manifests' ranges as a README has them"
    )
    chosen = parser.parse_args(arguments)
    if chosen.samples < 3:
        parser.error("a spread needs at least 3 samples")
    try:
        for kernel in choose(kernels(), chosen.kernel):
            if chosen.table:
                sys.stdout.write(table(kernel))
                continue
            _one(kernel, chosen.samples, chosen.first_seed, write=chosen.write)
    except PayloadError as error:
        sys.stderr.write(f"ranges: {error}\n")
        return 3
    return 0


def _one(kernel: Kernel, samples: int, first_seed: int, *, write: bool) -> None:
    manifest, seeds = kernel.manifest, range(first_seed, first_seed + samples)
    judge = load_part(kernel.folder, "physics")
    of_each = [(manifest.section, manifest.events, judge.measure)]
    if manifest.singles is not None:
        of_each.append((manifest.singles.section, manifest.singles, judge.measure_singles))
    derived = {}
    for section, events, measure in of_each:
        measured = measure_samples(kernel, section, events, measure, seeds)
        for name in measured[0].keys() & manifest.physics.keys():
            values = [one[name] for one in measured]
            is_share = _is_share(manifest.physics[name])
            derived[name] = derive(values, is_share=is_share, sample=_sample_of(events, seeds))
    for name, allowed in manifest.physics.items():
        found = derived[name]
        inside = "ok  " if allowed.low <= found.mean <= allowed.high else "OUT "
        sys.stdout.write(
            f"{inside}{kernel.name:11}{name:34}{found.mean:12.5g} ± {found.spread:<9.2g}{found.low:11.5g} … {found.high:<11.5g}"
            f"now {allowed.low:g} … {allowed.high:g}\n"
        )
    if write:
        path = Path(kernel.folder) / "manifest.toml"
        path.write_text(rewritten(path.read_text("utf-8"), derived), "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
