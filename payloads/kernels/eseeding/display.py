"""One super-cluster and its seeds as a self-contained SVG: crystals by cluster, and pixel hits beside the predicted ways."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64
from payloads.drawing import BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, Panel, legend, page, ticks
from payloads.kernels.eseeding.reference import CHARGES, DEFAULTS, TURNING, wrapped

BLACK = "#222222"
TOP, SIDE = 80, 420
LEFT, SECOND = 70, 590
WIDTH, HEIGHT = 1060, 640
HALF_ETA, HALF_PHI = 0.12, 0.5  # of the view of crystals
LARGEST_R_CM = 18.0

Floats = npt.NDArray[np.float64]


def chosen_supercluster(result: Arrays) -> int | None:
    """In the barrel with several seeds if there is one, else with seeds, of many clusters; None without super-clusters."""
    count = len(result["sc_energy"])
    if count == 0:
        return None
    clusters = np.bincount(result["cluster_sc"][result["cluster_sc"] >= 0], minlength=count)
    seeds = np.bincount(result["seed_sc"], minlength=count)
    barrel = np.abs(result["sc_eta"]) < 1.2
    return int(np.lexsort((clusters, seeds > 0, barrel & (seeds > 2)))[-1])


def _crystals(event: Arrays, result: Arrays, k: int) -> list[str]:
    """Crystals around the super-cluster: area by energy, colour by cluster."""
    eta, phi = (as_float64(event[f"ecal_{name}"]) for name in ("eta", "phi"))
    dphi = wrapped(phi - float(result["sc_phi"][k]))
    deta = eta - float(result["sc_eta"][k])
    panel = Panel(LEFT, TOP, SIDE, SIDE, (-HALF_ETA, HALF_ETA), (-HALF_PHI, HALF_PHI))
    names = ("η − η of the super-cluster", "φ − φ of the super-cluster (rad)")
    lines = [panel.frame(*names, ticks(panel.x, 0.05), ticks(panel.y, 0.2))]
    own = np.flatnonzero(result["cluster_sc"] == k)
    own = own[np.argsort(-result["cluster_energy"][own])]
    cluster = result["ecal_cluster"]
    near = (np.abs(deta) < HALF_ETA) & (np.abs(dphi) < HALF_PHI)
    half = np.clip(2.0 * np.log2(1 + as_float64(event["ecal_energy"]) / 0.1), 1.5, 14.0) / 2
    colours = {int(c): (RED, BLUE, GREEN, PINK, ORANGE, SKY)[min(i, 5)] for i, c in enumerate(own)}
    across, down = panel.at(deta, dphi)
    for i in np.flatnonzero(near):
        colour = colours.get(int(cluster[i]), GREY)
        lines.append(
            f'<rect x="{across[i] - half[i]:.1f}" y="{down[i] - half[i]:.1f}" width="{2 * half[i]:.1f}" '
            f'height="{2 * half[i]:.1f}" fill="{colour}" fill-opacity="0.8"/>'
        )
    entries = [
        (
            colours[int(c)],
            f"cluster, {result['cluster_energy'][c]:.1f} GeV{' …' if rank == 5 and len(own) > 6 else ''}",
        )
        for rank, c in enumerate(own[:6])
    ]
    lines.append(legend(entries, LEFT, TOP + SIDE + 52, 150, a_row=3))
    others = "crystals of others; the area grows with the logarithm of the energy"
    lines.append(legend([(GREY, others)], LEFT, TOP + SIDE + 92, 0))
    return lines


def _matched(result: Arrays, k: int) -> Array:
    hits = np.concatenate([result[f"seed_hit{i}"][result["seed_sc"] == k] for i in range(3)])
    return np.unique(hits[hits >= 0])


def _hits(event: Arrays, result: Arrays, k: int) -> list[str]:
    """Barrel hits by radius and azimuth, with where either charge would pass."""
    x, y, z = (as_float64(event[f"hit_{axis}"]) for axis in "xyz")
    r, dphi = np.hypot(x, y), wrapped(np.arctan2(y, x) - float(result["sc_phi"][k]))
    radius = float(np.hypot(result["sc_x"][k], result["sc_y"][k]))
    turning = TURNING * np.cosh(float(result["sc_eta"][k])) / float(result["sc_energy"][k])
    end = float(np.arcsin(min(turning * radius, 1.0)))
    width = 1e3 * (end + 0.08)
    panel = Panel(SECOND, TOP, SIDE, SIDE, (-width, width), (0.0, LARGEST_R_CM))
    names = ("φ − φ of the super-cluster (mrad)", "distance from the beam line (cm)")
    lines = [panel.frame(*names, ticks(panel.x, 50), ticks(panel.y, 5))]
    way = np.linspace(0.0, LARGEST_R_CM, 40)
    for charge, colour in zip(CHARGES, (BLUE, RED), strict=True):
        middle = 1e3 * charge * (end - np.arcsin(np.minimum(turning * way, 1.0)))
        lines.append(panel.lines([(middle, way)], colour, 1.5))
        for sign in (-1, 1):
            edge = middle + sign * 1e3 * DEFAULTS["first_dphi"]
            inside = np.abs(edge) < width
            lines.append(panel.lines([(edge[inside], way[inside])], colour, 1, 'stroke-dasharray="3 4"'))
    matched = _matched(result, k)
    vertex = z - r * (float(result["sc_z"][k]) - z) / (radius - r)
    reached = np.abs(vertex) < DEFAULTS["largest_z_cm"]
    shown = (event["hit_layer"] < 4) & (np.abs(dphi) * 1e3 < width) & reached
    shown[matched] = False
    lines.append(panel.dots(1e3 * dphi[shown], r[shown], GREY, 3.5))
    ringed = matched[(r[matched] < LARGEST_R_CM) & (np.abs(dphi[matched]) * 1e3 < width)]
    for u, v in zip(*panel.at(1e3 * dphi[ringed], r[ringed]), strict=True):
        lines.append(
            f'<circle cx="{u:.1f}" cy="{v:.1f}" r="5" fill="none" stroke="{BLACK}" stroke-width="2"/>'
        )
    entries = (
        (BLUE, "way of an electron, and the window of the first hit"),
        (RED, "way of a positron, and the window"),
        (GREY, "hits that point to a vertex within 12.5 cm"),
        (BLACK, f"hits of the {int((result['seed_sc'] == k).sum())} seeds"),
    )
    lines.append(legend(entries, SECOND, TOP + SIDE + 52, 0, a_row=1))
    return lines


def picture(event: Arrays, result: Arrays) -> str:
    """SVG of the super-cluster of most clusters that has seeds, and of the pixel hits before it."""
    k = chosen_supercluster(result)
    head = (
        f"{len(event['ecal_energy'])} crystals, {len(result['cluster_energy'])} clusters, {len(result['sc_energy'])} "
        f"super-clusters, {len(event['hit_x'])} pixel hits, {len(result['seed_sc'])} seeds"
    )
    title = f"Electron seeding: {head}"
    if k is None:
        return page(WIDTH, HEIGHT, LEFT, title, "no super-cluster in this event", [])
    energy, eta = float(result["sc_energy"][k]), float(result["sc_eta"][k])
    said = f"one super-cluster of {energy:.1f} GeV, transverse {energy / np.cosh(eta):.1f} GeV, η = {eta:.2f}"
    return page(WIDTH, HEIGHT, LEFT, title, said, [*_crystals(event, result, k), *_hits(event, result, k)])
