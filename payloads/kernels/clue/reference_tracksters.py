"""Reference of CLUE3D: layer clusters to tracksters, layer by layer against all clusters of the layers around."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.kernels.clue.reference_layers import Floats, Ints, nearest_denser, roots

# Search windows of TICL's tiles: 34 bins of |eta| from 1.5 to 3.2, 126 of phi
ETA_BINS, PHI_BINS = 34, 126
DENSITY_WINDOW, NEAREST_WINDOW = 2, 1


class _Nodes:
    """Layer clusters that take part, and who is how far from whom."""

    def __init__(self, c: Mapping[str, Floats], least_cells: float, layers: float) -> None:
        self.cluster = np.flatnonzero(c["cells"] >= least_cells)
        x, y, z = (c[axis][self.cluster] for axis in "xyz")
        self.r, self.z, self.phi = np.hypot(x, y), np.abs(z), np.arctan2(y, x)
        self.energy = c["energy"][self.cluster]
        self.layer = (c["layer"][self.cluster] % layers).astype(np.int64)
        self.side = z > 0
        eta = np.arcsinh(self.z / self.r)
        self.eta_bin = np.clip(((eta - 1.5) * 20).astype(np.int64), 0, ETA_BINS - 1)
        turns = (self.phi + np.pi) / (2 * np.pi)
        self.phi_bin = np.clip((turns * PHI_BINS).astype(np.int64), 0, PHI_BINS - 1)

    def pairs(self, sibling_layers: float) -> tuple[Ints, Ints, Ints, Floats]:
        """Ordered pairs on other layers within the wider window: i, j, bins apart, squared distance in cm2.

        Cluster j is brought to the plane of i along the line from the origin.
        """
        found: list[tuple[Ints, Ints]] = []
        for side in (False, True):
            for layer in np.unique(self.layer[self.side == side]):
                here = np.flatnonzero((self.side == side) & (self.layer == layer))
                away = np.abs(self.layer - layer)
                there = np.flatnonzero((self.side == side) & (away > 0) & (away <= sibling_layers))
                apart = self._bins_apart(here[:, None], there[None, :])
                i, j = np.nonzero(apart <= DENSITY_WINDOW)
                found.append((here[i], there[j]))
        i, j = (np.concatenate(parts) for parts in zip(*found, strict=True))
        r_j = self.r[j] / self.z[j] * self.z[i]
        turn = np.abs(self.phi[i] - self.phi[j])
        turn = np.minimum(turn, 2 * np.pi - turn)
        return i, j, self._bins_apart(i, j), (self.r[i] - r_j) ** 2 + (r_j * turn) ** 2

    def _bins_apart(self, i: Ints, j: Ints) -> Ints:
        around = np.abs(self.phi_bin[i] - self.phi_bin[j])
        in_phi: Ints = np.minimum(around, PHI_BINS - around)
        in_eta: Ints = np.abs(self.eta_bin[i] - self.eta_bin[j])
        apart: Ints = np.maximum(in_phi, in_eta)
        return apart


def tracksters(c: Mapping[str, Floats], s: Mapping[str, float]) -> Ints:
    """Seed cluster of each layer cluster's trackster, -1 without; ``c`` is what ``reference_layers.measure`` gives."""
    of_cluster = np.full(len(c["x"]), -1, dtype=np.int64)
    nodes = _Nodes(c, s["least_cells"], s["layers"])
    count = len(nodes.cluster)
    if count == 0:
        return of_cluster
    i, j, apart, distance2 = nodes.pairs(s["sibling_layers"])
    density = nodes.energy.copy()
    close = distance2 < s["density_cm2"]
    np.add.at(density, i[close], s["density_factor"] * nodes.energy[j[close]])
    near = apart <= NEAREST_WINDOW
    nearest, best = nearest_denser(count, i[near], j[near], distance2[near], density, nodes.cluster)
    dense = density >= s["critical_3d_gev"]
    seed = dense & (best > s["critical_cm"] ** 2) & (nodes.energy > s["critical_share"] * density)
    outlier = ~dense & (best > (s["outlier_factor_3d"] * s["critical_cm"]) ** 2)
    ends = roots(np.where(seed, np.arange(count), np.where(outlier, -1, nearest)))
    size = np.bincount(ends[ends >= 0], minlength=count)
    kept = (ends >= 0) & (size[ends] >= s["least_clusters"])
    of_cluster[nodes.cluster] = np.where(kept, nodes.cluster[ends], -1)
    return of_cluster
