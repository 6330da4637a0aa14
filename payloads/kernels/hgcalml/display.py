"""One event as a self-contained SVG: what the network sees of some tracksters, and what it says of them."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.kernels.hgcalml import truth
from payloads.kernels.hgcalml.agreement import PROBABILITIES
from payloads.kernels.hgcalml.reference_inputs import CLUSTERS, LAYERS, Floats, pictures

_CELL_X, _CELL_Y = 10, 11
_LEFT, _TOP, _STEP = 60, 92, 172
_BARS = _LEFT + LAYERS * _CELL_X + 150
_BAR_LENGTH = 180
# Okabe and Ito's colours, which most kinds of colour blindness tell apart
_TRUE, _OTHER = "#D55E00", "#0072B2"
_DARKEST = (8, 48, 107)


def _shade(value: float, largest: float) -> str:
    part = 0.12 + 0.88 * min(value / max(largest, 1e-9), 1.0)
    return "#" + "".join(f"{round(255 - part * (255 - end)):02x}" for end in _DARKEST)


def _seen(picture: Floats, top: int) -> list[str]:
    energy = picture[:, :, 0]
    lines = [
        f'<rect x="{_LEFT}" y="{top}" width="{LAYERS * _CELL_X}" height="{CLUSTERS * _CELL_Y}" fill="none" stroke="#888"/>'
    ]
    for layer, place in np.argwhere(energy > 0):
        x, y = _LEFT + layer * _CELL_X, top + place * _CELL_Y
        colour = _shade(float(energy[layer, place]), float(energy.max()))
        lines.append(f'<rect x="{x}" y="{y}" width="{_CELL_X - 1}" height="{_CELL_Y - 1}" fill="{colour}"/>')
    below = top + CLUSTERS * _CELL_Y + 14
    lines += [
        f'<text x="{_LEFT + (layer + 0.5) * _CELL_X}" y="{below}" text-anchor="middle">{layer}</text>'
        for layer in range(0, LAYERS, 10)
    ]
    lines += [
        f'<text x="{_LEFT - 6}" y="{top + (place + 0.8) * _CELL_Y:.0f}" text-anchor="end">{place + 1}</text>'
        for place in (0, CLUSTERS - 1)
    ]
    middle = top + CLUSTERS * _CELL_Y / 2
    lines += [
        f'<text x="{_LEFT + LAYERS * _CELL_X}" y="{below}" text-anchor="end">layer</text>',
        f'<text transform="translate({_LEFT - 30},{middle}) rotate(-90)" text-anchor="middle">cluster</text>',
    ]
    return lines


def _said(event: Arrays, result: Arrays, row: int, top: int) -> list[str]:
    trackster = int(result["answer_trackster"][row])
    kind = int(truth.classes(event)[trackster])
    true_gev, has = truth.energies(event)
    held = f", particle {true_gev[trackster]:.1f} GeV" if has[trackster] else ""
    lines = [
        (
            f'<text x="{_LEFT}" y="{top - 8}">trackster {trackster}: raw {event["trackster_energy"][trackster]:.1f} GeV, '
            f"answer {result['answer_energy'][row]:.1f} GeV{held}</text>"
        )
    ]
    for k, name in enumerate(truth.CLASSES):
        share, y = float(result[PROBABILITIES[k]][row]), top + 22 * k
        colour = _TRUE if k == kind else _OTHER
        lines += [
            f'<text x="{_BARS - 6}" y="{y + 14}" text-anchor="end">{name}</text>',
            f'<rect x="{_BARS}" y="{y + 2}" width="{max(share * _BAR_LENGTH, 0.5):.1f}" height="16" fill="{colour}"/>',
            f'<text x="{_BARS + share * _BAR_LENGTH + 5:.1f}" y="{y + 14}">{share:.2f}</text>',
        ]
    return lines


def picture(event: Arrays, result: Arrays) -> str:
    """SVG of the tracksters of most energy of each true class: clusters by layer, and the probabilities."""
    rows = np.asarray(result["answer_trackster"])
    kind = truth.classes(event)[rows]
    energy = as_float64(event["trackster_energy"])[rows]
    shown = [
        int(of[np.argmax(energy[of])])
        for k in range(len(truth.CLASSES))
        if len(of := np.flatnonzero(kind == k))
    ]
    seen = pictures(event, {"least_energy_gev": float(energy.min()) if len(energy) else 0.0})
    height = _TOP + _STEP * max(len(shown), 1) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="{height}" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<g font-family="sans-serif">',
        (
            f'<text x="{_LEFT}" y="24" font-size="16">HGCAL: {len(rows)} tracksters with an answer; of each true class the '
            "one of most energy</text>"
        ),
        (
            f'<text x="{_LEFT}" y="44">left: layer (across) and its ten clusters of most energy (down), darker = more '
            "energy; right: probability of each class</text>"
        ),
        f'<rect x="{_LEFT}" y="50" width="12" height="12" fill="{_TRUE}"/><text x="{_LEFT + 18}" y="60">the true class</text>',
        f'<rect x="{_LEFT + 130}" y="50" width="12" height="12" fill="{_OTHER}"/><text x="{_LEFT + 148}" y="60">the others</text>',
    ]
    for place, row in enumerate(shown):
        top = _TOP + _STEP * place
        lines += _seen(seen[row], top) + _said(event, result, row, top)
    return "\n".join([*lines, "</g></svg>"])
