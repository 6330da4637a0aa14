"""Whether the tracks are right: against simulated truth, and against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64, event_count, one_event
from payloads.matching import Floats, Ints, TrackTally, angle_apart, most_common

GOOD = 3  # tuple_quality of a track
SHARE = 0.75  # of its hits that a track must have from one particle
# What a track is asked for: charged, from the beam region, of this momentum, in the detector's reach, seen by 4 layers.
MIN_PT_GEV, MAX_ETA, MAX_RADIUS_CM, MAX_Z_CM, MIN_LAYERS = 0.9, 2.4, 0.2, 12.0, 4
PARAMETERS = ("pt", "phi", "tip", "zip", "cot")


@dataclass
class Tally(TrackTally):
    """Sums over events."""

    clusters: int = 0
    ntuplets: int = 0


def particle_of_cluster(event: Arrays, result: Arrays) -> Ints:
    """The particle that most of a cluster's digis are of, -1 for noise."""
    label = np.asarray(result["digi_cluster"], dtype=np.int64)
    particle = np.asarray(event["digi_particle"], dtype=np.int64)
    return most_common(label, particle, len(result["cluster_x"]))[0]


def hits_of_tracks(result: Arrays) -> tuple[Ints, Ints]:
    """For every hit of every track: which track, which cluster."""
    offset = np.asarray(result["tuple_offset"], dtype=np.int64)
    tuples = np.asarray(result["track_tuple"], dtype=np.int64)
    length = offset[tuples + 1] - offset[tuples]
    track = np.repeat(np.arange(len(tuples)), length)
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    return track, np.asarray(result["tuple_hit"], dtype=np.int64)[offset[tuples][track] + within]


def particle_of_track(event: Arrays, result: Arrays) -> Ints:
    """The particle that three quarters of a track's hits are of, -1 for a fake."""
    track, cluster = hits_of_tracks(result)
    count = len(result["track_tuple"])
    best, times = most_common(track, particle_of_cluster(event, result)[cluster], count)
    return np.where(times >= SHARE * np.bincount(track, minlength=count), best, -1)


def wanted_particles(event: Arrays) -> npt.NDArray[np.bool_]:
    """Particles whose tracks count for efficiency."""
    count = len(event["particle_pt"])
    layer = np.asarray(event["module_layer"], dtype=np.int64)[event["crossing_module"]]
    particle = np.asarray(event["crossing_particle"], dtype=np.int64)
    seen = np.zeros((count, 32), dtype=bool)
    seen[particle, layer] = True
    wanted: npt.NDArray[np.bool_] = (
        (event["particle_charge"] != 0)
        & (event["particle_pt"] > MIN_PT_GEV)
        & (np.abs(event["particle_eta"]) < MAX_ETA)
        & (np.hypot(event["particle_x"], event["particle_y"]) < MAX_RADIUS_CM)
        & (np.abs(event["particle_z"]) < MAX_Z_CM)
        & (seen.sum(axis=1) >= MIN_LAYERS)
    )
    return wanted


def true_parameters(event: Arrays, particle: Ints) -> dict[str, Floats]:
    """Parameters at the point closest to the z axis of the helices of these particles (field 3.8 T)."""
    get = {
        name: as_float64(event[f"particle_{name}"])[particle]
        for name in ("pt", "eta", "phi", "x", "y", "z", "charge")
    }
    cot = np.sinh(get["eta"])
    turn = -get["charge"] * 0.00299792458 * 3.8 / get["pt"]  # per cm
    left = -get["x"] * np.sin(get["phi"]) + get["y"] * np.cos(get["phi"])
    ahead = get["x"] * np.cos(get["phi"]) + get["y"] * np.sin(get["phi"])
    # to second order in the small distance from the axis
    return {
        "pt": get["pt"],
        "cot": cot,
        "phi": get["phi"] - turn * ahead,
        "tip": left - turn * ahead**2 / 2,
        "zip": get["z"] - cot * ahead,
    }


def _hit_residuals(event: Arrays, result: Arrays, tally: Tally) -> None:
    particle = particle_of_cluster(event, result)
    module = np.asarray(result["cluster_module"], dtype=np.int64)
    modules = len(event["module_layer"])
    key = np.asarray(event["crossing_particle"], dtype=np.int64) * modules + event["crossing_module"]
    unique, index, count = np.unique(key, return_index=True, return_counts=True)
    mine = particle * modules + module
    place = np.clip(np.searchsorted(unique, mine), 0, max(len(unique) - 1, 0))
    # once only: neither a looper's second crossing nor a second piece of the same cluster
    ours = np.unique(mine, return_counts=True)
    single = ours[1][np.searchsorted(ours[0], mine)] == 1
    good = (particle >= 0) & (unique[place] == mine) & (count[place] == 1) & single
    crossing = index[place[good]]
    apart = np.stack(
        [
            as_float64(result[f"cluster_{axis}"])[good] - as_float64(event[f"crossing_{axis}"])[crossing]
            for axis in "xyz"
        ],
        1,
    )
    axes = as_float64(event["module_rotation"]).reshape(-1, 3, 3)[module[good]]
    for k, axis in enumerate("xy"):
        along = (apart * axes[:, k]).sum(axis=1)
        tally.add(f"hit_{axis}", along)
        tally.add(f"hit_{axis}_pull", along / np.sqrt(as_float64(result[f"cluster_var_{axis}"])[good]))


def _track_residuals(event: Arrays, result: Arrays, particle: Ints, tally: Tally) -> None:
    chosen = particle >= 0
    chosen[chosen] = wanted_particles(event)[particle[chosen]]
    true = true_parameters(event, particle[chosen])
    for name in PARAMETERS:
        value = as_float64(result[f"track_{name}"])[chosen]
        error = as_float64(result[f"track_{name}_error"])[chosen]
        if name == "pt":  # the curvature is what is measured
            tally.add(name, true["pt"] / value - 1)
            tally.add("pt_pull", (1 / value - 1 / true["pt"]) / (error / value**2))
            continue
        apart = angle_apart(value, true[name]) if name == "phi" else value - true[name]
        tally.add(name, apart)
        tally.add(f"{name}_pull", apart / error)


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """Efficiency, fakes, duplicates, widths of residuals and pulls, multiplicities an event.

    Args:
        events: a set of section ``pixel``.
        results: of all its events, in their order.

    Returns:
        One number a metric of the manifest; nan where nothing was there to measure.

    Raises:
        ValueError: not one result an event.
    """
    if len(results) != event_count(events):
        raise ValueError(f"{len(results)} results for {event_count(events)} events: give one each")
    tally = Tally()
    for index, result in enumerate(results):
        event = one_event(events, index)
        particle = particle_of_track(event, result)
        tally.count(particle, wanted_particles(event))
        tally.clusters += len(result["cluster_x"])
        tally.ntuplets += len(result["tuple_quality"])
        _hit_residuals(event, result, tally)
        _track_residuals(event, result, particle, tally)
    count = max(len(results), 1)
    return {
        **tally.rates(),
        "hit_x_um": 1e4 * tally.width("hit_x"),
        "hit_y_um": 1e4 * tally.width("hit_y"),
        "pt_relative": tally.width("pt"),
        "pt_bias": tally.median("pt"),
        "phi_mrad": 1e3 * tally.width("phi"),
        "tip_um": 1e4 * tally.width("tip"),
        "zip_um": 1e4 * tally.width("zip"),
        "cot": tally.width("cot"),
        **{f"{name}_pull": tally.width(f"{name}_pull") for name in ("hit_x", "hit_y", *PARAMETERS)},
        "clusters": tally.clusters / count,
        "ntuplets": tally.ntuplets / count,
        "tracks": tally.tracks / count,
    }


def _tuples(result: Arrays) -> dict[tuple[int, ...], int]:
    offset = np.asarray(result["tuple_offset"]).tolist()
    hits, quality = np.asarray(result["tuple_hit"]).tolist(), np.asarray(result["tuple_quality"]).tolist()
    return {tuple(hits[offset[k] : offset[k + 1]]): value for k, value in enumerate(quality)}


def differences(reference: Arrays, result: Arrays) -> str | None:
    """The first thing in which a result differs from the reference by more than rounding.

    Clusters are equal, hits are within 0.1 um. Of n-tuplets, and of their verdicts, two in a thousand may differ: a
    single-precision hit that meets a cut within its rounding. Parameters of tracks of both are within half a percent
    of their error, errors within 0.2 %, 1 + chi2 within 1 %; of a hundred tracks one may be worse.

    Returns:
        None, or one sentence.
    """
    for name in ("digi_cluster", "cluster_module", "cluster_electrons", "cluster_digis"):
        if not np.array_equal(reference[name], result[name]):
            return f"{name} differs from the reference: clusters must be equal"
    count = len(reference["cluster_x"])
    for name in ("cluster_x", "cluster_y", "cluster_z"):
        worst = float(np.max(np.abs(as_float64(reference[name]) - as_float64(result[name])), initial=0.0))
        if not worst <= 1e-5:
            return f"{name} is up to {worst * 1e4:.2f} um off the reference, not 0.1"
    if np.count_nonzero(reference["cluster_length"] != result["cluster_length"]) > 0.002 * count:
        return "cluster_length differs from the reference in more than two clusters of a thousand"
    wanted, found = _tuples(reference), _tuples(result)
    if len(found) != len(result["tuple_quality"]):
        return "an n-tuplet is there twice"
    allowed = 0.002 * max(len(wanted), 1)
    apart = len(wanted.keys() ^ found.keys())
    if apart > allowed:
        return f"{apart} n-tuplets of {len(wanted)} are in the result or the reference only, more than {allowed:.0f}"
    other = sum(wanted[key] != found[key] for key in wanted.keys() & found.keys())
    if other > allowed:
        return f"{other} n-tuplets of {len(wanted)} have another quality than in the reference"
    return _track_differences(reference, result)


def _track_differences(reference: Arrays, result: Arrays) -> str | None:
    def tracks(arrays: Arrays) -> dict[tuple[int, ...], int]:
        names = list(_tuples(arrays))
        return {names[index]: track for track, index in enumerate(np.asarray(arrays["track_tuple"]).tolist())}

    wanted, found = tracks(reference), tracks(result)
    both = sorted(wanted.keys() & found.keys())
    one, other = [wanted[key] for key in both], [found[key] for key in both]
    bad = np.zeros(len(both), dtype=bool)
    for name in PARAMETERS:
        error = as_float64(reference[f"track_{name}_error"])[one]
        mine, theirs = as_float64(result[f"track_{name}"])[other], as_float64(reference[f"track_{name}"])[one]
        apart = angle_apart(mine, theirs) if name == "phi" else mine - theirs
        bad |= ~(np.abs(apart) <= 0.005 * error)
        bad |= ~(np.abs(as_float64(result[f"track_{name}_error"])[other] - error) <= 0.002 * error)
    chi2 = as_float64(reference["track_chi2"])[one]
    bad |= ~(np.abs(as_float64(result["track_chi2"])[other] - chi2) <= 0.01 * (1 + chi2))
    bad |= np.asarray(result["track_charge"])[other] != np.asarray(reference["track_charge"])[one]
    if bad.sum() > 0.01 * len(both):
        return f"{bad.sum()} of {len(both)} tracks have parameters off the reference's by more than the tolerance"
    return None
