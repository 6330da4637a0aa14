"""Efficiency, fakes and duplicates of the tracks from double layers against pT, eta and displacement, as Markdown.

    python -m benchmarks.catracks_efficiency [--events 20]

Efficiency by what the particle is, fakes and duplicates by what the track says of itself; made at the place where the
particle was made, and the track's distance from the beam line.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np

from payloads.arrays import Array, as_float64, one_event
from payloads.compiled import best_variant, open_kernel, simulate
from payloads.kernels.catracks.physics import particle_of_track, wanted_particles
from payloads.matching import Floats

SEED = 31
EDGES = {
    "pT (GeV)": (0.9, 1.2, 2.0, 5.0, 20.0, 1000.0),
    "abs(eta)": (0.0, 0.5, 1.0, 1.5, 2.0, 2.5),
    "displacement (cm)": (0.0, 0.2, 1.0, 2.0, 5.0, 10.0, 20.0),
}


def main() -> None:
    """Print one table for each pile-up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=20)
    count = parser.parse_args().events
    for pile_up in (140, 200):
        particles: dict[str, list[Floats]] = {name: [] for name in (*EDGES, "found")}
        tracks: dict[str, list[Floats]] = {name: [] for name in (*EDGES, "fake", "again")}
        multiplicities: list[list[int]] = []
        for first in range(count):
            events = simulate("outertracker", pile_up, SEED, first, 1)
            opened = open_kernel(best_variant().name, "catracks", events)
            opened.process(0)
            event, result = one_event(events, 0), opened.results()
            gather(event, result, particles, tracks)
            names = ("doublet_lower", "segment_inner", "triplet_inner", "quintuplet_inner", "track_pt")
            pairs = [int(result[f"count_{kind}_pairs"][0]) for kind in ("segment", "triplet")]
            multiplicities.append([len(event["hit_x"]), *(len(result[name]) for name in names), *pairs])
        report(pile_up, count, particles, tracks, np.array(multiplicities))


def gather(
    event: dict[str, Array],
    result: dict[str, Array],
    particles: dict[str, list[Floats]],
    tracks: dict[str, list[Floats]],
) -> None:
    """Add what one event has of both."""
    own = particle_of_track(event, result)
    wanted = wanted_particles(event)
    found = np.zeros(len(wanted))
    found[own[own >= 0]] = 1
    again = np.zeros(len(own))
    matched = np.nonzero(own >= 0)[0]
    again[matched] = 1
    again[matched[np.unique(own[matched], return_index=True)[1]]] = 0
    made_at = np.hypot(as_float64(event["particle_x"]), as_float64(event["particle_y"]))
    values = (as_float64(event["particle_pt"]), np.abs(as_float64(event["particle_eta"])), made_at, found)
    for name, column in zip(particles, values, strict=True):
        particles[name].append(column[wanted])
    eta = np.abs(np.arcsinh(as_float64(result["track_cot"])))
    columns = (as_float64(result["track_pt"]), eta, as_float64(result["track_impact"]), own < 0, again)
    for name, column in zip(tracks, columns, strict=True):
        tracks[name].append(np.asarray(column, dtype=np.float64))


def report(
    pile_up: int,
    count: int,
    particles: dict[str, list[Floats]],
    tracks: dict[str, list[Floats]],
    numbers: Array,
) -> None:
    """Print the tables of one pile-up."""
    said = (
        "hits",
        "mini-doublets",
        "segments",
        "triplets",
        "quintuplets",
        "tracks",
        "segment pairs",
        "triplet pairs",
    )
    print(f"\npile-up {pile_up}, {count} events: mean and spread an event")
    for name, mean, spread in zip(said, numbers.mean(axis=0), numbers.std(axis=0), strict=True):
        print(f"| {name} | {mean:,.0f} ± {spread:,.0f} |")
    true, made = (
        {name: np.concatenate(column) for name, column in one.items()} for one in (particles, tracks)
    )
    print("| | efficiency | particles | fakes | duplicates | tracks |\n|---|---|---|---|---|---|")
    for name, edges in EDGES.items():
        for low, high in pairwise(edges):
            of_particles = (true[name] >= low) & (true[name] < high)
            of_tracks = (made[name] >= low) & (made[name] < high)
            shares = [true["found"][of_particles], made["fake"][of_tracks], made["again"][of_tracks]]
            efficiency, fakes, again = (f"{share.mean():.3f}" if len(share) else "–" for share in shares)
            print(
                f"| {name} {low:g} to {high:g} | {efficiency} | {of_particles.sum()} | {fakes} | {again} | "
                f"{of_tracks.sum()} |"
            )


if __name__ == "__main__":
    main()
