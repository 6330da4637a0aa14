"""Draws `performance.svg`: the training curve, ROC curves and the energy's resolution.

``python -m payloads.kernels.hgcalml.training.report [--events N]`` makes events at pile-up 200 that the network has not seen.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from payloads.arrays import Arrays
from payloads.compiled import best_variant, open_kernel, simulate
from payloads.kernels.hgcalml.physics import Answered, Bools, Floats, gather
from payloads.kernels.hgcalml.training.data import SEED
from payloads.kernels.hgcalml.truth import AMBIGUOUS, CHARGED, ELECTRON, NEUTRAL, PHOTON
from payloads.matching import half_width

PICTURE = Path(__file__).parents[1] / "performance.svg"
CURVE = Path(__file__).parent / "curve.csv"
ENERGIES_GEV = (2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 35.0, 60.0, 150.0)
LEAST_IN_BIN = 25
# Okabe and Ito's colours, which most kinds of colour blindness tell apart
_BLUE, _RED, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#888888"
_WIDTH, _HEIGHT, _TOP = 270, 240, 50

Points = Sequence[tuple[float, float]]
Line = tuple[str, str, str, Points]
"""Name, colour, dashes, points."""


def _panel(
    left: int, names: tuple[str, str, str], x: Sequence[float], y: Sequence[float], lines: Sequence[Line], *,
    log: bool = False, legend: int = 0
) -> list[str]:  # fmt: skip
    """Axes with ticks at `x` and `y`, whose ends are the axes' ends."""

    def across(value: float) -> float:
        low, high = (np.log(x[0]), np.log(x[-1])) if log else (x[0], x[-1])
        return float(left + ((np.log(value) if log else value) - low) / (high - low) * _WIDTH)

    def down(value: float) -> float:
        return float(_TOP + _HEIGHT - (value - y[0]) / (y[-1] - y[0]) * _HEIGHT)

    bottom = _TOP + _HEIGHT
    said = [
        f'<rect x="{left}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#444"/>',
        f'<text x="{left + _WIDTH / 2}" y="{_TOP - 14}" text-anchor="middle" font-size="14">{names[0]}</text>',
        f'<text x="{left + _WIDTH / 2}" y="{bottom + 36}" text-anchor="middle">{names[1]}</text>',
        f'<text transform="translate({left - 38},{_TOP + _HEIGHT / 2}) rotate(-90)" text-anchor="middle">{names[2]}</text>',
    ]
    said += [
        f'<text x="{across(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>' for tick in x
    ]
    said += [f'<text x="{left - 6}" y="{down(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>' for tick in y]
    for place, (name, colour, dashes, points) in enumerate(lines):
        path = " ".join(f"{across(px):.1f},{down(py):.1f}" for px, py in points)
        style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        at = _TOP + legend + 20 + 17 * place
        said += [
            f'<polyline points="{path}" {style}/>',
            f'<line x1="{left + 90}" y1="{at - 4}" x2="{left + 112}" y2="{at - 4}" {style}/>',
            f'<text x="{left + 118}" y="{at}">{name}</text>',
        ]
    return said


def _roc(signal: Floats, background: Floats) -> Points:
    cuts = np.quantile(background, 1 - np.linspace(0, 1, 101))
    return [(i / 100, float((signal > cut).mean())) for i, cut in enumerate(cuts)]


def _resolutions(a: Answered, of: Bools, energy_gev: Floats) -> Points:
    points = []
    for low, high in itertools.pairwise(ENERGIES_GEV):
        inside = of & a.has_energy & (a.true_gev > low) & (a.true_gev < high)
        if inside.sum() >= LEAST_IN_BIN:
            ratio = energy_gev[inside] / a.true_gev[inside]
            points.append((float(np.sqrt(low * high)), min(half_width(ratio) / float(np.median(ratio)), 0.6)))
    return points


def svg(a: Answered, curve: Sequence[dict[str, str]], events: int) -> str:
    """All three panels; ``curve`` as the rows of `curve.csv`."""
    em, hadron = a.is_one_of(PHOTON, ELECTRON), a.is_one_of(CHARGED, NEUTRAL)
    hard, score, clear = a.raw_gev > 5, a.electromagnetic, 1 - a.share[:, AMBIGUOUS]
    unclear = a.is_one_of(AMBIGUOUS)

    def column(name: str) -> Points:
        return [(float(row["epoch"]), float(row[name])) for row in curve]

    passes = [1.0, *(float(k) for k in range(2, len(curve) + 1))]
    learnt = _panel(
        60, ("learning", "pass over the data", "loss"), passes, [0, 0.2, 0.4, 0.6, 0.8, 1],
        [("classes", _BLUE, "", column("class_loss")), ("its validation", _BLUE, "5 3", column("validation_class_loss")),
         ("energy", _RED, "", column("energy_loss")), ("its validation", _RED, "5 3", column("validation_energy_loss"))],
        legend=105,
    )  # fmt: skip
    rocs = _panel(
        400, ("identification", "share of the background kept", "share of the signal kept"), [0, 0.2, 0.4, 0.6, 0.8, 1],
        [0, 0.2, 0.4, 0.6, 0.8, 1],
        [("e, photon / hadron", _BLUE, "", _roc(score[em], score[hadron])),
         ("same, above 5 GeV", _BLUE, "5 3", _roc(score[em & hard], score[hadron & hard])),
         ("one / ambiguous", _GREEN, "", _roc(clear[~unclear], clear[unclear])),
         ("charged / neutral", _GREY, "", _roc(a.charged[a.is_one_of(CHARGED)], a.charged[a.is_one_of(NEUTRAL)]))],
        legend=150,
    )  # fmt: skip
    widths = _panel(
        740, ("energy", "true energy (GeV)", "half width / median"), [2, 5, 10, 20, 50, 150], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        [("e, photon: raw", _BLUE, "5 3", _resolutions(a, em, a.raw_gev)),
         ("e, photon: answer", _BLUE, "", _resolutions(a, em, a.found_gev)),
         ("hadron: raw", _RED, "5 3", _resolutions(a, hadron, a.raw_gev)),
         ("hadron: answer", _RED, "", _resolutions(a, hadron, a.found_gev))],
        log=True,
    )  # fmt: skip
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="1040" height="350" font-size="12">'
    note = f"pile-up 200, {events} events that the network has not seen"
    return "\n".join(
        [head, '<rect width="100%" height="100%" fill="white"/><g font-family="sans-serif">', *learnt, *rocs, *widths,
         f'<text x="1010" y="{_TOP + _HEIGHT + 54}" text-anchor="end">{note}</text>', "</g></svg>"]
    )  # fmt: skip


def answered(events: Arrays) -> Answered:
    """The trained network's answers."""
    opened = open_kernel(best_variant().name, "hgcalml", events)
    results = []
    for event in range(opened.events):
        opened.process(event)
        results.append(opened.results())
    return gather(events, results)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw; 0."""
    parser = argparse.ArgumentParser(prog="python -m payloads.kernels.hgcalml.training.report")
    parser.add_argument("--events", type=int, default=10)
    chosen = parser.parse_args(arguments)
    found = answered(simulate("tracksters", 200.0, SEED + 1, 0, chosen.events))
    with CURVE.open(encoding="ascii") as file:
        PICTURE.write_text(svg(found, list(csv.DictReader(file)), chosen.events), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
