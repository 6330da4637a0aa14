"""What a reader of a kernel's figures must know about how they came about."""

from __future__ import annotations

from payloads.conditions import DISTURBED_SHARE, remarks, together
from payloads.outcome import KernelOutcome
from payloads.plan import RELATIVE_GOAL

SLOWEST_OVER_MEAN = 0.8
"""Copies of equal work on equal cores are as fast as one another within a few per cent."""


def remarks_of(outcome: KernelOutcome) -> list[str]:
    """Sentences about the machine, the copies and the repeats; none where nothing was measured."""
    series = [one for variant in outcome.variants for one in variant.series.values()]
    whole = together([found for one in series for found in one.spells])
    if whole is None:
        return []
    wanted_s = sum(one.copy_seconds for one in series)
    share = sum(one.copies_cpu_s for one in series) / wanted_s if wanted_s else 1.0
    most = max(one.copies for one in series)
    said = remarks(whole, most, share)
    said += [
        f"with {one.copies} copies the slowest ran at {one.slowest_over_mean:.0%} of the mean"
        for one in series
        if one.slowest_over_mean < SLOWEST_OVER_MEAN
    ]
    aside = [
        f"{len(one.set_aside)} of {len(one.samples)} of {variant.name} with {one.copies}"
        for variant in outcome.variants
        for one in variant.series.values()
        if one.set_aside
    ]
    if aside:
        said.append(
            f"repeats set aside, since others had the copies' processors for more than {DISTURBED_SHARE:.0%} of the time: "
            + ", ".join(aside)
        )
    wide = [
        f"{variant.name} with {one.copies}: ±{one.rate.relative:.1%} after {len(one.samples)} repeats"
        for variant in outcome.variants
        for one in variant.series.values()
        if one.samples and one.rate.relative is not None and one.rate.relative > RELATIVE_GOAL
    ]
    few = [
        f"{variant.name} with {one.copies}: only {len(one.samples)} {'repeat' if len(one.samples) == 1 else 'repeats'}"
        for variant in outcome.variants
        for one in variant.series.values()
        if one.samples and one.rate.relative is None
    ]
    if wide or few:
        said.append(f"not repeated to 1 % within the time ({'; '.join([*wide, *few])})")
    return said
