"""Whether the tracks are right: against simulated truth, and against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64, event_count, one_event
from payloads.kernels.catracks import agreement
from payloads.matching import Floats, Ints, TrackTally, angle_apart, most_common

SHARE = 0.75  # of its hits that a track must have from one particle, as CMS asks
# What a track is asked for: charged, no electron (bremsstrahlung), of this momentum, seen by both sensors of 5 layers.
MIN_PT_GEV, MAX_ETA, MIN_LAYERS, ELECTRON = 0.9, 2.5, 5, 11
PROMPT_CM = 0.2  # made so near the beam line
LAYERS, BARREL_END, DISC_BEGIN = 11, 1.0, 1.7
differences = agreement.differences


@dataclass
class Tally(TrackTally):
    """Sums over events."""

    doublets: int = 0
    segments: int = 0
    triplets: int = 0
    quintuplets: int = 0


def hits_of_tracks(result: Arrays) -> tuple[Ints, Ints]:
    """For every hit of every track: which track, which hit of the event."""
    offset = np.asarray(result["path_offset"], dtype=np.int64)
    point = np.asarray(result["path_doublet"], dtype=np.int64)
    track = np.repeat(np.arange(len(offset) - 1), np.diff(offset))
    hit = np.concatenate(
        [np.asarray(result[f"doublet_{name}"], dtype=np.int64)[point] for name in ("lower", "upper")]
    )
    return np.concatenate([track, track]), hit


def particle_of_track(event: Arrays, result: Arrays) -> Ints:
    """The particle that three quarters of a track's hits are of, -1 for a fake."""
    track, hit = hits_of_tracks(result)
    count = len(result["track_pt"])
    best, times = most_common(track, np.asarray(event["hit_particle"], dtype=np.int64)[hit], count)
    return np.where(times >= SHARE * np.bincount(track, minlength=count), best, -1)


def layers_seen(event: Arrays) -> Ints:
    """Of each particle the number of layers in which both sensors of a module saw it."""
    particle = np.asarray(event["hit_particle"], dtype=np.int64)
    module = np.asarray(event["hit_module"], dtype=np.int64)
    known = particle >= 0
    modules = len(event["module_layer"])
    key = (particle * modules + module)[known]
    lower = np.asarray(event["hit_sensor"])[known] == 0
    both = np.intersect1d(key[lower], key[~lower])
    seen = np.zeros((len(event["particle_pt"]), LAYERS), dtype=bool)
    seen[both // modules, np.asarray(event["module_layer"])[both % modules]] = True
    count: Ints = seen.sum(axis=1)
    return count


def wanted_particles(event: Arrays) -> npt.NDArray[np.bool_]:
    """Particles whose tracks count for efficiency, wherever they were made."""
    wanted: npt.NDArray[np.bool_] = (
        (event["particle_charge"] != 0)
        & (np.abs(event["particle_pdg_id"]) != ELECTRON)
        & (event["particle_pt"] > MIN_PT_GEV)
        & (np.abs(event["particle_eta"]) < MAX_ETA)
        & (layers_seen(event) >= MIN_LAYERS)
    )
    return wanted


def _groups(event: Arrays, wanted: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.bool_]]:
    pt, eta = as_float64(event["particle_pt"]), np.abs(as_float64(event["particle_eta"]))
    made_at = np.hypot(as_float64(event["particle_x"]), as_float64(event["particle_y"]))
    prompt = wanted & (made_at < PROMPT_CM)
    return {
        "prompt": prompt,
        "barrel": prompt & (eta < BARREL_END),
        "transition": prompt & (eta >= BARREL_END) & (eta < DISC_BEGIN),
        "discs": prompt & (eta >= DISC_BEGIN),
        "pt_above_2": prompt & (pt > 2.0),
        "made_0p2_to_2_cm": wanted & (made_at >= PROMPT_CM) & (made_at < 2.0),
        "made_2_to_10_cm": wanted & (made_at >= 2.0) & (made_at < 10.0),
    }


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """Efficiencies by pT, eta and displacement, fakes, duplicates, resolution of pT, multiplicities an event.

    Args:
        events: a set of section ``outertracker``.
        results: of all its events, in their order.

    Returns:
        One number a metric of the manifest; nan where nothing was there to measure.

    Raises:
        ValueError: not one result an event.
    """
    if len(results) != event_count(events):
        raise ValueError(f"{len(results)} results for {event_count(events)} events: give one each")
    tally = Tally()
    by_group: dict[str, list[int]] = {}
    for index, result in enumerate(results):
        event = one_event(events, index)
        particle = particle_of_track(event, result)
        wanted = wanted_particles(event)
        groups = _groups(event, wanted)
        found = np.zeros(len(wanted), dtype=bool)
        found[particle[particle >= 0]] = True
        for name, group in groups.items():
            sums = by_group.setdefault(name, [0, 0])
            sums[0] += int((group & found).sum())
            sums[1] += int(group.sum())
        tally.count(particle, groups["prompt"])
        for name in ("doublet", "segment", "triplet", "quintuplet"):
            column = {"doublet": "doublet_lower", "segment": "segment_inner", "triplet": "triplet_inner"}
            size = len(result[column.get(name, "quintuplet_inner")])
            setattr(tally, f"{name}s", getattr(tally, f"{name}s") + size)
        _residuals(event, result, particle, groups["prompt"], tally)
    count = max(len(results), 1)
    rates = tally.rates()
    return {
        "efficiency": rates["efficiency"],
        **{
            f"efficiency_{name}": sums[0] / sums[1] if sums[1] else float("nan")
            for name, sums in by_group.items()
            if name != "prompt"
        },
        "fake_rate": rates["fake_rate"],
        "duplicate_rate": rates["duplicate_rate"],
        "pt_relative": tally.width("pt"),
        "pt_bias": tally.median("pt"),
        "phi_mrad": 1e3 * tally.width("phi"),
        "cot": tally.width("cot"),
        "charge_right": tally.mean("charge"),
        "layers": tally.mean("layers"),
        "doublets": tally.doublets / count,
        "segments": tally.segments / count,
        "triplets": tally.triplets / count,
        "quintuplets": tally.quintuplets / count,
        "tracks": tally.tracks / count,
    }


def _residuals(
    event: Arrays, result: Arrays, particle: Ints, wanted: npt.NDArray[np.bool_], tally: Tally
) -> None:
    chosen = particle >= 0
    chosen[chosen] = wanted[particle[chosen]]
    own = particle[chosen]
    pt: Floats = as_float64(event["particle_pt"])[own]
    tally.add("pt", pt / as_float64(result["track_pt"])[chosen] - 1)
    tally.add(
        "cot", as_float64(result["track_cot"])[chosen] - np.sinh(as_float64(event["particle_eta"])[own])
    )
    charge = np.asarray(result["track_charge"])[chosen] == np.asarray(event["particle_charge"])[own]
    tally.add("charge", charge.astype(np.float64))
    tally.add("layers", np.diff(as_float64(result["path_offset"]))[chosen])
    apart = angle_apart(as_float64(result["track_phi"])[chosen], as_float64(event["particle_phi"])[own])
    tally.add("phi", apart)
