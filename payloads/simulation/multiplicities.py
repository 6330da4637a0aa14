"""Multiplicities of the simulated pixel detector beside the published ones: ``python -m payloads.simulation.multiplicities``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads import compiled
from payloads.arrays import Array, Arrays, each_event

# Mean and standard deviation over 1000 events of top pairs with pile-up 50 that CMS reconstructed (CMS Open Data
# record 12303, CC0).
PUBLISHED: dict[str, tuple[float, float]] = {
    "digis": (59825.0, 10973.0),
    "clusters": (15097.0, 2769.0),
    "modules": (1811.7, 27.0),
    "vertices": (31.0, 5.4),
}
PILE_UPS = (35, 50, 60, 140, 200)

ROWS, COLUMNS = 160, 416
# Charge below which CMS's cluster finder drops a cluster, electrons: first layer, others.
LEAST_CHARGE = (2000.0, 4000.0)
# A collision can be found if so many of its prompt tracks are seen, and as another one if it lies so far in z (cm):
# CMS's pixel vertices join tracks within 0.07 cm and fit two tracks or more.
LEAST_TRACKS, LEAST_PT_GEV, LEAST_LAYERS, LEAST_DISTANCE_CM = 2, 0.5, 4, 0.07


@dataclass(frozen=True)
class Counts:
    """What one event holds."""

    digis: int
    clusters: int
    modules: int
    vertices: int


def electrons(layer: Array, adc: Array) -> npt.NDArray[np.float64]:
    """Charge of digis from their counts, electrons; at least 100, as in CMS's calibration."""
    charge = np.where(layer == 0, 50.0 * adc - 670.0, 47.0 * adc - 60.0)
    return np.maximum(charge, 100.0)


def cluster_labels(event: Arrays) -> npt.NDArray[np.int64]:
    """A label per digi, equal for digis of a module that touch at an edge or a corner: the smallest index."""
    rows, columns = event["digi_row"].astype(np.int64), event["digi_column"].astype(np.int64)
    # a frame of one dark pixel about each module
    place = (event["digi_module"].astype(np.int64) * (ROWS + 2) + rows + 1) * (COLUMNS + 2) + columns + 1
    order = np.argsort(place)
    ordered = place[order]
    pairs = []
    for step in (1, COLUMNS + 1, COLUMNS + 2, COLUMNS + 3):
        found = np.minimum(np.searchsorted(ordered, ordered + step), len(ordered) - 1)
        touching = ordered[found] == ordered + step
        pairs.append(np.stack([order[touching], order[found[touching]]]))
    first, second = np.concatenate(pairs, axis=1)
    label = np.arange(len(place))
    while True:
        least = label.copy()
        np.minimum.at(least, first, label[second])
        np.minimum.at(least, second, label[first])
        least = least[least]
        if np.array_equal(least, label):
            return label
        label = least


def reconstructible_vertices(event: Arrays, module_layer: Array) -> int:
    """Collisions with enough prompt tracks through enough layers, less those too near to one before them in z."""
    crossed = np.unique(
        np.stack([event["crossing_particle"], module_layer[event["crossing_module"]]]).astype(np.int64),
        axis=1,
    )
    layers = np.bincount(crossed[0], minlength=len(event["particle_pt"]))
    prompt = np.hypot(event["particle_x"], event["particle_y"]) < 0.1
    seen = prompt & (event["particle_pt"] > LEAST_PT_GEV) & (layers >= LEAST_LAYERS)
    tracks = np.bincount(event["particle_collision"][seen], minlength=len(event["collision_z"]))
    z = np.sort(event["collision_z"][tracks >= LEAST_TRACKS])
    return int(len(z) > 0) + int((np.diff(z) > LEAST_DISTANCE_CM).sum())


def count(event: Arrays) -> Counts:
    """Counts of one event of section ``pixel``, clusters after CMS's cut on charge."""
    layer = event["module_layer"][event["digi_module"]]
    _, cluster, place = np.unique(cluster_labels(event), return_index=True, return_inverse=True)
    charge = np.bincount(place, electrons(layer, event["digi_adc"].astype(np.float64)))
    least = np.where(layer[cluster] == 0, *LEAST_CHARGE)
    return Counts(
        digis=len(layer),
        clusters=int((charge > least).sum()),
        modules=len(np.unique(event["digi_module"])),
        vertices=reconstructible_vertices(event, event["module_layer"]),
    )


def simulated(pile_up: float, seed: int, events: int) -> list[Counts]:
    """Counts of this many events."""
    return [count(event) for event in each_event(compiled.simulate("pixel", pile_up, seed, 0, events))]


def column(counts: Sequence[Counts], name: str) -> npt.NDArray[np.float64]:
    """One of the counts over events."""
    return np.array([getattr(one, name) for one in counts], dtype=np.float64)


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(
        description="Multiplicities of simulated pixel events beside the published ones."
    )
    parser.add_argument("--events", type=int, default=40, help="events a row (default 40)")
    parser.add_argument("--seed", type=int, default=20261122)
    arguments = parser.parse_args()
    print("| pile-up | digis | clusters | pixels per cluster | active modules | reconstructible vertices |")
    print("|---|---|---|---|---|---|")
    cells = " | ".join(
        f"{PUBLISHED[name][0]:,.0f} ± {PUBLISHED[name][1]:,.0f}" for name in ("digis", "clusters")
    )
    modules, vertices = PUBLISHED["modules"], PUBLISHED["vertices"]
    print(
        f"| 50, CMS | {cells} | {PUBLISHED['digis'][0] / PUBLISHED['clusters'][0]:.2f} "
        f"| {modules[0]:.1f} ± {modules[1]:.1f} | {vertices[0]:.1f} ± {vertices[1]:.1f} (found) |"
    )
    for pile_up in PILE_UPS:
        counts = simulated(pile_up, arguments.seed, arguments.events)
        digis, clusters = column(counts, "digis"), column(counts, "clusters")
        many = " | ".join(f"{values.mean():,.0f} ± {values.std():,.0f}" for values in (digis, clusters))
        few = " | ".join(
            f"{values.mean():.1f} ± {values.std():.1f}"
            for values in (column(counts, "modules"), column(counts, "vertices"))
        )
        print(f"| {pile_up} | {many} | {digis.sum() / clusters.sum():.2f} | {few} |")


if __name__ == "__main__":
    main()
