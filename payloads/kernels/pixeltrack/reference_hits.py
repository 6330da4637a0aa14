"""Reference, first half: clusters by flood fill, hits in double precision."""

from __future__ import annotations

import functools
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64
from payloads.kernels.pixeltrack.reference_detector import Detector

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Hits:
    """One a cluster; centimetres, `phi` in 2 pi / 65536, `length` in eighths of a pixel (negative: at the edge)."""

    module: Ints
    layer: Ints
    place: Floats  # [n, 3]
    variance: Floats  # [n, 2], local x and y
    phi: Ints
    length: Ints

    @functools.cached_property
    def r(self) -> Floats:
        """Distance from the z axis."""
        return np.asarray(np.hypot(self.place[:, 0], self.place[:, 1]), dtype=np.float64)


def find_clusters(event: Arrays, detector: Detector) -> tuple[Ints, list[list[int]], Ints]:
    """Cluster of each digi (-1: too little charge), digis of each cluster, electrons of each digi."""
    module = np.asarray(event["digi_module"], dtype=np.int64)
    first = np.asarray(event["module_layer"])[module] == 0
    adc = np.asarray(event["digi_adc"], dtype=np.int64)
    electrons = np.maximum(np.where(first, 50 * adc - 670, 47 * adc - 60), 100)
    pixels: dict[tuple[int, int, int], list[int]] = {}
    places = list(
        zip(module.tolist(), event["digi_row"].tolist(), event["digi_column"].tolist(), strict=True)
    )
    for digi, place in enumerate(places):
        pixels.setdefault(place, []).append(digi)
    label = np.full(len(places), -1, dtype=np.int64)
    clusters: list[list[int]] = []
    seen: set[tuple[int, int, int]] = set()
    for digi, start in enumerate(places):
        if start in seen:
            continue
        seen.add(start)
        queue, members = deque([start]), []
        while queue:
            here = queue.popleft()
            members += pixels[here]
            for row in (-1, 0, 1):
                for column in (-1, 0, 1):
                    near = (here[0], here[1] + row, here[2] + column)
                    if near in pixels and near not in seen:
                        seen.add(near)
                        queue.append(near)
        least = detector.cuts["min_cluster_electrons_first" if first[digi] else "min_cluster_electrons"]
        if electrons[members].sum() >= least:
            label[members] = len(clusters)
            clusters.append(sorted(members))
    return label, clusters, electrons


def _along(
    edges: Floats, pitch: float, pixel: Ints, electrons: Ints, predicted: float
) -> tuple[float, float, float, bool]:
    """Place along one axis, width of the end pixels, imbalance of their charge, whether it is one pixel."""
    low, high = int(pixel.min()), int(pixel.max())
    at_low, at_high = float(electrons[pixel == low].sum()), float(electrons[pixel == high].sum())
    ends = (edges[low + 1] - edges[low] + edges[high + 1] - edges[high]) / 2
    imbalance = (at_high - at_low) / (at_high + at_low)
    if low == high:
        return (edges[low] + edges[low + 1]) / 2, ends, imbalance, True
    reach = abs(predicted) - (edges[high] - edges[low + 1])
    width = reach if high == low + 1 and 0 <= reach <= pitch else ends
    return (edges[low + 1] + edges[high]) / 2 + imbalance * width / 2, ends, imbalance, False


def measure_hits(event: Arrays, detector: Detector, clusters: list[list[int]], electrons: Ints) -> Hits:
    """Position, error and length of each cluster."""
    centres = np.stack([as_float64(event[f"module_{axis}"]) for axis in "xyz"], axis=1)
    rotations = as_float64(event["module_rotation"]).reshape(-1, 3, 3)
    drift = np.stack([as_float64(event["module_lorentz_x"]), as_float64(event["module_lorentz_y"])], axis=1)
    thickness, layers = (
        as_float64(event["module_thickness"]),
        np.asarray(event["module_layer"], dtype=np.int64),
    )
    module = np.array([event["digi_module"][members[0]] for members in clusters], dtype=np.int64)
    place, variance, length = (
        np.empty((len(clusters), 3)),
        np.empty((len(clusters), 2)),
        np.empty(len(clusters)),
    )
    for index, members in enumerate(clusters):
        m = module[index]
        region = 0 if layers[m] == 0 else 1 if layers[m] < 4 else 2
        local, from_origin = np.zeros(3), rotations[m] @ centres[m]
        for axis, (name, edges) in enumerate(
            (("row", detector.row_edges), ("column", detector.column_edges))
        ):
            pixel = np.asarray(event[f"digi_{name}"], dtype=np.int64)[members]
            low, high = int(pixel.min()), int(pixel.max())
            middle = (edges[low] + edges[high + 1]) / 2
            slope = (middle + from_origin[axis]) / from_origin[2]
            predicted = thickness[m] * slope - 2 * drift[m, axis]
            at, ends, imbalance, _ = _along(edges, detector.pitch[axis], pixel, electrons[members], predicted)
            local[axis] = at + drift[m, axis]
            error = detector.errors_um[axis, region, min(high - low, 7)] * 1e-4 * ends / detector.pitch[axis]
            variance[index, axis] = error**2
            if name == "column":
                pixels = round((edges[high + 1] - edges[low]) / detector.pitch[1])
                eighths = 8 * pixels - int(8 * abs(imbalance))
                length[index] = -eighths if low == 0 or high == len(edges) - 2 else eighths
        place[index] = centres[m] + local @ rotations[m]
    phi = np.rint(np.arctan2(place[:, 1], place[:, 0]) * 32768 / np.pi).astype(np.int64)
    phi[phi == 32768] = -32768
    return Hits(module, layers[module], place, variance, phi, length.astype(np.int64))
