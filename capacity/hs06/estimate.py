"""HS06-equivalent of one node: the ladder of methods, all rungs shown, combined by the rules of the service.

The rules: SMT states are kept apart; a part of a node is never multiplied up; virtual machines and job slots are widened;
catalogue and family model come from one table, so only the better of them counts; nothing claims more than 4 % against HS23
(7 % against HS06) unless it was measured on the node; an architecture without published scores is uncalibrated.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from capacity.hs06 import cpu_name, findings, measured, processors
from capacity.hs06.catalogue import FLOOR, HS06_FLOOR, Catalogue
from capacity.hs06.combine import Combined, Opinion, combine, widen
from capacity.hs06.family import FamilyModel
from capacity.hs06.model import Estimate, Finding, Method, NodeEvidence, Rung

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


class _Parts(NamedTuple):
    """What an estimate is made of, before it is told."""

    rungs: tuple[Rung, ...]
    expected: Rung
    spread: float
    used: tuple[Rung, ...]
    result: Combined


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
        return cls(catalogue, FamilyModel.fit(catalogue.rows), payload_model)

    def estimate(self, evidence: NodeEvidence) -> Estimate:
        """The whole ladder for one node."""
        parts = self._parts(evidence)
        result, cpu = parts.result, evidence.cpu
        heaviest = max(zip(result.weights, parts.used, strict=True), key=lambda pair: pair[0])[1]
        payload_weight = sum(
            w for w, rung in zip(result.weights, parts.used, strict=True) if rung.method is Method.PAYLOAD
        )
        provisional = bool(
            self.payload_model and self.payload_model.provisional and payload_weight >= _PROVISIONAL_WEIGHT
        )
        payload_counts = payload_weight > 0 and not provisional
        calibrated = (
            cpu.arch is None or cpu.arch in _PUBLISHED or heaviest.method is Method.MEASURED or payload_counts
        )
        cores, present = evidence.cores_granted, cpu.logical_cpus or evidence.cores_present
        whole = evidence.scope == "node" or (cores is not None and present is not None and cores >= present)
        node_score = result.score * present if present and whole else None
        return Estimate(
            hs23_per_core=result.score,
            low=result.score * math.exp(-result.sigma),
            high=result.score * math.exp(result.sigma),
            scope_cores=cores,
            hs23_scope=result.score * cores if cores else None,
            node_cores=present,
            hs23_node=node_score,
            sigma=result.sigma,
            sigma_common=_common(parts),
            method=heaviest.method,
            provisional=provisional,
            calibrated=calibrated,
            rungs=parts.rungs,
            steps=self._steps(evidence, parts, cores=cores, present=present, whole=whole),
            findings=self._findings(evidence, parts, calibrated=calibrated, whole=whole),
            catalogue_version=self.catalogue.version,
            calibration_version=self.payload_model.version if self.payload_model else None,
        )

    def _parts(self, evidence: NodeEvidence) -> _Parts:
        cpu = evidence.cpu
        own = measured.rung_of(evidence.measured, cpu)
        catalogue, family = self.catalogue.lookup(cpu), self.family.predict(cpu)
        expected = next(rung for rung in (catalogue, family, self._default) if rung.hs23_per_core is not None)
        payload = self._payload(evidence, expected)
        rungs = (own, catalogue, payload, family, self._default)
        spread = SLOT_SIGMA if cpu.virtualised or _is_slot(evidence) else 0.0
        used = tuple(rung for rung in (own, payload, expected) if rung.hs23_per_core is not None)
        opinions = [
            Opinion(rung.method.value, rung.hs23_per_core or 0.0, max(rung.sigma or 0.0, 1e-3))
            for rung in used
        ]
        if own.hs23_per_core is not None:
            # A run on the node has its virtual machine in it; only what others say of such nodes is widened.
            opinions = [
                one if one.name == own.method.value else one._replace(sigma=widen(one.sigma, spread))
                for one in opinions
            ]
            agreeing = [place for place, one in enumerate(opinions) if _agree(one, opinions[0])]
            result = combine([opinions[place] for place in agreeing])
            return _Parts(rungs, expected, spread, tuple(used[place] for place in agreeing), result)
        result = combine(opinions, floor=HS06_FLOOR if _from_hs06(expected) else FLOOR)
        return _Parts(rungs, expected, spread, used, result._replace(sigma=widen(result.sigma, spread)))

    def _payload(self, evidence: NodeEvidence, expected: Rung) -> Rung:
        if self.payload_model is None:
            return _absent("no calibration is loaded")
        if not evidence.scores:
            return _absent(
                "the profile has no payload scores: run `agent bench` or `agent pilot` on the node"
            )
        return self.payload_model.rung(evidence, expected)

    def _findings(
        self, evidence: NodeEvidence, parts: _Parts, *, calibrated: bool, whole: bool
    ) -> tuple[Finding, ...]:
        found: list[Finding] = []
        own = next((rung for rung in parts.used if rung.method in (Method.MEASURED, Method.PAYLOAD)), None)
        if own is not None and parts.expected.method is not Method.DEFAULT:
            usual = self.catalogue.usual_memory_gib(evidence.cpu)
            found += findings.of_speed(own, parts.expected, parts.spread, evidence, usual)
        name = cpu_name.parse(evidence.cpu.model_name or "")
        found += findings.of_state(evidence)
        found += findings.of_processor(evidence.cpu, name.why, calibrated=calibrated)
        if not whole:
            found.append(
                Finding(
                    code="part-of-node",
                    says="Only a part of this node was seen: its figure is not multiplied up to the node.",
                )
            )
        return tuple(found)

    def _steps(self, evidence: NodeEvidence, parts: _Parts, *, cores: float | None, present: int | None, whole: bool) -> tuple[str, ...]:  # fmt: skip
        result = parts.result
        steps = [
            _who(evidence),
            *(
                rung.says if rung.reason is None else f"{rung.says} Reason: {rung.reason}."
                for rung in parts.rungs
            ),
        ]
        if parts.expected.method is Method.CATALOGUE:
            steps.append(
                "The family model is shown for comparison only: it comes from the same table as the catalogue and is not counted twice."
            )
        told = " and ".join(
            f"{rung.method.value} {rung.hs23_per_core:.1f} ± {100 * (rung.sigma or 0):.0f} % (weight {100 * weight:.0f} %)"
            for rung, weight in zip(parts.used, result.weights, strict=True)
        )
        stretch = (
            f", widened {result.stretch:.1f} times because they contradict one another"
            if result.stretch > 1.05
            else ""
        )
        steps.append(f"Together: {told}{stretch}.")
        if parts.spread:
            where = "a virtual machine" if evidence.cpu.virtualised else "a job slot"
            steps.append(
                f"This is {where}: production slots are at 0.86 to 1.41 of dedicated runs of their model (5-95 %), so the interval is widened by {100 * parts.spread:.0f} %."
            )
        low, high = (result.score * math.exp(side * result.sigma) for side in (-1, 1))
        steps.append(f"Result: {result.score:.1f} HS23 per CPU, 68 % between {low:.1f} and {high:.1f}.")
        if cores:
            steps.append(
                f"{cores:g} granted cores × {result.score:.1f} = {cores * result.score:.0f} HS23 in this scope."
            )
        if present and whole:
            steps.append(
                f"{present} CPUs × {result.score:.1f} = {present * result.score:.0f} HS23 for the whole node."
            )
        elif present:
            steps.append(
                f"The node has {present} CPUs, of which only a part was seen; the figure is not multiplied up to the node."
            )
        return tuple(steps)


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


def _absent(why: str) -> Rung:
    return Rung(method=Method.PAYLOAD, says="No figure from payloads.", reason=why)


def _is_slot(evidence: NodeEvidence) -> bool:
    return evidence.in_batch_slot or evidence.scope == "slot"


def _from_hs06(rung: Rung) -> bool:
    return rung.method is Method.CATALOGUE and bool(rung.inputs) and " HS06 on " in rung.inputs[0]


def _common(parts: _Parts) -> float:
    """Table and calibration err alike for all nodes of a model; runs on the node err for themselves."""
    shared = 0.0
    for weight, rung in zip(parts.result.weights, parts.used, strict=True):
        if rung.method is not Method.MEASURED:
            sigma = rung.sigma if rung.sigma_common is None else rung.sigma_common
            shared += (weight * widen(sigma or 0.0, parts.spread)) ** 2
    return min(math.sqrt(shared), parts.result.sigma)


def _who(evidence: NodeEvidence) -> str:
    cpu = evidence.cpu
    known = [
        cpu.arch,
        processors.microarchitecture_of(cpu),
        f"{cpu.packages} package{'s' if cpu.packages != 1 else ''}" if cpu.packages else None,
        f"{cpu.physical_cores} cores" if cpu.physical_cores else None,
        f"{cpu.logical_cpus} CPUs" if cpu.logical_cpus else None,
        {True: "SMT on", False: "SMT off or not visible", None: "SMT state not known"}[cpu.smt_on],
        "virtual machine" if cpu.virtualised else None,
    ]
    key = processors.key_of(cpu)
    name = f"{cpu.model_name} (key: {key})" if cpu.model_name else "a processor without a name"
    return f"The node has {name}: {', '.join(part for part in known if part)}."
