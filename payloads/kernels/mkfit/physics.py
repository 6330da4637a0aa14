"""What mkfit's tracks are worth: against simulated truth, and beside the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payloads.arrays import Array, Arrays, as_float64, one_event

LEAST_PT_GEV = 0.9
LARGEST_ETA = 2.5
MATCHED = 0.75  # share of a track's hits that are of one particle (CMS: more than three quarters)


def matches(event: Arrays, result: Arrays) -> Array:
    """For each track the particle that has more than three quarters of its hits, or -1."""
    first, owner = result["track_first_hit"], event["hit_particle"]
    found = np.full(len(first) - 1, -1, dtype=np.int64)
    for track in range(len(found)):
        own = owner[result["track_hit"][first[track] : first[track + 1]]]
        real = own[own >= 0]
        if len(real):
            counts = np.bincount(real)
            best = int(counts.argmax())
            if counts[best] > MATCHED * len(own):
                found[track] = best
    return found


def _width(values: Array) -> float:
    """Half of the range that holds the middle 68.3 %: a standard deviation that tails do not move."""
    low, high = np.percentile(values, [15.87, 84.13])
    return float(high - low) / 2


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """The metrics of the manifest, over all events together."""
    seeded = found = tracks = fakes = twice = 0
    parts: dict[str, list[Array]] = {name: [] for name in ("pt", "inverse_pt", "theta", "z", "d0", "hits", "chi2", "charge")}
    for index, result in enumerate(results):
        event = one_event(events, index)
        match = matches(event, result)
        own = event["seed_particle"]
        wanted = np.unique(own[own >= 0])
        good = (event["particle_pt"] > LEAST_PT_GEV) & (np.abs(event["particle_eta"]) < LARGEST_ETA)
        wanted = wanted[good[wanted]]
        seeded += len(wanted)
        found += int(np.isin(wanted, match).sum())
        tracks += len(match)
        fakes += int((match < 0).sum())
        real = match >= 0
        twice += int(real.sum()) - len(np.unique(match[real]))
        use = real.copy()
        use[real] &= (good & (np.hypot(event["particle_x"], event["particle_y"]) < 0.1))[match[real]]
        truth = match[use]
        covariance = as_float64(result["track_covariance"]).reshape(-1, 21)[use]
        inverse = 1 / as_float64(event["particle_pt"])[truth]
        fitted = as_float64(result["track_inverse_pt"])[use]
        theta = 2 * np.arctan(np.exp(-as_float64(event["particle_eta"])[truth]))
        phi = as_float64(result["track_phi"])[use]
        along = as_float64(event["particle_x"])[truth] * np.sin(phi) - as_float64(event["particle_y"])[truth] * np.cos(phi)
        d0 = as_float64(result["track_x"])[use] * np.sin(phi) - as_float64(result["track_y"])[use] * np.cos(phi) - along
        parts["pt"].append(inverse / fitted - 1)
        parts["inverse_pt"].append((fitted - inverse) / np.sqrt(covariance[:, 9]))
        parts["theta"].append((as_float64(result["track_theta"])[use] - theta) / np.sqrt(covariance[:, 20]))
        parts["z"].append((as_float64(result["track_z"])[use] - as_float64(event["particle_z"])[truth]) / np.sqrt(covariance[:, 5]))
        parts["d0"].append(d0)
        parts["hits"].append(as_float64(result["track_hits"])[use])
        parts["chi2"].append(as_float64(result["track_chi2"])[use] / (2 * as_float64(result["track_hits"])[use] - 5))
        parts["charge"].append((result["track_charge"][use] == event["particle_charge"][truth]).astype(np.float64))
    if seeded == 0 or sum(map(len, parts["pt"])) < 2:
        return {"efficiency": 0.0, "fakes": 1.0, "duplicates": 1.0}
    all_of = {name: np.concatenate(values) for name, values in parts.items()}
    return {
        "efficiency": found / seeded,
        "fakes": fakes / tracks,
        "duplicates": twice / tracks,
        "pt_resolution": _width(all_of["pt"]),
        "d0_resolution_cm": _width(all_of["d0"]),
        "inverse_pt_pull": _width(all_of["inverse_pt"]),
        "theta_pull": _width(all_of["theta"]),
        "z_pull": _width(all_of["z"]),
        "hits_per_track": float(all_of["hits"].mean()),
        "chi2_per_freedom": float(np.median(all_of["chi2"])),
        "charge_right": float(all_of["charge"].mean()),
    }


def differences(reference: Arrays, result: Arrays) -> str | None:
    """None if the tracks are the reference's within the tolerance of the manifest, else one sentence.

    Of the reference's tracks at least 80 % must be there; of those with the very same hits 95 % must agree within half
    a standard deviation in 1/pT, phi, theta and z, and half of them within a tenth.
    """
    own = {int(seed): track for track, seed in enumerate(result["track_seed"])}
    deviations: list[float] = []
    there = 0
    for track, seed in enumerate(reference["track_seed"]):
        mine = own.get(int(seed))
        if mine is None:
            continue
        theirs = set(reference["track_hit"][reference["track_first_hit"][track] : reference["track_first_hit"][track + 1]].tolist())
        hits = set(result["track_hit"][result["track_first_hit"][mine] : result["track_first_hit"][mine + 1]].tolist())
        there += len(hits & theirs) > MATCHED * len(hits)
        if hits != theirs:
            continue
        worst = 0.0
        for name, error in (("inverse_pt", "inverse_pt"), ("phi", "phi"), ("theta", "theta"), ("z", "l")):
            step = float(result[f"track_{name}"][mine]) - float(reference[f"track_{name}"][track])
            if name == "phi":
                step = (step + np.pi) % (2 * np.pi) - np.pi
            worst = max(worst, abs(step) / float(reference[f"track_sigma_{error}"][track]))
        deviations.append(worst)
    seeds = len(reference["track_seed"])
    # of a seed made twice one track is left
    if there < 0.8 * seeds:
        return f"only {there} of the reference's {seeds} tracks were found"
    if len(deviations) < 0.3 * seeds:
        return f"only {len(deviations)} of {seeds} tracks have the hits of the reference"
    median, most = np.percentile(deviations, [50, 95])
    if not (median < 0.1 and most < 0.5):
        return f"fits differ from the reference's by {median:.2f} (median) and {most:.2f} (95 %) standard deviations"
    return None
