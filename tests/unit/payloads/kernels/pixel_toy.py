"""Helices through flat pixel modules in plain NumPy: events whose truth is known without the simulation.

No scattering, no noise, charge spread evenly along the path: what is lost here is lost by the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Pixel = tuple[int, int, int]  # module, row, column
NAMES = ("layer", "x", "y", "z", "rotation", "lorentz_x", "lorentz_y", "thickness")
RADIUS_CM_PER_GEV = 1 / (0.00299792458 * 3.8)


@dataclass(frozen=True)
class Modules:
    """Flat modules: centre [n, 3] and axes [n, 3, 3] (rows local x, local y, normal) in cm, pixels as edges in cm."""

    layer: npt.NDArray[np.uint8]
    centre: Floats
    axes: Floats
    lorentz: Floats
    thickness: Floats
    row_edges: Floats
    column_edges: Floats


def edges(pixels: int, pitch: float, large: set[int]) -> Floats:
    """Edges of pixels from the module's centre; those in `large` are twice as wide."""
    units = np.concatenate([[0], np.cumsum([2 if i in large else 1 for i in range(pixels)])])
    return np.asarray((units - units[-1] / 2) * pitch, dtype=np.float64)


def of_frames(events: dict[str, npt.NDArray[np.generic]]) -> Modules:
    """The real frames of phase 1, from an event set of the simulation."""
    columns = {name: np.asarray(events[f"module_{name}"], dtype=np.float64) for name in NAMES}
    return Modules(
        layer=columns["layer"].astype(np.uint8),
        centre=np.stack([columns[axis] for axis in "xyz"], axis=1),
        axes=columns["rotation"].reshape(-1, 3, 3),
        lorentz=np.stack([columns["lorentz_x"], columns["lorentz_y"]], axis=1),
        thickness=columns["thickness"],
        row_edges=edges(160, 0.01, {79, 80}),
        column_edges=edges(416, 0.015, {c for c in range(416) if c % 52 in (0, 51)}),
    )


def phase2() -> Modules:
    """A detector with phase 2's 28 layers, near their published radii and z; modules of 1.68 x 2.16 cm, face on."""
    layer, centre, axes = [], [], []
    for index, radius in enumerate((3.0, 6.1, 10.4, 14.6)):
        around = int(np.ceil(2 * np.pi * radius / 1.55))
        for phi in 2 * np.pi * np.arange(around) / around:
            for step, z in enumerate(np.arange(-19.8, 20, 2.1)):
                r = radius + 0.1 * (step % 2)
                layer.append(index)
                centre.append((r * np.cos(phi), r * np.sin(phi), z))
                axes.append(((-np.sin(phi), np.cos(phi), 0), (0, 0, 1), (np.cos(phi), np.sin(phi), 0)))
    discs = (25.0, 32.0, 40.9, 52.3, 66.8, 85.5, 109.4, 140.0, 175.0, 193.0, 222.0, 250.0)
    for first, side in ((4, 1), (16, -1)):
        for index, z in enumerate(discs):
            for ring, r in enumerate(np.arange(4.0, 16 if index < 8 else 25, 2.0)):
                around = int(np.ceil(2 * np.pi * (r + 1) / 1.6))
                for step, phi in enumerate(2 * np.pi * np.arange(around) / around):
                    layer.append(first + index)
                    centre.append(
                        (r * np.cos(phi), r * np.sin(phi), side * (z + 0.2 * (ring % 2) + 0.1 * (step % 2)))
                    )
                    axes.append(((-np.sin(phi), np.cos(phi), 0), (np.cos(phi), np.sin(phi), 0), (0, 0, -1)))
    count = len(layer)
    return Modules(
        layer=np.array(layer, dtype=np.uint8),
        centre=np.array(centre, dtype=np.float64),
        axes=np.array(axes, dtype=np.float64),
        lorentz=np.zeros((count, 2)),
        thickness=np.full(count, 0.0150),
        row_edges=edges(672, 0.0025, set()),
        column_edges=edges(216, 0.01, set()),
    )


def crossings(modules: Modules, particle: dict[str, float]) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Modules that a helix crosses, where (local x, y) and how steeply (local dx/dn, dy/dn)."""
    radius = particle["pt"] * RADIUS_CM_PER_GEV
    turn = -particle["charge"] / radius  # of the direction, per cm of bent path
    start = np.array([particle["x"], particle["y"], particle["z"]])
    cot = np.sinh(particle["eta"])

    def point(s: Floats) -> tuple[Floats, Floats]:
        angle = particle["phi"] + turn * s
        x = start[0] + (np.sin(angle) - np.sin(particle["phi"])) / turn
        y = start[1] - (np.cos(angle) - np.cos(particle["phi"])) / turn
        return np.stack([x, y, start[2] + cot * s], -1), np.stack(
            [np.cos(angle), np.sin(angle), cot + 0 * s], -1
        )

    normal = modules.axes[:, 2]
    s = np.linalg.norm(modules.centre[:, :2] - start[:2], axis=1)
    barrel = modules.layer < 4
    if abs(cot) > 1e-6:
        s = np.where(barrel, s, (modules.centre[:, 2] - start[2]) / cot)
    alive = (s > 0) & (s < 2.5 * radius)
    s = np.where(alive, s, 1.0)
    for _ in range(6):
        place, direction = point(s)
        slope = (direction * normal).sum(-1)
        step = ((place - modules.centre) * normal).sum(-1) / np.where(np.abs(slope) > 1e-3, slope, 1e-3)
        s = np.clip(s - step, 0.01, 3 * radius)
    place, direction = point(s)
    local = np.einsum("mij,mj->mi", modules.axes, place - modules.centre)
    slopes = np.einsum("mij,mj->mi", modules.axes, direction)
    inside = alive & (np.abs(local[:, 2]) < 1e-6)
    inside &= (np.abs(local[:, 0]) < modules.row_edges[-1]) & (np.abs(local[:, 1]) < modules.column_edges[-1])
    inside &= np.abs(slopes[:, 2]) > 0.05
    found = np.nonzero(inside)[0]
    return found, local[found, :2], slopes[found, :2] / slopes[found, 2:]


def make_particles(
    count: int, rng: np.random.Generator, max_eta: float = 2.3, min_pt: float = 0.7
) -> list[dict[str, float]]:
    """Particles from the beam line, z within +-8 cm, flat in eta and phi, falling in pT."""
    return [
        {
            "pt": min(min_pt + rng.exponential(1.5), 50.0),
            "eta": rng.uniform(-max_eta, max_eta),
            "phi": rng.uniform(-np.pi, np.pi),
            "charge": rng.choice([-1.0, 1.0]),
            "x": rng.normal(0, 0.002),
            "y": rng.normal(0, 0.002),
            "z": rng.normal(0, 4.0),
        }
        for _ in range(count)
    ]


def _deposit(
    modules: Modules,
    particle: int,
    module: int,
    local: Floats,
    slope: Floats,
    charge: dict[Pixel, dict[int, float]],
) -> None:
    """Spread the charge of one crossing over pixels."""
    thickness, steps = modules.thickness[module], 40
    depth = (np.arange(steps) + 0.5) / steps - 0.5
    x = local[0] + depth * thickness * slope[0] - (2 * depth + 1) * modules.lorentz[module, 0]
    y = local[1] + depth * thickness * slope[1] - (2 * depth + 1) * modules.lorentz[module, 1]
    rows = np.searchsorted(modules.row_edges, x, "right") - 1
    columns = np.searchsorted(modules.column_edges, y, "right") - 1
    electrons = 80e4 * thickness * np.hypot(1.0, np.hypot(*slope)) / steps
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if 0 <= row < len(modules.row_edges) - 1 and 0 <= column < len(modules.column_edges) - 1:
            shares = charge.setdefault((module, row, column), {})
            shares[particle] = shares.get(particle, 0.0) + electrons


def _digitise(
    modules: Modules, charge: dict[Pixel, dict[int, float]]
) -> list[tuple[int, int, int, int, int]]:
    """Module, row, column, adc, particle of every pixel above 1000 electrons."""
    digis = []
    for (module, row, column), shares in sorted(charge.items()):
        total = sum(shares.values())
        adc = int((total + 670) / 50) if modules.layer[module] == 0 else int((total + 60) / 47)
        if total > 1000:
            digis.append((module, row, column, min(adc, 65535), max(shares, key=lambda p: shares[p])))
    return digis


def make_events(
    modules: Modules, particles: list[list[dict[str, float]]]
) -> dict[str, npt.NDArray[np.generic]]:
    """An event set of section ``pixel`` of these particles, a list for each event."""
    digis: list[tuple[int, int, int, int, int]] = []
    offset, crossed, crossing_offset, particle_offset = [0], [], [0], [0]
    for event in particles:
        charge: dict[Pixel, dict[int, float]] = {}
        for index, particle in enumerate(event):
            for module, local, slope in zip(*crossings(modules, particle), strict=True):
                _deposit(modules, index, int(module), local, slope, charge)
                place = modules.centre[module] + local @ modules.axes[module, :2]
                crossed.append((index, int(module), *place))
        digis += _digitise(modules, charge)
        offset.append(len(digis))
        crossing_offset.append(len(crossed))
        particle_offset.append(particle_offset[-1] + len(event))
    columns = list(zip(*digis, strict=True)) if digis else [()] * 5
    every = [particle for event in particles for particle in event]
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "digi_offset": np.array(offset, np.int32),
        "crossing_offset": np.array(crossing_offset, np.int32),
        "particle_offset": np.array(particle_offset, np.int32),
        "module_layer": modules.layer,
        "module_rotation": modules.axes.astype(np.float32).reshape(-1),
        "module_thickness": modules.thickness.astype(np.float32),
        "digi_particle": np.array(columns[4], np.int32),
        "crossing_particle": np.array([c[0] for c in crossed], np.int32),
        "crossing_module": np.array([c[1] for c in crossed], np.uint16),
        "particle_charge": np.array([p["charge"] for p in every], np.int8),
    }
    for k, name in enumerate(("module", "row", "column", "adc")):
        arrays[f"digi_{name}"] = np.array(columns[k], np.uint16)
    for k, axis in enumerate("xyz"):
        arrays[f"module_{axis}"] = modules.centre[:, k].astype(np.float32)
        arrays[f"crossing_{axis}"] = np.array([c[2 + k] for c in crossed], np.float32)
    for k, axis in enumerate("xy"):
        arrays[f"module_lorentz_{axis}"] = modules.lorentz[:, k].astype(np.float32)
    for name in ("pt", "eta", "phi", "x", "y", "z"):
        arrays[f"particle_{name}"] = np.array([p[name] for p in every], np.float32)
    return arrays
