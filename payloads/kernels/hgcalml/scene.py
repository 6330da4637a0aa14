"""What hgcalml adds to the picture of a whole event: tracksters by what they most probably are."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.kernels.hgcalml.reference import ANSWERS
from payloads.scene import Layer, points

ELECTROMAGNETIC = ("photon", "electron")
HADRONS = ("charged_hadron", "neutral_hadron")
USUAL_GEV = 5.0
"""Of a trackster that is drawn with the usual size; the area of a point grows with energy."""


def scene(event: Arrays, result: Arrays) -> list[Layer]:
    """Layers of one event.

    Args:
        event: of section ``tracksters``, or what clue made.
        result: what the kernel or the reference made of it.
    """
    own = np.asarray(result["answer_trackster"], dtype=np.int64)
    places = np.stack([as_float64(event[f"trackster_{axis}"])[own] for axis in "xyz"])
    size = np.clip(np.sqrt(as_float64(result["answer_energy"]) / USUAL_GEV), 0.5, 4.0)
    most = np.argmax(np.stack([as_float64(result[f"answer_{name}"]) for name in ANSWERS]), axis=0)
    layers = []
    for name, colour, kinds in (
        ("tracksters: photons, electrons", "#56b4e9", ELECTROMAGNETIC),
        ("tracksters: hadrons", "#009e73", HADRONS),
    ):
        chosen = np.isin(most, [ANSWERS.index(kind) for kind in kinds])
        layers.append(points(name, colour, 2.5, places[:, chosen], sizes=size[chosen]))
    return layers
