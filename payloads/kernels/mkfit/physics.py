"""What mkfit's tracks are worth: against simulated truth, and beside the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64, event_count, one_event
from payloads.matching import Floats, Ints, TrackTally, angle_apart, most_common

Mask = npt.NDArray[np.bool_]

# Particles that count for efficiency: seeded, of this momentum, within the tracker's reach, seen by so many layers
# that a track of them can be asked for (pions that interact early are not mkFit's to find).
LEAST_PT_GEV, LARGEST_ETA, LEAST_LAYERS = 0.9, 2.5, 8
MATCHED = 0.75  # share of a track's hits that are of one particle (CMS: more than three quarters)
PROMPT_CM = 0.2  # from the beam line: particles for resolutions
BENDING = 0.00299792458 * 3.8  # GeV per cm
NAMES = ("pt", "phi", "theta", "d0", "z0")

# Within which tracks agree with the reference's: see `differences`.
LEAST_FOUND, LEAST_SAME_HITS = 0.97, 0.95
LARGEST_MEDIAN, LARGEST_95 = 0.1, 0.6  # standard deviations
LARGEST_ERROR_RATIO = 0.05


def hits_of_tracks(result: Arrays) -> tuple[Ints, Ints]:
    """For every hit of every track: which track, which hit of the event."""
    first = np.asarray(result["track_first_hit"], dtype=np.int64)
    return np.repeat(np.arange(len(first) - 1), np.diff(first)), np.asarray(
        result["track_hit"], dtype=np.int64
    )


def matches(event: Arrays, result: Arrays) -> tuple[Ints, Ints]:
    """For each track the particle that has more than three quarters of its hits (-1: fake), and how many of them."""
    track, hit = hits_of_tracks(result)
    count = len(result["track_first_hit"]) - 1
    owner = np.asarray(event["hit_particle"], dtype=np.int64)[hit]
    best, times = most_common(track, owner, count)
    good = times > MATCHED * np.bincount(track, minlength=count)
    return np.where(good, best, -1), np.where(good, times, 0)


def wanted_particles(event: Arrays) -> Mask:
    """Particles that count for efficiency."""
    count = len(event["particle_pt"])
    owner = np.asarray(event["hit_particle"], dtype=np.int64)
    real = owner >= 0
    seen = np.unique(np.stack([owner, np.asarray(event["hit_layer"], dtype=np.int64)])[:, real], axis=1)
    layers = np.bincount(seen[0], minlength=count)
    seeded = np.zeros(count, dtype=bool)
    seeded[event["seed_particle"][event["seed_particle"] >= 0]] = True
    wanted: Mask = (
        seeded
        & (layers >= LEAST_LAYERS)
        & (event["particle_pt"] > LEAST_PT_GEV)
        & (np.abs(event["particle_eta"]) < LARGEST_ETA)
    )
    return wanted


def true_parameters(event: Arrays, particle: Ints) -> dict[str, Floats]:
    """1/pT, phi, theta, d0 and z0 of these particles' helices at their point nearest to the z axis."""
    x, y, z, pt, phi, eta, charge = (
        as_float64(event[f"particle_{name}"])[particle]
        for name in ("x", "y", "z", "pt", "phi", "eta", "charge")
    )
    curvature = -BENDING * charge / pt
    # centre of the circle, seen from the axis; the nearest point lies on the line between them
    cx, cy = x - np.sin(phi) / curvature, y + np.cos(phi) / curvature
    side = np.sign(curvature)
    nearest = np.arctan2(-side * cx, side * cy)
    turn = angle_apart(nearest, phi)
    return {
        "pt": 1 / pt,
        "phi": nearest,
        "theta": 2 * np.arctan(np.exp(-eta)),
        "d0": side * np.hypot(cx, cy) - 1 / curvature,
        "z0": z + turn / curvature * np.sinh(eta),
    }


def fitted_parameters(result: Arrays) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """The same of tracks, with standard deviations; d0 grows to the left of the momentum."""
    x, y, z, inverse, phi, theta = (
        as_float64(result[f"track_{name}"]) for name in ("x", "y", "z", "inverse_pt", "phi", "theta")
    )
    packed = as_float64(result["track_covariance"]).reshape(-1, 21)
    sine, cosine = np.sin(phi), np.cos(phi)
    values = {"pt": inverse, "phi": phi, "theta": theta, "d0": y * cosine - x * sine, "z0": z}
    across2 = sine**2 * packed[:, 0] - 2 * sine * cosine * packed[:, 1] + cosine**2 * packed[:, 2]
    variances = {
        "pt": packed[:, 9],
        "phi": packed[:, 14],
        "theta": packed[:, 20],
        "d0": across2,
        "z0": packed[:, 5],
    }
    return values, {name: np.sqrt(np.maximum(variance, 0.0)) for name, variance in variances.items()}


def _apart(name: str, one: Floats, other: Floats) -> Floats:
    return angle_apart(one, other) if name == "phi" else one - other


@dataclass
class Tally(TrackTally):
    """Sums over events."""

    overflows: int = 0

    def take(self, event: Arrays, result: Arrays) -> None:
        """Add one event."""
        match, times = matches(event, result)
        wanted = wanted_particles(event)
        self.count(match, wanted)
        self.overflows += int(np.sum(result["overflows"]))
        use = match >= 0
        use[use] = wanted[match[use]]
        hits = np.diff(as_float64(result["track_first_hit"]))
        owner = np.asarray(event["hit_particle"], dtype=np.int64)
        own = np.bincount(owner[owner >= 0], minlength=len(wanted))
        self.add("hits", hits[use])
        shared = times[use].astype(np.float64)
        self.add("purity", shared / hits[use])
        self.add("completeness", shared / own[match[use]])
        self.add("chi2", as_float64(result["track_chi2"])[use] / (2 * hits[use] - 5))
        self.add(
            "charge", (result["track_charge"][use] == event["particle_charge"][match[use]]).astype(np.float64)
        )
        use[use] = np.hypot(event["particle_x"], event["particle_y"])[match[use]] < PROMPT_CM
        true = true_parameters(event, match[use])
        fitted, errors = fitted_parameters(result)
        for name in NAMES:
            apart = _apart(name, fitted[name][use], true[name])
            self.add(f"{name}_pull", apart / errors[name][use])
            self.add(name, apart / true[name] if name == "pt" else apart)


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """The metrics of the manifest, over all events together.

    Args:
        events: a set of section ``tracker``.
        results: of all its events, in their order.

    Returns:
        One number a metric; nan where nothing was there to measure.

    Raises:
        ValueError: not one result an event.
    """
    if len(results) != event_count(events):
        raise ValueError(f"{len(results)} results for {event_count(events)} events: give one each")
    tally = Tally()
    for index, result in enumerate(results):
        tally.take(one_event(events, index), result)
    return {
        **tally.rates(),
        "tracks": tally.tracks / max(len(results), 1),
        "hits_per_track": tally.mean("hits"),
        "purity": tally.mean("purity"),
        "completeness": tally.mean("completeness"),
        "chi2_per_freedom": tally.mean("chi2"),
        "charge_right": tally.mean("charge"),
        "pt_relative": tally.width("pt"),
        "pt_bias": tally.median("pt"),
        "phi_mrad": 1e3 * tally.width("phi"),
        "theta_mrad": 1e3 * tally.width("theta"),
        "d0_um": 1e4 * tally.width("d0"),
        "z0_um": 1e4 * tally.width("z0"),
        **{f"{name}_pull": tally.width(f"{name}_pull") for name in NAMES},
        "overflows": tally.overflows / max(len(results), 1),
    }


def _hit_sets(result: Arrays) -> list[frozenset[int]]:
    first, hits = np.asarray(result["track_first_hit"]).tolist(), np.asarray(result["track_hit"]).tolist()
    return [frozenset(hits[first[k] : first[k + 1]]) for k in range(len(first) - 1)]


def differences(reference: Arrays, result: Arrays) -> str | None:
    """None if the tracks are the reference's within its tolerance, else one sentence.

    Of the reference's tracks, built and smoothed in double precision, 97 % have a track with more than three quarters of
    its hits from them; 95 % of the tracks of either have the very same hits in the other. Of the latter parameters agree
    within 0.1 standard deviations in the median and 0.6 in 95 %, the standard deviations within 5 % in the median.
    """
    wanted, found = _hit_sets(reference), _hit_sets(result)
    tracks_of: dict[int, list[int]] = {}
    for track, hits in enumerate(found):
        for hit in hits:
            tracks_of.setdefault(hit, []).append(track)
    there = 0
    same: list[tuple[int, int]] = []
    for one, hits in enumerate(wanted):
        near = {track for hit in hits for track in tracks_of.get(hit, ())}
        there += any(len(found[track] & hits) > MATCHED * len(found[track]) for track in near)
        same.extend((one, track) for track in near if found[track] == hits)
    if there < LEAST_FOUND * len(wanted):
        return f"only {there} of the reference's {len(wanted)} tracks were found"
    if len(same) < LEAST_SAME_HITS * max(len(wanted), len(found)):
        return f"only {len(same)} of {len(found)} tracks have the very same hits as one of the reference's {len(wanted)}"
    theirs, mine = np.array(same, dtype=np.int64).reshape(-1, 2).T
    values, errors = fitted_parameters(result)
    worst = np.zeros(len(mine))
    for name in NAMES:
        sigma = as_float64(reference[f"track_sigma_{name}"])[theirs]
        apart = _apart(name, values[name][mine], as_float64(reference[f"track_{name}"])[theirs])
        worst = np.maximum(worst, np.abs(apart) / sigma)
        ratio = float(np.median(errors[name][mine] / sigma)) if len(mine) else 1.0
        if not abs(ratio - 1) <= LARGEST_ERROR_RATIO:
            return f"standard deviations of {name} are {ratio:.3f} of the reference's (median)"
    middle, most = np.quantile(worst, (0.5, 0.95)) if len(worst) else (0.0, 0.0)
    if not (middle <= LARGEST_MEDIAN and most <= LARGEST_95):
        return f"fits are {middle:.3f} (median) and {most:.3f} (95 %) standard deviations off the reference's"
    return None
