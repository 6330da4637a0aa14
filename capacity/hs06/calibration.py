"""The document that turns payload scores into HS23: how it is read, what it says of a node, when it says nothing."""

from __future__ import annotations

import hashlib
import math
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Literal

import numpy as np
from pydantic import AwareDatetime, Field, ValidationError, model_validator

from capacity.errors import BadInputError
from capacity.hs06.fitting import FLOOR, Levels, Solution
from capacity.hs06.model import CpuDescription, Method, NodeEvidence, Part, Positive, Rung, Spread
from capacity.hs06.processors import microarchitecture_of
from capacity.hs06.rates import Rates, rates_of, smt_code

PROVISIONAL_SIGMA = 0.25
"""No interval of a provisional calibration is narrower (issue 5)."""
FLOOR_OF_HS06 = 0.07
"""Where the measured scores are HS06: HS23 and HS06 of one configuration disagree by as much."""
LEAST_HS23, MOST_HS23 = 0.4, 400.0
"""Per core; published nodes have 4 to 40. Beyond ten times that a score is a mistake or a lie."""
MAX_BYTES = 32 * 1024 * 1024
"""Largest document that is read: 20,000 inputs need about 15 MB."""
_SHIPPED = "calibration-provisional.json"

Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=400)]


class KernelTerm(Part):
    """One kernel of the fit."""

    kernel: Text
    version: Text = Field(description="only scores of this version are comparable")
    weight: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
    weight_sigma: Spread
    reference_events_per_s: Positive = Field(
        description="per loaded CPU; the point that rates are relative to"
    )
    scatter: Spread = Field(description="of ln(rate) around the speed of a node: what a missing kernel costs")


class Input(Part):
    """One node that was fitted to."""

    id: Text
    digest: Text = Field(description="BLAKE2b-128 of the evidence and the target")
    kind: Literal["HS23", "HS06", "expected"] = Field(description="expected: anchored, nobody measured it")
    source: Text
    cpu_model: Text | None = None
    family: Text
    profile_ids: tuple[Text, ...] = ()


class LeftOut(Part):
    """A node that was not fitted to, and why."""

    id: Text
    reason: Text


class Residual(Part):
    """A node in the plots of fit and held-out prediction."""

    id: Text
    family: Text
    cpu_model: Text | None = None
    kind: Literal["HS23", "HS06", "expected"]
    smt_on: bool | None = None
    target_hs23_per_core: Positive
    fitted_hs23_per_core: Positive
    held_out_hs23_per_core: Positive | None = Field(
        default=None, description="by a fit that did not see its family; None = anchors, or a single family"
    )
    expected_hs23_per_core: Positive | None = Field(
        default=None, description="by its name alone, for comparison"
    )
    outlier: bool = Field(description="named, and not counted")


class FamilyError(Part):
    """How a calibration without this family predicts it. Relative errors: 0.08 is 8 %."""

    family: Text
    nodes: int
    outliers: int
    rms: Spread | None = Field(default=None, description="None = no other family to fit to")
    bias: Finite | None = Field(default=None, description="mean of ln(predicted / measured)")
    expected_rms: Spread | None = Field(default=None, description="of the expectation by name, same nodes")


class Calibration(Part):
    """Payload scores → HS23 per core; also the `PayloadModel` of the estimator."""

    format: Literal[1] = 1
    version: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    created_at: AwareDatetime
    provisional: bool = Field(description="true: no node with a measured score stands behind it")
    note: Text | None = None
    rate: Literal["baseline"] = Field(
        default="baseline",
        description="events/s of the instruction set that CMSSW ships: wide vectors gain what HEP's programs do not",
    )
    intercept: Finite = Field(description="ln(HS23 per core) at the reference rates")
    terms: Annotated[tuple[KernelTerm, ...], Field(min_length=1, max_length=32)]
    smt: Finite = Field(description="ln(HS23 with SMT / HS23 without) that the kernels' rates do not show")
    covariance: tuple[tuple[Finite, ...], ...] = Field(description="of intercept, weights, smt")
    sigma: Spread = Field(description="of a node of a family that was not fitted to")
    floor: Spread = FLOOR
    inputs: Annotated[tuple[Input, ...], Field(max_length=20_000)]
    left_out: Annotated[tuple[LeftOut, ...], Field(max_length=20_000)] = ()
    families: tuple[FamilyError, ...] = ()
    residuals: Annotated[tuple[Residual, ...], Field(max_length=20_000)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Calibration:
        size = len(self.terms) + 2
        if len(self.covariance) != size or any(len(row) != size for row in self.covariance):
            raise ValueError(f"covariance must be {size} × {size} for {size - 2} kernels")
        if np.linalg.eigvalsh(np.array(self.covariance)).min() < -1e-9:
            raise ValueError("covariance is not that of anything: it has a negative variance")
        if len({term.kernel for term in self.terms}) != len(self.terms):
            raise ValueError("a kernel stands there twice")
        return self

    @classmethod
    def from_json(cls, document: bytes) -> Calibration:
        """Reads a document that `to_json` wrote, here or elsewhere.

        Raises:
            BadInputError: too large, or not such a document.
        """
        if len(document) > MAX_BYTES:
            raise BadInputError(
                f"the calibration has {len(document)} bytes, more than the {MAX_BYTES} that are read"
            )
        try:
            return cls.model_validate_json(document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the document"
            raise BadInputError(
                f"this is not a calibration: {place}: {first['msg'].removeprefix('Value error, ')}; "
                "hand in a file that `capacity calibrate show VERSION --json` wrote"
            ) from error

    def to_json(self) -> str:
        """As text, indented, with a final newline."""
        return self.model_dump_json(indent=1) + "\n"

    @classmethod
    def shipped(cls) -> Calibration:
        """The provisional one that comes with sitecap."""
        return cls.from_json(files("capacity.hs06").joinpath("data", _SHIPPED).read_bytes())

    @property
    def kernels(self) -> dict[str, str]:
        """Kernel → the version that it holds for."""
        return {term.kernel: term.version for term in self.terms}

    @cached_property
    def _solution(self) -> Solution:
        return Solution(
            Levels(
                np.log([term.reference_events_per_s for term in self.terms]),
                np.array([term.scatter for term in self.terms]),
            ),
            np.array([self.intercept, *(term.weight for term in self.terms), self.smt]),
            np.array(self.covariance),
            self.sigma,
            np.zeros(0, dtype=np.bool_),
        )

    def rung(self, evidence: NodeEvidence, expected: Rung) -> Rung:
        """What the payload scores of a node say.

        Args:
            evidence: of a node or a slot; scores of one copy per granted CPU.
            expected: what its name says, shown beside the figure; it does not enter it, for the estimator combines both.

        Returns:
            A rung of method PAYLOAD, per core of the fully loaded node. Without a figure, but with the reason, if no score
            is of a kernel and version that this calibration knows.
        """
        rates = rates_of(evidence, self.kernels)
        if not rates.by_kernel:
            return Rung(
                method=Method.PAYLOAD,
                says=f"Calibration {self.version} has nothing to go by.",
                reason="; ".join(rates.reasons) or "no payload was run",
            )
        log_rates = np.array([[rates.log_rate(term.kernel) for term in self.terms]])
        load = rates.load
        predicted, variance = self._solution.predict(log_rates, np.array([smt_code(evidence.cpu)]))
        if not plausible(float(predicted[0])):
            return Rung(
                method=Method.PAYLOAD,
                says=f"The scores of {', '.join(rates.by_kernel)} cannot be those of a processor.",
                reason=f"they would be HS23 per core outside {LEAST_HS23:g} to {MOST_HS23:g}",
            )
        sigma = math.sqrt(self.sigma**2 + float(variance[0]) + load.sigma**2 + rates.disturbance_sigma**2)
        sigma = max(sigma, PROVISIONAL_SIGMA if self.provisional else self.floor)
        score = math.exp(float(predicted[0]))
        again = self._says_it_again(evidence, expected)
        return Rung(
            method=Method.PAYLOAD,
            hs23_per_core=None if again else score,
            sigma=None if again else min(sigma, 5.0),
            says=self._sentence(rates, score, sigma, expected),
            inputs=(
                *(f"{name} {self.kernels[name]}" for name in rates.by_kernel),
                f"calibration {self.version}",
            ),
            reason=again,
        )

    def _says_it_again(self, evidence: NodeEvidence, expected: Rung) -> str | None:
        """Why the figure is no second opinion: it was made from the expectation that it would be averaged with."""
        family = family_of(evidence.cpu)
        if not self.provisional or expected.method is not Method.FAMILY:
            return None
        if all(family != one.family for one in self.inputs):
            return None
        return (
            f"this calibration is anchored on what {family} processors are expected to do, so for one of them it only "
            "says that again; it counts once somebody has measured HS23 on a node with payload scores"
        )

    def _sentence(self, rates: Rates, score: float, sigma: float, expected: Rung) -> str:
        absent = [term.kernel for term in self.terms if term.kernel not in rates.by_kernel]
        kind = "the provisional " if self.provisional else ""
        measured = f"{', '.join(rates.by_kernel)} on {rates.copies} loaded CPUs"
        parts = [
            f"{measured} give {score:.2f} HS23 per core ± {sigma:.0%} by {kind}calibration {self.version}"
        ]
        if absent:
            parts.append(f"without {', '.join(absent)}, for which the others stand")
        if expected.hs23_per_core:
            parts.append(f"{score / expected.hs23_per_core:.2f} times what its name lets expect")
        parts += [rates.load.says] if rates.load.says else []
        parts += rates.reasons
        return "; ".join(parts) + "."


def version_of(calibration: Calibration) -> str:
    """A version by content: the same inputs give the same name, on every machine."""
    content = calibration.model_dump_json(exclude={"version", "created_at", "note"})
    kind = "provisional" if calibration.provisional else "measured"
    return f"{kind}-{hashlib.blake2b(content.encode(), digest_size=5).hexdigest()}"


def family_of(cpu: CpuDescription) -> str:
    """What is left out together in the proof: the micro-architecture, or what the processor says of itself."""
    known = microarchitecture_of(cpu)
    if known is not None:
        return known
    parts = (cpu.vendor or cpu.arch, cpu.x86_family, cpu.x86_model)
    return " ".join(str(part) for part in parts if part is not None) or "not known"


def plausible(log_score: float) -> bool:
    """Whether ln(HS23 per core) can be that of a processor."""
    return math.log(LEAST_HS23) <= log_score <= math.log(MOST_HS23)


def digest_of(evidence: NodeEvidence, target: float) -> str:
    """Of what one node brings to a fit."""
    content = f"{evidence.model_dump_json()}|{target!r}"
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
