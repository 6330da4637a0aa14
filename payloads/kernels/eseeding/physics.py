"""How good the seeds are: against the simulated electrons, and against the reference.

A super-cluster belongs to the particle of the generator that gave most of its crystals' energy, each crystal counted for
the particle that gave it the most. An electron of the generator counts if it has pT > 10 GeV, |eta| < 2.4, not within 1.44
to 1.57 (the edge of the barrel), and if it is isolated: other particles of the generator with pT > 1 GeV within 0.3 of it in
(eta, phi) have less than a fifth of its pT together. It is *clustered* with a selected super-cluster of its own, and *seeded* if one of this
super-cluster's seeds has its hits and no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64, each_event
from payloads.kernels.eseeding.agreement import differences
from payloads.kernels.eseeding.position import missed
from payloads.matching import half_width

__all__ = ["differences", "measure"]

LEAST_PT_GEV, LARGEST_ETA, EDGE = 10.0, 2.4, (1.44, 1.57)
CONE, LEAST_NEIGHBOUR_GEV, LARGEST_SHARE = 0.3, 1.0, 0.2
HITS = ("seed_hit0", "seed_hit1", "seed_hit2")
CHARGES = ("negative", "positive")  # bits 1 and 2 of seed_charges

Ints = npt.NDArray[np.int64]


def owners(event: Arrays, result: Arrays) -> Ints:
    """Of each super-cluster the particle that gave most of its energy, -1 for noise."""
    sc = np.append(result["cluster_sc"], -1)[result["ecal_cluster"]]
    owner = np.full(len(result["sc_energy"]), -1, dtype=np.int64)
    for k in range(len(owner)):
        mine = sc == k
        particles, inverse = np.unique(event["ecal_particle"][mine], return_inverse=True)
        if len(particles):
            owner[k] = particles[
                np.argmax(np.bincount(inverse, weights=as_float64(event["ecal_energy"])[mine]))
            ]
    return owner


def pure(event: Arrays, result: Arrays, particle: Ints) -> npt.NDArray[np.bool_]:
    """Whether all hits of each seed are of the particle given for it."""
    own = np.ones(len(particle), dtype=bool)
    for name in HITS:
        hit = result[name]
        own &= (hit < 0) | (event["hit_particle"][hit] == particle)
    return own


def counted_electrons(event: Arrays) -> Ints:
    """The generator's electrons that efficiencies are asked of."""
    pt, eta, phi = (as_float64(event[f"particle_{name}"]) for name in ("pt", "eta", "phi"))
    near = np.flatnonzero((event["particle_parent"] < 0) & (pt > LEAST_NEIGHBOUR_GEV))
    found = []
    for particle in event["electron_particle"]:
        outside = abs(eta[particle]) > LARGEST_ETA or EDGE[0] < abs(eta[particle]) < EDGE[1]
        if pt[particle] < LEAST_PT_GEV or outside:
            continue
        dphi = (phi[near] - phi[particle] + np.pi) % (2 * np.pi) - np.pi
        beside = near[(eta[near] - eta[particle]) ** 2 + dphi**2 < CONE**2]
        if pt[beside].sum() - pt[particle] < LARGEST_SHARE * pt[particle]:
            found.append(particle)
    return np.array(found, dtype=np.int64)


@dataclass
class _Sums:
    """What is counted over all events."""

    electrons: int = 0
    electrons_barrel: int = 0
    clustered: int = 0
    seeded: int = 0
    seeded_barrel: int = 0
    own_seeds: int = 0
    right_charge: int = 0
    one_charge: int = 0
    seeds: int = 0
    events: int = 0
    overflow: int = 0
    pairs: int = 0
    superclusters: int = 0
    selected: int = 0
    of_electrons: int = 0
    of_photons: int = 0
    of_hadrons: int = 0
    photons: int = 0
    photons_seeded: int = 0
    hadrons: int = 0
    hadrons_seeded: int = 0
    response: list[float] = field(default_factory=list)
    dphi: list[float] = field(default_factory=list)
    dz: list[float] = field(default_factory=list)
    sc_dz: list[float] = field(default_factory=list)
    sc_deta: list[float] = field(default_factory=list)


def _add(sums: _Sums, event: Arrays, result: Arrays) -> None:
    owner = owners(event, result)
    seed_owner = np.append(owner, -1)[result["seed_sc"]]
    own = pure(event, result, seed_owner)
    pdg = np.append(np.abs(event["particle_pdg_id"]), 0)
    seeded = np.zeros(len(owner), dtype=bool)
    seeded[result["seed_sc"]] = True
    selected = result["sc_selected"] == 1
    kind = pdg[owner]
    sums.events += 1
    sums.overflow += int(result["overflow"][0])
    sums.seeds += len(own)
    sums.pairs += int((result["seed_hit2"] < 0).sum())
    sums.superclusters += len(owner)
    sums.selected += int(selected.sum())
    sums.of_electrons += int((kind[result["seed_sc"]] == 11).sum())
    sums.of_photons += int((kind[result["seed_sc"]] == 22).sum())
    sums.of_hadrons += int((kind[result["seed_sc"]] > 100).sum())
    sums.photons += int((selected & (kind == 22)).sum())
    sums.photons_seeded += int((seeded & (kind == 22)).sum())
    sums.hadrons += int((selected & (kind > 100)).sum())
    sums.hadrons_seeded += int((seeded & (kind > 100)).sum())
    _add_electrons(sums, event, result, owner, own & (pdg[seed_owner] == 11))


def _add_electrons(
    sums: _Sums, event: Arrays, result: Arrays, owner: Ints, own: npt.NDArray[np.bool_]
) -> None:
    for particle in counted_electrons(event):
        pt, eta = float(event["particle_pt"][particle]), float(event["particle_eta"][particle])
        barrel = abs(eta) < EDGE[0]
        sums.electrons += 1
        sums.electrons_barrel += int(barrel)
        mine = (owner == particle) & (result["sc_selected"] == 1)
        sums.clustered += int(mine.any())
        if mine.any():
            largest = int(np.argmax(np.where(mine, result["sc_energy"], -1)))
            sums.response.append(float(result["sc_energy"][largest]) / (pt * float(np.cosh(eta))))
            along_z, in_eta = missed(event, result, particle, largest)
            if barrel:
                sums.sc_dz.append(along_z)
            else:
                sums.sc_deta.append(in_eta)
        seeds = np.flatnonzero(own & (owner[result["seed_sc"]] == particle))
        sums.seeded += int(len(seeds) > 0)
        sums.seeded_barrel += int(len(seeds) > 0 and barrel)
        positive = int(event["particle_charge"][particle]) > 0
        charges = result["seed_charges"][seeds]
        right = (charges & (2 if positive else 1)) != 0
        sums.own_seeds += len(seeds)
        sums.right_charge += int(right.sum())
        sums.one_charge += int((charges != 3).sum())
        name = CHARGES[int(positive)]
        sums.dphi += list(result[f"seed_dphi2_{name}"][seeds[right]])
        in_barrel = event["hit_layer"][result["seed_hit1"][seeds]] < 4
        sums.dz += list(result["seed_drz2"][seeds[right & in_barrel]])


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """Metrics over a set of events; ``results[i]`` belongs to event i. The manifest tells their meaning.

    Raises:
        ValueError: there is not one result for each event.
    """
    count = len(events["ecal_offset"]) - 1
    if len(results) != count:
        raise ValueError(f"{len(results)} results for {count} events: give one each")
    sums = _Sums()
    for event, result in zip(each_event(events), results, strict=True):
        _add(sums, event, result)

    def share(part: int, whole: int) -> float:
        return part / whole if whole else float("nan")

    endcap, in_endcap = sums.seeded - sums.seeded_barrel, sums.electrons - sums.electrons_barrel
    return {
        "cluster_efficiency": share(sums.clustered, sums.electrons),
        "efficiency": share(sums.seeded, sums.electrons),
        "efficiency_barrel": share(sums.seeded_barrel, sums.electrons_barrel),
        "efficiency_endcap": share(endcap, in_endcap),
        "response": float(np.median(sums.response)) if sums.response else float("nan"),
        "resolution": half_width(sums.response),
        "sc_dz_mm": 10 * half_width(sums.sc_dz),
        "sc_deta": half_width(sums.sc_deta),
        "right_charge": share(sums.right_charge, sums.own_seeds),
        "one_charge": share(sums.one_charge, sums.own_seeds),
        "dphi2_mrad": 1e3 * half_width(sums.dphi),
        "dz2_um": 1e4 * half_width(sums.dz),
        "seeds_of_electron": share(sums.own_seeds, sums.seeded),
        "photons_seeded": share(sums.photons_seeded, sums.photons),
        "hadrons_seeded": share(sums.hadrons_seeded, sums.hadrons),
        "superclusters": share(sums.superclusters, sums.events),
        "selected": share(sums.selected, sums.events),
        "seeds": share(sums.seeds, sums.events),
        "seeds_of_photons": share(sums.of_photons, sums.events),
        "seeds_of_hadrons": share(sums.of_hadrons, sums.events),
        "pairs": share(sums.pairs, sums.seeds),
        "overflow": float(sums.overflow),
    }
