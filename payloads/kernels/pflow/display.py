"""One event and its particle flow as a self-contained SVG: showers, tracks and links around the shower of most energy."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.drawing import COLOURS, GREY, Panel, legend, page, ticks
from payloads.kernels.pflow.reference_clusters import DEPTH, ECAL_LAYERS
from payloads.kernels.pflow.reference_links import ECAL_FRONT, HCAL_FRONT, at_front
from payloads.matching import Floats, Ints, angle_apart

_CRYSTAL, _LINE = "#606060", "#000000"
_WIDTH, _HEIGHT, _TOP, _LEFT = 460, 400, 64, 60
_HALF = 0.6  # half the side of the view, in eta and phi
_FIELD_TESLA = 3.8
_DEPTHS = 7
_LEAST_TRACK_PT_GEV = 1.0


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


def _links(panel: Panel, event: Arrays, result: Arrays, centre: tuple[float, float]) -> list[str]:
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
            ex, ey = panel.at(float(result["shower_eta"][to]), centre[1] + float(shower_turn[to]))
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
    strongest = [int(k) for k in np.argsort(-total)[: len(COLOURS)] if total[k] > 0]
    eta_span = (centre[0] - _HALF, centre[0] + _HALF)
    seen = Panel(_LEFT, _TOP, _WIDTH, _HEIGHT, eta_span, (centre[1] - _HALF, centre[1] + _HALF))
    deep = Panel(2 * _LEFT + _WIDTH + 20, _TOP, _WIDTH, _HEIGHT, eta_span, (0.5, _DEPTHS + 0.5))
    size = np.clip(3.0 * np.sqrt(np.asarray(s["energy"])), 0.8, 22.0)
    chosen = [
        (near & (s["layer"] < ECAL_LAYERS), _CRYSTAL),
        (brass & ~np.isin(s["shower"], strongest), GREY),
    ]
    chosen += [(brass & (s["shower"] == k), COLOURS[n]) for n, k in enumerate(strongest)]
    kinds = np.bincount(np.asarray(result["candidate_kind"]), minlength=3)
    title = (
        f"Particle flow: {len(event['rechit_energy'])} cells, {len(result['cluster_seed'])} clusters, {len(energy)} "
        f"showers; {kinds[0]} charged hadrons, {kinds[1]} photons, {kinds[2]} neutral hadrons"
    )
    note = (
        "around the shower of most energy; radius grows with the root of a cell's energy; crosses: linked tracks of "
        f"pT > {_LEAST_TRACK_PT_GEV:g} GeV at the front, lines: their links"
    )
    parts = [
        seen.frame("eta", "phi (rad)", ticks(seen.x, 0.2), ticks(seen.y, 0.2)),
        deep.frame("eta", "depth in the hadron calorimeter", ticks(deep.x, 0.2), range(1, _DEPTHS + 1)),
    ]
    eta = as_float64(s["eta"])
    for own, colour in chosen:
        parts.append(seen.discs(eta[own], centre[1] + turn[own], size[own], colour, 0.55))
        if colour != _CRYSTAL:
            parts.append(deep.discs(eta[own], DEPTH[s["layer"]][own], size[own] * 0.7, colour, 0.55))
    parts.append(seen.clipped(_links(seen, event, result, centre)))
    names = [(COLOURS[n], f"shower {k}: {energy[k]:.1f} GeV") for n, k in enumerate(strongest)]
    entries = [*names, (GREY, "other showers"), (_CRYSTAL, "crystals")]
    parts.append(legend(entries, _LEFT, _TOP + _HEIGHT + 56, 205, a_row=5))
    return page(2 * _WIDTH + 3 * _LEFT + 30, _TOP + _HEIGHT + 116, _LEFT, title, note, parts)
