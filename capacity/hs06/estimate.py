"""HS06-equivalent of one node: the ladder of methods, all rungs shown, combined by the rules of the service.

The rules: SMT states are kept apart; a part of a node is never multiplied up; virtual machines and job slots are widened;
catalogue and family model come from one table, so only the better of them counts; nothing claims more than 4 % against HS23
(7 % against HS06) unless it was measured on the node; an architecture without published scores is uncalibrated.
"""

from __future__ import annotations

import math
from typing import Protocol

from capacity.hs06 import cpu_name, findings, measured, processors
from capacity.hs06.catalogue import FLOOR, Catalogue
from capacity.hs06.combine import Opinion, combine, widen
from capacity.hs06.derivation import Parts, steps
from capacity.hs06.family import FamilyModel
from capacity.hs06.model import Estimate, Finding, Method, NodeEvidence, Rung
from capacity.hs06.pooling import HS06_FLOOR

CONSTANT = 10.0
"""HS23 per core that SiteSupport, PanDA and others assume where nobody typed a value (benchmarks.md b)."""
SLOT_SIGMA = (math.log(1.41) - math.log(0.86)) / (2 * 1.645)
"""0.15: production slots are at 0.86-1.41 of dedicated runs of the same model, 5-95 % (HEPiX, 315 configurations)."""
_PUBLISHED = frozenset({"x86_64", "i386", "i686", "aarch64"})
_CONTRADICTION = 2.5
"""Sigmas from which on a node is not what its model says: 1 % of sound nodes are that far off."""
_PROVISIONAL_WEIGHT = 0.1
"""Share of the weight from which on a figure is said to hang on its provisional calibration."""


class PayloadModel(Protocol):
    """A calibration: turns payload scores into HS23 per CPU of the fully loaded node."""

    @property
    def version(self) -> str:
        """Of the calibration document."""

    @property
    def provisional(self) -> bool:
        """True if no measured pair stands behind it."""

    def rung(self, evidence: NodeEvidence, expected: Rung) -> Rung:
        """The payload rung; `expected` is the table rung of the same node, without widening for slots."""


class Estimator:
    """Turns evidence into estimates; pure: the same evidence and versions give the same figures."""

    def __init__(
        self, catalogue: Catalogue, family: FamilyModel, payload_model: PayloadModel | None = None
    ) -> None:
        self.catalogue = catalogue
        self.family = family
        self.payload_model = payload_model
        self._default = _default(catalogue)

    @classmethod
    def shipped(cls, payload_model: PayloadModel | None = None) -> Estimator:
        """With the catalogue and family model that come with the package."""
        catalogue = Catalogue.shipped()
        return cls(catalogue, catalogue.family, payload_model)

    def estimate(self, evidence: NodeEvidence) -> Estimate:
        """The whole ladder for one node."""
        parts = self._parts(evidence)
        result, cpu = parts.result, evidence.cpu
        calibrated = cpu.arch is None or cpu.arch in _PUBLISHED or self._proven(parts)
        cores, present = evidence.cores_granted, cpu.logical_cpus or evidence.cores_present
        whole = evidence.scope == "node" or (cores is not None and present is not None and cores >= present)
        node_score = result.score * present if present and whole else None
        return Estimate(
            hs23_per_core=result.score,
            low=result.score * math.exp(-result.sigma),
            high=result.score * math.exp(result.sigma),
            scope_cores=cores,
            hs23_scope=(result.score * cores or None) if cores else None,  # of 1e-320 cores nothing is left
            node_cores=present,
            hs23_node=node_score,
            sigma=result.sigma,
            method=_heaviest(parts).method,
            provisional=self._hangs_on_provisional(parts),
            calibrated=calibrated,
            rungs=parts.rungs,
            steps=steps(evidence, parts, whole=whole),
            findings=self._findings(evidence, parts, calibrated=calibrated, whole=whole),
            catalogue_version=self.catalogue.version,
            calibration_version=self.payload_model.version if self.payload_model else None,
        )

    def _parts(self, evidence: NodeEvidence) -> Parts:
        cpu = evidence.cpu
        own, catalogue = measured.rung_of(evidence.measured, cpu), self.catalogue.lookup(cpu)
        # With a catalogue figure, what is shown beside it is the family model that has not seen these very rows.
        known = catalogue.hs23_per_core is not None
        family = (self.family.without(processors.key_of(cpu)) if known else self.family).predict(cpu)
        expected = next(rung for rung in (catalogue, family, self._default) if rung.hs23_per_core is not None)
        payload = self._payload(evidence, expected)
        rungs = (own, catalogue, payload, family, self._default)
        used = tuple(rung for rung in (own, payload, expected) if rung.hs23_per_core is not None)
        opinions = [Opinion(rung.method.value, rung.hs23_per_core or 0.0, rung.sigma or 0.0) for rung in used]
        spread = SLOT_SIGMA if cpu.virtualised or evidence.in_batch_slot or evidence.scope == "slot" else 0.0
        if own.hs23_per_core is None:
            result = combine(opinions, floor=_floor(expected))
            return Parts(
                rungs, expected, spread, used, (), result._replace(sigma=widen(result.sigma, spread))
            )
        # A run on the node has its virtual machine in it; only what others say of such nodes is widened.
        truth, *others = opinions
        widened = [truth, *(one._replace(sigma=widen(one.sigma, spread)) for one in others)]
        agrees = [_agree(one, truth) for one in widened]
        result = combine([one for one, yes in zip(widened, agrees, strict=True) if yes])
        counted = tuple(rung for rung, yes in zip(used, agrees, strict=True) if yes)
        dropped = tuple(rung for rung, yes in zip(used, agrees, strict=True) if not yes)
        return Parts(rungs, expected, spread, counted, dropped, result)

    def _proven(self, parts: Parts) -> bool:
        """Whether a score that somebody measured stands behind the figure."""
        payload = self.payload_model is not None and not self.payload_model.provisional
        return any(
            rung.method is Method.MEASURED or (payload and rung.method is Method.PAYLOAD)
            for rung in parts.used
        )

    def _hangs_on_provisional(self, parts: Parts) -> bool:
        weight = math.fsum(
            weight
            for weight, rung in zip(parts.result.weights, parts.used, strict=True)
            if rung.method is Method.PAYLOAD
        )
        return (
            self.payload_model is not None
            and self.payload_model.provisional
            and weight >= _PROVISIONAL_WEIGHT
        )

    def _payload(self, evidence: NodeEvidence, expected: Rung) -> Rung:
        if self.payload_model is None:
            return _absent("no calibration is loaded")
        if not evidence.scores:
            return _absent(
                "the profile has no payload scores: run `agent bench` or `agent pilot` on the node"
            )
        return self.payload_model.rung(evidence, expected)

    def _findings(
        self, evidence: NodeEvidence, parts: Parts, *, calibrated: bool, whole: bool
    ) -> tuple[Finding, ...]:
        found: list[Finding] = []
        own = next((rung for rung in parts.used if rung.method in (Method.MEASURED, Method.PAYLOAD)), None)
        if own is not None and parts.expected.method is not Method.DEFAULT:
            usual = self.catalogue.usual_memory_gib(evidence.cpu)
            found += findings.of_speed(own, parts.expected, parts.spread, evidence, usual)
        name = cpu_name.parse(evidence.cpu.model_name or "")
        found += findings.of_state(evidence)
        found += findings.of_processor(evidence.cpu, name.why, _heaviest(parts).method, calibrated=calibrated)
        if not whole:
            found.append(
                Finding(
                    code="part-of-node",
                    says="Only a part of this node was seen: its figure is not multiplied up to the node.",
                )
            )
        return tuple(found)


def _default(catalogue: Catalogue) -> Rung:
    """The constant 10, with the spread that the table shows around it."""
    logs = [
        math.log(score / CONSTANT)
        for row in catalogue.rows
        if not row.left_out and (score := row.hs23_per_core)
    ]
    sigma = math.sqrt(sum(value**2 for value in logs) / len(logs))
    share = sorted(abs(math.exp(-value) - 1) for value in logs)[len(logs) // 2]
    return Rung(
        method=Method.DEFAULT,
        hs23_per_core=CONSTANT,
        sigma=sigma,
        says=f"The constant {CONSTANT:g} HS23 per core that is assumed where nothing is known; for the {len(logs)} published nodes it is wrong by {100 * share:.0f} % in the median.",
        inputs=(f"{len(logs)} rows of the table",),
    )


def _agree(one: Opinion, truth: Opinion) -> bool:
    """Whether an opinion may be averaged with what was measured on the node: a broken node is not half as broken."""
    return abs(math.log(one.score / truth.score)) <= _CONTRADICTION * widen(one.sigma, truth.sigma)


def _heaviest(parts: Parts) -> Rung:
    return max(zip(parts.result.weights, parts.used, strict=True), key=lambda pair: pair[0])[1]


def _absent(why: str) -> Rung:
    return Rung(method=Method.PAYLOAD, says="No figure from payloads.", reason=why)


def _floor(expected: Rung) -> float:
    """4 %; 7 % where the table knows the model by HS06 only."""
    old = expected.method is Method.CATALOGUE and all(" HS06 on " in cited for cited in expected.inputs)
    return HS06_FLOOR if old else FLOOR
