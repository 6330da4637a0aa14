"""One event and its particle flow as a self-contained SVG: showers, tracks and links around the shower of most energy."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.kernels.pflow.reference_clusters import DEPTH, ECAL_LAYERS
from payloads.kernels.pflow.reference_links import ECAL_FRONT, HCAL_FRONT, at_front
from payloads.matching import Floats, Ints, angle_apart

# Okabe and Ito's colours, which most kinds of colour blindness tell apart
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
_GREY, _CRYSTAL, _LINE = "#b0b0b0", "#606060", "#000000"
_WIDTH, _HEIGHT, _TOP, _LEFT = 460, 400, 64, 60
_HALF = 0.6  # half the side of the view, in eta and phi
_FIELD_TESLA = 3.8
_DEPTHS = 7
_LEAST_TRACK_PT_GEV = 1.0


class _Panel:
    """A frame with axes; places in it."""

    def __init__(self, left: int, low: tuple[float, float], high: tuple[float, float]) -> None:
        self.left, self.low, self.high = left, low, high

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.low[0]) / (self.high[0] - self.low[0])
        up = (y - self.low[1]) / (self.high[1] - self.low[1])
        return self.left + across * _WIDTH, _TOP + (1 - up) * _HEIGHT

    def frame(self, names: tuple[str, str], ticks: tuple[Floats, Floats]) -> list[str]:
        middle, bottom = self.left + _WIDTH / 2, _TOP + _HEIGHT
        lines = [
            f'<rect x="{self.left}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#444"/>',
            f'<text x="{middle}" y="{bottom + 36}" text-anchor="middle">{names[0]}</text>',
            (
                f'<text transform="translate({self.left - 38},{_TOP + _HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
                f"{names[1]}</text>"
            ),
        ]
        for value in ticks[0]:
            x, _ = self.at(float(value), self.low[1])
            lines.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>')
        for value in ticks[1]:
            _, y = self.at(self.low[0], float(value))
            lines.append(f'<text x="{self.left - 6}" y="{y + 4:.0f}" text-anchor="end">{value:g}</text>')
        return lines

    def circle(self, x: float, y: float, radius: float) -> str:
        px, py = self.at(x, y)
        return f'<circle cx="{px:.1f}" cy="{py:.1f}" r="{radius:.1f}"/>'


def _group(colour: str, circles: list[str], opacity: float = 0.55) -> str:
    return f'<g fill="{colour}" fill-opacity="{opacity}">{"".join(circles)}</g>'


def _tenths(centre: float) -> Floats:
    ticks: Floats = np.arange(np.ceil((centre - _HALF) * 5), np.floor((centre + _HALF) * 5) + 1) / 5
    return ticks


def _cells(event: Arrays, result: Arrays) -> dict[str, Floats | Ints]:
    """Shares of cells: place, energy, layer, shower."""
    cell, cluster = (np.asarray(result[f"share_{name}"]).astype(np.int64) for name in ("cell", "cluster"))
    channel = np.asarray(event["rechit_channel"]).astype(np.int64)[cell]
    return {
        "eta": as_float64(event["channel_eta"])[channel],
        "phi": as_float64(event["channel_phi"])[channel],
        "layer": np.asarray(event["channel_layer"]).astype(np.int64)[channel],
        "energy": as_float64(result["share_fraction"]) * as_float64(event["rechit_energy"])[cell],
        "shower": np.asarray(result["cluster_shower"]).astype(np.int64)[cluster],
    }


def _links(panel: _Panel, event: Arrays, result: Arrays, centre: tuple[float, float]) -> list[str]:
    """A cross where a track meets the brass (or the crystals that it is linked to), a line to its shower."""
    lines = []
    shower_phi = as_float64(result["shower_phi"])
    shower_turn = angle_apart(shower_phi, np.full(len(shower_phi), centre[1]))
    for name, front in (("ecal", ECAL_FRONT), ("hcal", HCAL_FRONT)):
        eta, phi = at_front(event, front, _FIELD_TESLA)
        shower = np.asarray(result[f"track_{name}"])
        turn = angle_apart(phi, np.full(len(phi), centre[1]))
        near = (np.abs(eta - centre[0]) < _HALF) & (np.abs(turn) < _HALF) & (shower >= 0)
        near &= np.asarray(event["track_pt"]) > _LEAST_TRACK_PT_GEV
        for t in np.flatnonzero(near):
            x, y = panel.at(float(eta[t]), centre[1] + float(turn[t]))
            to = shower[t]
            away = float(shower_turn[to])
            ex, ey = panel.at(float(result["shower_eta"][to]), centre[1] + away)
            lines.append(f'<path d="M{x - 4:.1f} {y:.1f}h8m-4 -4v8M{x:.1f} {y:.1f}L{ex:.1f} {ey:.1f}"/>')
    return [f'<g fill="none" stroke="{_LINE}" stroke-width="1.1">{"".join(lines)}</g>']


def picture(event: Arrays, result: Arrays) -> str:
    """SVG of the surroundings of the most energetic shower of the hadron calorimeter: as seen from the beam, and in depth."""
    energy = as_float64(result["shower_energy"])
    is_hcal = np.asarray(result["shower_is_hcal"]) == 1
    centre = (0.0, 0.0)  # where there is no shower
    if is_hcal.any():
        hottest = int(np.argmax(np.where(is_hcal, energy, -1)))
        centre = float(result["shower_eta"][hottest]), float(result["shower_phi"][hottest])
    s = _cells(event, result)
    turn = angle_apart(np.asarray(s["phi"]), np.full(len(s["phi"]), centre[1]))
    near = (np.abs(s["eta"] - centre[0]) < _HALF) & (np.abs(turn) < _HALF)
    brass = near & (s["layer"] >= ECAL_LAYERS)
    total = np.bincount(np.asarray(s["shower"])[brass], np.asarray(s["energy"])[brass], len(energy) + 1)
    strongest = [int(k) for k in np.argsort(-total)[: len(_COLOURS)] if total[k] > 0]
    seen = _Panel(_LEFT, (centre[0] - _HALF, centre[1] - _HALF), (centre[0] + _HALF, centre[1] + _HALF))
    deep = _Panel(2 * _LEFT + _WIDTH + 20, (centre[0] - _HALF, 0.5), (centre[0] + _HALF, _DEPTHS + 0.5))
    size = np.clip(3.0 * np.sqrt(np.asarray(s["energy"])), 0.8, 22.0)
    chosen = [
        (near & (s["layer"] < ECAL_LAYERS), _CRYSTAL),
        (brass & ~np.isin(s["shower"], strongest), _GREY),
    ]
    chosen += [(brass & (s["shower"] == k), _COLOURS[n]) for n, k in enumerate(strongest)]
    kinds = np.bincount(np.asarray(result["candidate_kind"]), minlength=3)
    title = (
        f"Particle flow: {len(event['rechit_energy'])} cells, {len(result['cluster_seed'])} clusters, {len(energy)} "
        f"showers; {kinds[0]} charged hadrons, {kinds[1]} photons, {kinds[2]} neutral hadrons"
    )
    width, height = 2 * _WIDTH + 3 * _LEFT + 30, _TOP + _HEIGHT + 116
    note = (
        "around the shower of most energy; radius grows with the root of a cell's energy; crosses: linked tracks of "
        f"pT &gt; {_LEAST_TRACK_PT_GEV:g} GeV at the front, lines: their links"
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<g font-family="sans-serif">',
        f'<text x="{_LEFT}" y="24" font-size="16">{title}</text>',
        f'<text x="{_LEFT}" y="44">{note}</text>',
    ]
    ticks = _tenths(centre[0])
    lines += seen.frame(("eta", "phi (rad)"), (ticks, _tenths(centre[1])))
    lines += deep.frame(("eta", "depth in the hadron calorimeter"), (ticks, np.arange(1.0, _DEPTHS + 1)))
    for which, colour in chosen:
        places = np.flatnonzero(which)
        lines.append(
            _group(
                colour, [seen.circle(float(s["eta"][k]), centre[1] + float(turn[k]), size[k]) for k in places]
            )
        )
        if colour != _CRYSTAL:
            lines.append(
                _group(
                    colour,
                    [
                        deep.circle(float(s["eta"][k]), float(DEPTH[s["layer"][k]]), size[k] * 0.7)
                        for k in places
                    ],
                )
            )
    lines += _links(seen, event, result, centre)
    names = [(_COLOURS[n], f"shower {k}: {energy[k]:.1f} GeV") for n, k in enumerate(strongest)]
    for n, (colour, name) in enumerate([*names, (_GREY, "other showers"), (_CRYSTAL, "crystals")]):
        x, y = _LEFT + 205 * (n % 5), _TOP + _HEIGHT + 64 + 22 * (n // 5)
        lines.append(
            f'<circle cx="{x}" cy="{y}" r="6" fill="{colour}"/><text x="{x + 12}" y="{y + 4}">{name}</text>'
        )
    return "\n".join([*lines, "</g></svg>"])
