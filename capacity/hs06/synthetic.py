"""Fleets whose truth is known, to see whether a calibration finds it: families, noise, outliers, kernels not run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from capacity.hs06.calibrate import Pair
from capacity.hs06.model import CpuDescription, MeasuredScore, Method, NodeEvidence, PayloadScore, Rung

KERNELS = ("clue", "mkfit", "pixeltrack", "vertexing")


@dataclass(frozen=True)
class Truth:
    """What a fleet is made by.

    Attributes:
        weights: kernel → its true weight.
        intercept: ln(HS23 per core) where every kernel runs at its reference.
        smt: ln of what HS23 gains by SMT beyond the kernels.
        family_sigma: of families around the law; what no fit can know.
        node_sigma: of nodes around their family, measured score and rates together.
        kernel_sigma: of each kernel's ln rate around the speed of a family.
    """

    weights: tuple[float, ...] = (0.1, 0.4, 0.3, 0.2)
    intercept: float = math.log(15.0)
    smt: float = 0.05
    family_sigma: float = 0.05
    node_sigma: float = 0.02
    kernel_sigma: float = 0.10


@dataclass(frozen=True)
class Fleet:
    """Nodes and what is true of them.

    Attributes:
        pairs: to fit to.
        true_hs23_per_core: of each pair, without what was broken about outliers.
        outliers: ids of the nodes whose measured score was broken on purpose.
    """

    pairs: tuple[Pair, ...]
    true_hs23_per_core: tuple[float, ...]
    outliers: frozenset[str]


def make_fleet(
    truth: Truth,
    *,
    families: int,
    nodes: int,
    seed: int,
    outlier_share: float = 0.0,
    missing_share: float = 0.0,
    measured_share: float = 1.0,
) -> Fleet:
    """Makes a fleet.

    Args:
        truth: the law.
        families: of CPUs, with a spread of speeds as in the HS23 table (a factor of three, with and without SMT).
        nodes: of each family; every second one with SMT on.
        seed: of all random numbers.
        outlier_share: nodes whose measured score is off by 1.5 or more either way.
        missing_share: kernels that were not run; one of a node is always left.
        measured_share: nodes with a measured score; the others have the expectation by name only.
    """
    random = np.random.default_rng(seed)
    pairs: list[Pair] = []
    true_scores: list[float] = []
    broken: set[str] = set()
    levels = np.exp(random.normal(4.0, 0.7, len(truth.weights)))
    for family in range(families):
        speed = random.uniform(-0.5, 0.5)
        flavour = random.normal(0.0, truth.kernel_sigma, len(truth.weights))
        offset = random.normal(0.0, truth.family_sigma)
        for node in range(nodes):
            smt_on = node % 2 == 0
            # A core does 1.2 times as much with two threads: each thread 0.6 of it.
            relative = speed + flavour + (math.log(0.6) if smt_on else 0.0) + random.normal(0, 0.05)
            law = (
                truth.intercept
                + float(np.dot(truth.weights, relative))
                + truth.smt * (0.5 if smt_on else -0.5)
            )
            score = math.exp(law + offset)
            name = f"f{family:02d}-n{node:03d}"
            told = score * math.exp(random.normal(0.0, truth.node_sigma))
            if random.random() < outlier_share:
                told *= math.exp(random.choice([-1, 1]) * random.uniform(math.log(1.5), math.log(3)))
                broken.add(name)
            kept = random.random(len(truth.weights)) >= missing_share
            kept[random.integers(len(kept))] = True
            cpus = 64 if smt_on else 32
            pairs.append(
                Pair(
                    id=name,
                    family=f"family {family:02d}",
                    evidence=NodeEvidence(
                        cpu=CpuDescription(
                            model_name=f"Synthetic {family:02d}",
                            arch="x86_64",
                            logical_cpus=cpus,
                            physical_cores=32,
                            threads_per_core=2 if smt_on else 1,
                        ),
                        scope="node",
                        scores=_scores(relative, levels, kept, cpus),
                        measured=_measured(told, cpus, name) if random.random() < measured_share else (),
                    ),
                    expected=Rung(
                        method=Method.FAMILY,
                        hs23_per_core=score * math.exp(random.normal(0.0, 0.08)),
                        sigma=0.08,
                        says="synthetic expectation",
                    ),
                )
            )
            true_scores.append(score)
    return Fleet(tuple(pairs), tuple(true_scores), frozenset(broken))


def _scores(
    relative: np.ndarray[tuple[int], np.dtype[np.float64]],
    levels: np.ndarray[tuple[int], np.dtype[np.float64]],
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]],
    cpus: int,
) -> tuple[PayloadScore, ...]:
    return tuple(
        PayloadScore(
            kernel=kernel,
            version="1",
            backend="cpu",
            copies=cpus,
            events_per_s=2 * rate * cpus,
            baseline_events_per_s=rate * cpus,
        )
        for kernel, rate, there in zip(KERNELS, levels * np.exp(relative), kept, strict=True)
        if there
    )


def _measured(score: float, cpus: int, name: str) -> tuple[MeasuredScore, ...]:
    return (MeasuredScore(kind="HS23", total=score * cpus, loaded_cpus=cpus, source=f"synthetic {name}"),)
