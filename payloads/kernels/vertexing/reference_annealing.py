"""The annealing of the reference: dense matrices of tracks times prototypes, without ranges, classes or slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64

Floats = npt.NDArray[np.float64]

DEFAULTS: Mapping[str, float] = {
    "largest_chi2_per_ndof": 10.0, "largest_d0_significance": 4.0, "largest_eta": 2.4, "largest_error_cm": 1.0,
    "least_layers": 5.0, "least_pixel_layers": 2.0, "t_min": 2.0, "t_purge": 2.0, "t_stop": 0.5, "cooling": 0.6,
    "vertex_size_cm": 0.006, "d0_cut": 3.0, "dz_cut": 3.0, "merge_cm": 0.01, "unique_weight": 0.8,
    "delta_high_cm": 1e-2, "delta_low_cm": 1e-3, "block_tracks": 512.0, "least_neighbours": 2.0, "eps_cm": 0.07,
    "seed_error_cm": 0.01, "largest_pair_chi2": 9.0, "least_pt_gev": 0.5, "first_outlier_chi2": 50.0,
    "split_chi2": 9.0, "fit_cut": 3.0, "fit_t_start": 256.0, "fit_cooling": 0.25, "fit_shift_cm": 1e-4,
    "fit_steps": 30.0, "least_ndof": 2.0,
}  # fmt: skip
MIN_SPLIT_CM = 1e-3


@dataclass
class Tracks:
    """Selected tracks in the order of z: position, weight, prior (n), source index in the event."""

    z: Floats
    weight: Floats
    prior: Floats
    source: npt.NDArray[np.int64]


@dataclass
class Prototypes:
    """Positions in cm and shares of the prototypes, ascending in z."""

    z: Floats
    rho: Floats


def select(event: Arrays, s: Mapping[str, float]) -> Tracks:
    """The tracks that CMSSW's TkFilterParameters let pass, with their weights in the annealing."""
    column = {
        name: as_float64(values) for name, values in event.items() if name.startswith(("track_", "beam_"))
    }
    sine, cosine = np.sin(column["track_phi"]), np.cos(column["track_phi"])
    d0_d0, z0_z0 = column["track_covariance_33"], column["track_covariance_44"]
    wx, wy = column["beam_width_x"][0], column["beam_width_y"][0]
    off = column["track_d0"] + column["beam_x"][0] * sine - column["beam_y"][0] * cosine
    significance2 = off**2 / (d0_d0 + (wx * sine) ** 2 + (wy * cosine) ** 2)
    good = (column["track_chi2"] < s["largest_chi2_per_ndof"] * column["track_ndof"]) & (
        significance2 < s["largest_d0_significance"] ** 2
    )
    good &= np.abs(column["track_eta"]) < s["largest_eta"]
    good &= (column["track_layers"] >= s["least_layers"]) & (
        column["track_pixel_layers"] >= s["least_pixel_layers"]
    )
    good &= (
        (z0_z0 < s["largest_error_cm"] ** 2)
        & (d0_d0 < s["largest_error_cm"] ** 2)
        & (np.abs(column["track_z0"]) < 25.0)
    )
    along = ((wx * cosine) ** 2 + (wy * sine) ** 2) * column["track_cot_theta"] ** 2
    source = np.flatnonzero(good)
    source = source[np.argsort(event["track_z0"][source], kind="stable")]
    weight = 1.0 / (z0_z0 + along + s["vertex_size_cm"] ** 2)
    prior = 1.0 / (1.0 + np.exp(np.minimum(significance2 - s["d0_cut"] ** 2, 80.0)))
    return Tracks(column["track_z0"][source], weight[source], prior[source], source)


class Annealing:
    """One block of tracks from the first temperature to the last."""

    def __init__(self, tracks: Tracks, settings: Mapping[str, float]) -> None:
        self.tracks, self.s = tracks, settings
        self.p = Prototypes(np.zeros(1), np.ones(1))
        self.energy = self.weight = np.zeros(1)
        self.updates = 0

    def shares(self, beta: float, rho0: float) -> tuple[Floats, Floats, Floats]:
        """Probability of each track (row) to belong to each prototype, logarithm of Z, energies."""
        t, p = self.tracks, self.p
        energy = t.weight[:, None] * (t.z[:, None] - p.z[None, :]) ** 2
        with np.errstate(divide="ignore"):
            exponent = np.log(p.rho)[None, :] - beta * energy
        outlier = np.log(rho0) - beta * self.s["dz_cut"] ** 2 if rho0 > 0 else -np.inf
        top = np.maximum(exponent.max(axis=1), outlier)
        sums = np.exp(exponent - top[:, None])
        z = sums.sum(axis=1) + np.exp(outlier - top)
        return sums / z[:, None], top + np.log(z), energy

    def update(self, beta: float, rho0: float) -> float:
        """Moves every prototype to the mean of its tracks; the largest move in cm."""
        self.updates += 1
        t, p = self.tracks, self.p
        share, _, energy = self.shares(beta, rho0)
        share = share * t.prior[:, None]
        weights = share * t.weight[:, None]
        self.weight = weights.sum(axis=0)
        self.energy = (weights * energy).sum(axis=0)
        safe = np.where(self.weight > 0, self.weight, 1.0)
        z = np.where(self.weight > 0, (weights * t.z[:, None]).sum(axis=0) / safe, p.z)
        moved = float(np.max(np.abs(z - p.z), initial=0.0))
        order = np.argsort(z, kind="stable")
        self.p = Prototypes(z[order], (share.sum(axis=0) / t.prior.sum())[order])
        self.weight, self.energy = self.weight[order], self.energy[order]
        return moved

    def thermalise(self, beta: float, delta_cm: float, rho0: float) -> None:
        """Updates at one temperature until nothing moves by more than ``delta_cm``."""
        for _ in range(1000):
            if self.update(beta, rho0) < delta_cm:
                return

    def merge_one(self) -> bool:
        """Joins the closest two prototypes if they are closer than ``merge_cm``."""
        gaps = np.diff(self.p.z)
        if len(gaps) == 0 or gaps.min() >= self.s["merge_cm"]:
            return False
        k = int(np.argmin(gaps))
        rho = self.p.rho[k] + self.p.rho[k + 1]
        z = (
            (self.p.rho[k] * self.p.z[k] + self.p.rho[k + 1] * self.p.z[k + 1]) / rho
            if rho > 0
            else self.p.z[k : k + 2].mean()
        )
        self.p = Prototypes(np.delete(self.p.z, k + 1), np.delete(self.p.rho, k + 1))
        self.p.z[k], self.p.rho[k] = z, rho
        return True

    def merge_all(self, beta: float, rho0: float) -> None:
        """Joins, updating after each."""
        while self.merge_one():
            self.update(beta, rho0)

    def split(self, beta: float, threshold: float) -> bool:
        """Replaces each critical prototype by the means of its left and right tracks."""
        self.update(beta, 0.0)
        t, p, n = self.tracks, self.p, len(self.p.z)
        share, _, _ = self.shares(beta, 0.0)
        share = share * t.prior[:, None]
        z: list[float] = []
        rho: list[float] = []
        for k in range(n):
            pieces = None
            if self.weight[k] > 0 and beta * 2 * self.energy[k] / self.weight[k] > threshold:
                d = t.z - p.z[k]
                right = 1.0 / (1.0 + np.exp(-np.clip(d * np.sqrt(beta * t.weight), -20, 20)))
                pieces = self._pieces(k, d, share[:, k], right)
            if pieces is None:
                z.append(float(p.z[k]))
                rho.append(float(p.rho[k]))
            else:
                z += pieces[0]
                rho += pieces[1]
        self.p = Prototypes(np.array(z), np.array(rho))
        return len(z) > n

    def _pieces(
        self, k: int, d: Floats, share: Floats, right: Floats
    ) -> tuple[list[float], list[float]] | None:
        p = self.p
        part = [share * (1 - right), share * right]
        weights = [x * self.tracks.weight for x in part]
        at = [
            float(p.z[k] + (w * d).sum() / w.sum()) if w.sum() > 0 else float(p.z[k]) + sign * MIN_SPLIT_CM
            for w, sign in zip(weights, (-1, 1), strict=True)
        ]
        if k > 0:
            at[0] = max(at[0], 0.6 * p.z[k] + 0.4 * p.z[k - 1])
        if k + 1 < len(p.z):
            at[1] = min(at[1], 0.6 * p.z[k] + 0.4 * p.z[k + 1])
        if at[1] - at[0] <= MIN_SPLIT_CM or share.sum() <= 0:
            return None
        return at, [float(x.sum() / share.sum() * p.rho[k]) for x in part]

    def purge_one(self, beta: float, rho0: float) -> bool:
        """Removes the weakest prototype with fewer than two tracks of its own."""
        n = len(self.p.z)
        if n < 2:
            return False
        share, _, _ = self.shares(beta, rho0)
        cut = (
            self.s["unique_weight"] * self.p.rho / (self.p.rho + rho0 * np.exp(-beta * self.s["dz_cut"] ** 2))
        )
        weak = np.flatnonzero((share > cut[None, :]).sum(axis=0) < 2)
        if len(weak) == 0:
            return False
        gone = weak[np.argmin(share.sum(axis=0)[weak])]
        self.p = Prototypes(np.delete(self.p.z, gone), np.delete(self.p.rho, gone))
        return True

    def outlier_density(self) -> float:
        """The share that an outlier's term has in Z."""
        return 1.0 / len(self.p.z) if self.s["dz_cut"] > 0 else 0.0

    def anneal(self) -> float:
        """The schedule of CMSSW's DAClusterizerInZ_vect; returns the last beta."""
        s, t = self.s, self.tracks
        w = t.prior * t.weight
        mean = (w * t.z).sum() / w.sum()
        critical = 2.0 * (w * t.weight * (t.z - mean) ** 2).sum() / w.sum()
        self.p = Prototypes(np.array([mean]), np.ones(1))
        beta = s["cooling"] / s["t_min"]
        while beta * critical > 1.0:
            beta *= s["cooling"]
        self.thermalise(beta, s["delta_high_cm"], 0.0)
        while beta < np.sqrt(s["cooling"]) / s["t_min"]:
            self.merge_all(beta, 0.0)
            self.split(beta, 1.0)
            beta /= s["cooling"]
            self.thermalise(beta, s["delta_high_cm"], 0.0)
        self.update(beta, 0.0)
        self.merge_all(beta, 0.0)
        for round_ in range(11):
            if not self.split(beta, 1.1**round_):
                break
            self.thermalise(beta, s["delta_high_cm"], 0.0)
            self.merge_all(beta, 0.0)
        rho0 = self.outlier_density()
        for a in range(5):
            self.update(beta, 0.2 * a * rho0)
        self.thermalise(beta, s["delta_low_cm"], rho0)
        self.merge_all(beta, rho0)
        while beta < 1.0 / s["t_purge"]:
            beta = min(beta / s["cooling"], 1.0 / s["t_purge"])
            self.thermalise(beta, s["delta_low_cm"], rho0)
        while self.purge_one(beta, rho0):
            self.thermalise(beta, s["delta_low_cm"], rho0)
        while beta < 1.0 / s["t_stop"]:
            beta = min(beta / s["cooling"], 1.0 / s["t_stop"])
            self.thermalise(beta, s["delta_low_cm"], rho0)
        return beta


def anneal_in_blocks(t: Tracks, s: Mapping[str, float]) -> tuple[Annealing, float]:
    """Blocks with half an overlap, the prototypes of each block's middle, all settled together."""
    size, n = int(s["block_tracks"]), len(t.z)
    step = size // 2
    blocks = 1 if n <= size else max(1, n // step)
    z: list[float] = []
    rho: list[float] = []
    low, beta = -np.inf, 1.0 / s["t_stop"]
    for b in range(blocks):
        part = slice(b * step, min(b * step + size, n))
        one = Annealing(Tracks(t.z[part], t.weight[part], t.prior[part], t.source[part]), s)
        beta = one.anneal()
        high = float(t.z[min((b + 1) * step + (size - step) // 2, n - 1)]) if b + 1 < blocks else np.inf
        scale = t.prior[part].sum() / t.prior.sum()
        for z_k, rho_k in zip(one.p.z, one.p.rho, strict=True):
            missed = low - s["merge_cm"] < z_k < low and (not z or z_k - z[-1] > s["merge_cm"])
            if low <= z_k < high or missed:
                z.append(float(z_k))
                rho.append(float(rho_k * scale))
        low = high
    whole = Annealing(t, s)
    whole.p = Prototypes(np.array(z), np.array(rho))
    rho0 = whole.outlier_density()
    whole.thermalise(beta, s["delta_low_cm"], rho0)
    while whole.merge_one():
        whole.thermalise(beta, s["delta_low_cm"], rho0)
    return whole, beta
