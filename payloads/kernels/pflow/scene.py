"""What pflow adds to the picture of a whole event: cells of both calorimeters that belong to a cluster."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.pflow.reference_clusters import ECAL_LAYERS
from payloads.scene import Layer, points

USUAL_GEV = 0.5
"""Of a cell that is drawn with the usual size; the area of a point grows with energy."""


def scene(event: Arrays, result: Arrays) -> list[Layer]:
    """Layers of one event.

    Args:
        event: of section ``calorimeters``.
        result: what the kernel or the reference made of it.
    """
    cell = np.unique(np.asarray(result["share_cell"], dtype=np.int64))
    channel = np.asarray(event["rechit_channel"], dtype=np.int64)[cell]
    energy = as_float64(event["rechit_energy"])[cell]
    is_crystal = np.asarray(event["channel_layer"])[channel] < ECAL_LAYERS
    return [
        _cells("crystals in clusters", "#f0e442", event, channel[is_crystal], energy[is_crystal]),
        _cells("cells of HCAL in clusters", "#009e73", event, channel[~is_crystal], energy[~is_crystal]),
    ]


def _cells(name: str, colour: str, event: Arrays, channel: Array, energy_gev: Array) -> Layer:
    places = [as_float64(event[f"channel_{axis}"])[channel] for axis in "xyz"]
    return points(name, colour, 1.6, places, sizes=np.clip(np.sqrt(energy_gev / USUAL_GEV), 0.5, 5.0))
