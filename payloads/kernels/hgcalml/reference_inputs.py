"""What the network sees of a trackster, in NumPy and double precision.

A picture of 50 layers x 10 clusters x 3 features, as CMSSW's TracksterInferenceByDNN fills it: in each layer the ten
clusters of most energy, in falling order; what is absent is 0. The features are CMS's, energy, |eta| and phi, told so that a
small network learns them in minutes: energy by a logarithm, angles from the trackster's own direction.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64

LAYERS, CLUSTERS, FEATURES = 50, 10, 3
"""CMSSW: eid_n_layers, eid_n_clusters, and the three features."""
LAYERS_OF_AN_ENDCAP = 47
DEFAULTS = {"least_energy_gev": 1.0}
"""CMSSW: eid_min_cluster_energy; tracksters of less get no answer."""

ENERGY_UNIT_GEV = 0.05
ENERGY_SCALE = 0.25
ANGLE_SCALE = 20.0
LARGEST_ANGLE = 4.0
MIDDLE_ETA = 2.25
"""Of an endcap: how far a trackster is from there is added to its clusters' |eta|, since pile-up depends on it."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def chosen(event: Arrays, settings: Mapping[str, float]) -> Ints:
    """Tracksters of enough energy, by rising index."""
    least = np.float32(settings.get("least_energy_gev", DEFAULTS["least_energy_gev"]))
    return np.flatnonzero(event["trackster_energy"] >= least)


def directions(event: Arrays) -> tuple[Floats, Floats]:
    """|eta| and phi of all tracksters' barycentres, seen from the origin."""
    x, y, z = (as_float64(event[f"trackster_{axis}"]) for axis in "xyz")
    return np.arcsinh(np.abs(z) / np.maximum(np.hypot(x, y), 1e-3)), np.arctan2(y, x)


def pictures(event: Arrays, settings: Mapping[str, float]) -> Floats:
    """(tracksters, 50, 10, 3) of ``chosen`` tracksters."""
    tracksters = chosen(event, settings)
    row = np.full(len(event["trackster_energy"]) + 1, -1)
    row[tracksters] = np.arange(len(tracksters))
    row_of = row[np.asarray(event["cluster_trackster"])]  # of no trackster (-1): the last entry
    layer = np.asarray(event["cluster_layer"]).astype(np.int64) % LAYERS_OF_AN_ENDCAP
    energy = as_float64(event["cluster_energy"])
    order = np.lexsort((np.arange(len(energy)), -energy, layer, row_of))
    order = order[row_of[order] >= 0]
    slot = row_of[order] * LAYERS + layer[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = slot[1:] != slot[:-1]
    starts = np.flatnonzero(first)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    order, slot, rank = order[rank < CLUSTERS], slot[rank < CLUSTERS], rank[rank < CLUSTERS]
    eta_of, phi_of = directions(event)
    trackster = np.asarray(event["cluster_trackster"])[order]
    eta = np.abs(as_float64(event["cluster_eta"])[order]) - eta_of[trackster]
    phi = as_float64(event["cluster_phi"])[order] - phi_of[trackster]
    phi -= 2 * np.pi * np.round(phi / (2 * np.pi))
    picture = np.zeros((len(tracksters) * LAYERS, CLUSTERS, FEATURES))
    picture[slot, rank, 0] = ENERGY_SCALE * np.log1p(energy[order] / ENERGY_UNIT_GEV)
    away = ANGLE_SCALE * eta + (eta_of[trackster] - MIDDLE_ETA)
    picture[slot, rank, 1] = np.clip(away, -LARGEST_ANGLE, LARGEST_ANGLE)
    picture[slot, rank, 2] = np.clip(ANGLE_SCALE * phi, -LARGEST_ANGLE, LARGEST_ANGLE)
    return picture.reshape(len(tracksters), LAYERS, CLUSTERS, FEATURES)
