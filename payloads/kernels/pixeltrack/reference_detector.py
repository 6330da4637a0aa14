"""What the reference knows of the detector: the tables that the kernel is compiled with, and the default cuts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FOLDER = Path(__file__).parent
PHASE1 = {
    "min_hits": 3,
    "max_z0_cm": 12.0,
    "min_pt_doublet_gev": 0.5,
    "min_pt_gev": 0.9,
    "max_curvature_per_cm": 0.0328407224959,
    "max_dca_first_cm": 0.15,
    "max_dca_cm": 0.25,
    "max_misalignment_barrel": 0.002,
    "max_misalignment_disc": 0.003,
    "radiation_lengths_barrel": 0.018,
    "radiation_lengths_disc": 0.045,
    "beam_pipe_radius_cm": 2.2,
    "beam_pipe_radiation_lengths": 0.0023,
    "barrel_end_cm": 27.5,
    "barrel_end_radiation_lengths": 0.16,
    "field_t": 3.8,
    "max_sine2": 1e-5,
    "triplet_max_chi2_scale": 9.0,
    "quadruplet_max_chi2_scale": 30.0,
    "triplet_max_tip_cm": 0.1,
    "triplet_min_pt_gev": 0.5,
    "quadruplet_max_tip_cm": 0.5,
    "quadruplet_min_pt_gev": 0.3,
    "max_zip_cm": 12.0,
    "triplet_max_lost_hits": 0,
    "quadruplet_max_lost_hits": 1,
    "min_cluster_electrons_first": 2000,
    "min_cluster_electrons": 4000,
}
PHASE2 = {**PHASE1, "max_z0_cm": 12.5, "min_pt_doublet_gev": 0.85, "max_curvature_per_cm": 0.01425}


@dataclass(frozen=True)
class Detector:
    """Pixels (edges in cm from the module's centre), layer pairs (rows of the tables), cuts by name.

    Attributes:
        lengths: cuts on cluster lengths: least towards a disc from layer 1 and from layer 2, largest difference from
            layer 1 and from the others, largest difference to the prediction, eighths of a pixel for dz/dr = 1.
        errors_um: [axis, region, length].
    """

    cuts: dict[str, float]
    pairs: Floats
    row_edges: Floats
    column_edges: Floats
    pitch: tuple[float, float]
    lengths: tuple[float, ...]
    errors_um: Floats

    @property
    def cm_per_gev(self) -> float:
        """Radius of the bend of a track of 1 GeV."""
        return 1 / (0.00299792458 * self.cuts["field_t"])


def _rows(path: Path, macro: str) -> Floats:
    found = re.findall(rf"^{macro}\((.*)\)$", path.read_text(), re.MULTILINE)
    return np.array([[float(value.strip().rstrip("f")) for value in row.split(",")] for row in found])


def _edges(pixels: int, pitch: float, large: set[int]) -> Floats:
    units = np.cumsum([0] + [2 if pixel in large else 1 for pixel in range(pixels)])
    return np.asarray((units - units[-1] / 2) * pitch, dtype=np.float64)


def detector(settings: Mapping[str, float]) -> Detector:
    """The detector that these settings mean."""
    errors = np.stack([_rows(FOLDER / "hit_errors.h", f"SITECAP_ERRORS_{axis}")[:, 1:] for axis in "XY"])
    second = settings.get("phase", 1) == 2
    return Detector(
        cuts={**(PHASE2 if second else PHASE1), **settings},
        pairs=_rows(FOLDER / "topology" / f"phase{2 if second else 1}_pairs.h", "SITECAP_PAIR"),
        row_edges=_edges(672, 0.0025, set()) if second else _edges(160, 0.01, {79, 80}),
        column_edges=_edges(216, 0.01, set())
        if second
        else _edges(416, 0.015, {column for column in range(416) if column % 52 in (0, 51)}),
        pitch=(0.0025, 0.01) if second else (0.01, 0.015),
        lengths=(20, 18, 12, 10, 24, 8 * 0.015 / 0.01)
        if second
        else (36, 28, 28, 20, 20, 8 * 0.0285 / 0.015),
        errors_um=errors,
    )
