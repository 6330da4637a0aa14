"""A calibration on one page: its terms, how well it fits, what it is worth on CPU families that it never saw."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from capacity.hs06.calibration import (
    PROVISIONAL_SIGMA,
    Calibration,
    FamilyError,
    KernelTerm,
    LeftOut,
    Residual,
)
from capacity.service.views.common import View
from capacity.store.calibrations import StoredCalibration

MAX_ROWS = 300
"""Residuals and inputs on the page; the document has all."""


class VersionRow(View):
    """A calibration in the list of versions."""

    version: str
    created_at: datetime
    active: bool
    provisional: bool


class InputCount(View):
    """How many nodes of one kind were fitted to."""

    kind: str = Field(description="HS23, HS06, or expected: an anchor that nobody measured")
    nodes: int


class ResidualRow(View):
    """A node: what was measured, what the fit says, what a fit without its family says."""

    residual: Residual
    fit_error: float = Field(description="ln(fitted / target)")
    held_out_error: float | None = Field(description="ln(held out / target); null = not held out")

    @classmethod
    def of(cls, one: Residual) -> ResidualRow:
        """With the errors that follow."""
        held_out = one.held_out_hs23_per_core
        return cls(
            residual=one,
            fit_error=math.log(one.fitted_hs23_per_core / one.target_hs23_per_core),
            held_out_error=math.log(held_out / one.target_hs23_per_core) if held_out else None,
        )


class CalibrationView(View):
    """Everything the page of a calibration shows."""

    generated_at: datetime
    version: str
    created_at: datetime
    active: bool
    provisional: bool
    note: str | None
    sigma: float = Field(
        description="relative, of a node of a family that was not fitted to; not below floor"
    )
    floor: float = Field(description="no interval is narrower, relative")
    reference_hs23_per_core: float = Field(description="at the reference rates, SMT off")
    smt_factor: float = Field(description="HS23 with SMT / without that the kernels' rates do not show")
    terms: tuple[KernelTerm, ...]
    inputs: tuple[InputCount, ...]
    sources: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    left_out_total: int
    families: tuple[FamilyError, ...]
    residuals: tuple[ResidualRow, ...]
    residuals_total: int
    versions: tuple[VersionRow, ...]


def calibration_view(
    calibration: Calibration, active_version: str, stored: Sequence[StoredCalibration], now: datetime
) -> CalibrationView:
    """Compose the page.

    Args:
        calibration: the one to show.
        active_version: of the one that estimates are made with.
        stored: all that were fitted here.
        now: for the reader.
    """
    floor = PROVISIONAL_SIGMA if calibration.provisional else calibration.floor
    kinds = Counter(one.kind for one in calibration.inputs)
    return CalibrationView(
        generated_at=now,
        version=calibration.version,
        created_at=calibration.created_at,
        active=calibration.version == active_version,
        provisional=calibration.provisional,
        note=calibration.note,
        sigma=max(calibration.sigma, floor),
        floor=floor,
        reference_hs23_per_core=math.exp(calibration.intercept),
        smt_factor=math.exp(calibration.smt),
        terms=calibration.terms,
        inputs=tuple(InputCount(kind=kind, nodes=nodes) for kind, nodes in sorted(kinds.items())),
        sources=tuple(sorted({one.source for one in calibration.inputs})[:MAX_ROWS]),
        left_out=calibration.left_out[:MAX_ROWS],
        left_out_total=len(calibration.left_out),
        families=calibration.families,
        residuals=tuple(ResidualRow.of(one) for one in calibration.residuals[:MAX_ROWS]),
        residuals_total=len(calibration.residuals),
        versions=_versions(calibration, active_version, stored),
    )


def _versions(
    shown: Calibration, active_version: str, stored: Sequence[StoredCalibration]
) -> tuple[VersionRow, ...]:
    rows = [
        VersionRow(
            version=one.version,
            created_at=one.created_at,
            active=one.version == active_version,
            provisional=one.provisional,
        )
        for one in stored
    ]
    if all(row.version != shown.version for row in rows):
        rows.append(
            VersionRow(
                version=shown.version,
                created_at=shown.created_at,
                active=shown.version == active_version,
                provisional=shown.provisional,
            )
        )
    return tuple(rows)
