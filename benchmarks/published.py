"""Published throughput of real kernels against published HS23: data with its sources in `benchmarks/data/`.

* `madgraph_cpu.csv`: matrix elements/s of one core by SIMD level (madgraph5/madgraph4gpu, log files), for the six CPUs of those logs
  whose HS23 with SMT off is in the HEPiX table (`madgraph_hs23.csv`). One core of an idle node runs at its highest
  clock, HS23 at that of the loaded node: the errors below hold this difference, which `agent bench` does not have.
* `hs23_workload_ratios.csv`: each HEP workload against the full score of the same run (HEPscoreData; hardware not named).
"""

from __future__ import annotations

import csv
import itertools
import math
import statistics
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from capacity.hs06.calibrate import Pair, fit
from capacity.hs06.calibration import Calibration
from capacity.hs06.model import CpuDescription, MeasuredScore, NodeEvidence, PayloadScore

DATA = Path(__file__).parent / "data"
PROCESSES = ("ggtt", "ggttg", "ggttgg", "ggttggg")  # eemumu is bound by memory and measured at two sizes
LEVELS = ("none", "sse4", "avx2", "512y", "512z")


class Spread(NamedTuple):
    """Of ln(rate / HS23 per core) over CPUs."""

    sigma: float
    cpus: int


class Line(NamedTuple):
    """One CPU, predicted without its family."""

    name: str
    measured: float
    predicted: float
    error: float


class Errors(NamedTuple):
    """Relative errors of predicted full scores."""

    rms: float
    worst: float


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def hs23_per_core() -> dict[str, tuple[str, float]]:
    """CPU → family, median HS23 per core with SMT off."""
    return {
        row["cpu"]: (
            row["family"],
            statistics.median(map(float, row["hs23_totals"].split())) / int(row["cores"]),
        )
        for row in _rows("madgraph_hs23.csv")
    }


def madgraph_rates(level: str, precision: str = "double") -> dict[str, dict[str, float]]:
    """CPU → process → median matrix elements/s of one core; processes of which all was measured."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows("madgraph_cpu.csv"):
        if row["simd"] == level and row["precision"] == precision and row["process"] in PROCESSES:
            found[row["cpu"]][row["process"]].append(float(row["matrix_elements_per_s"]))
    return {
        cpu: {process: statistics.median(values) for process, values in rates.items()}
        for cpu, rates in found.items()
    }


def madgraph_spreads() -> dict[str, Spread]:
    """SIMD level → how well the geometric mean of the processes follows HS23."""
    truth = hs23_per_core()
    spreads = {}
    for level in LEVELS:
        logs = [
            statistics.fmean(math.log(rate) for rate in rates.values()) - math.log(truth[cpu][1])
            for cpu, rates in madgraph_rates(level).items()
        ]
        spreads[level] = Spread(statistics.stdev(logs), len(logs))
    return spreads


def madgraph_pairs(level: str = "sse4") -> list[Pair]:
    """The CPUs as nodes, as if all cores ran at the rate of the one that was measured."""
    truth = hs23_per_core()
    return [
        _pair(cpu, truth[cpu][0], truth[cpu][1], rates)
        for cpu, rates in sorted(madgraph_rates(level).items())
    ]


def _pair(name: str, family: str, hs23: float, rates: dict[str, float]) -> Pair:
    return Pair(
        id=name,
        family=family,
        evidence=NodeEvidence(
            cpu=CpuDescription(model_name=name, logical_cpus=1, threads_per_core=1),
            scope="node",
            scores=tuple(
                PayloadScore(
                    kernel=kernel,
                    version="1",
                    backend="cpu",
                    copies=1,
                    events_per_s=rate,
                    baseline_events_per_s=rate,
                )
                for kernel, rate in sorted(rates.items())
            ),
            measured=(MeasuredScore(kind="HS23", total=hs23, loaded_cpus=1, source="published"),),
        ),
    )


def calibrated(pairs: list[Pair]) -> Calibration:
    """With a fixed date."""
    return fit(pairs, datetime(2026, 11, 23, tzinfo=UTC))


def madgraph_held_out(level: str = "sse4") -> list[Line]:
    """Each CPU, calibrated on the families of the others."""
    return [
        Line(
            one.id,
            one.target_hs23_per_core,
            one.held_out_hs23_per_core,
            one.held_out_hs23_per_core / one.target_hs23_per_core - 1,
        )
        for one in calibrated(madgraph_pairs(level)).residuals
        if one.held_out_hs23_per_core is not None
    ]


def workload_pairs(workloads: tuple[str, ...]) -> list[Pair]:
    """The hardware classes, each its own family, with some of their workloads as kernels."""
    pairs = []
    for row in _rows("hs23_workload_ratios.csv"):
        # Totals of nodes whose number of CPUs is not published: in hundreds, so that they pass for scores of one.
        score = float(row["hs23_mean"]) / 100
        rates = {name: score * float(row[f"ratio_{name}"]) for name in workloads}
        pairs.append(_pair(f"class {row['hw_class']}", row["hw_class"], score, rates))
    return pairs


def workloads() -> tuple[str, ...]:
    """Names of the seven workloads."""
    return tuple(
        name.removeprefix("ratio_")
        for name in _rows("hs23_workload_ratios.csv")[0]
        if name.startswith("ratio_")
    )


def workload_errors() -> dict[str, Errors]:
    """Workloads → error of the full score, each class predicted from the others."""
    found = {}
    names = workloads()
    chosen: list[tuple[str, ...]] = [(name,) for name in names]
    chosen += [pair for pair in itertools.combinations(names, 2) if {"cms-reco-run3-ma"} & set(pair)] + [
        ("atlas-gen_sherpa-ma", "atlas-reco_mt-ma", "lhcb-sim-run3-ma", "alice-digi-reco-core-run3-ma"),
        names,
    ]
    for group in chosen:
        logs = [
            math.log(one.held_out_hs23_per_core / one.target_hs23_per_core)
            for one in calibrated(workload_pairs(group)).residuals
            if one.held_out_hs23_per_core is not None
        ]
        label = (
            " + ".join(name.rsplit("-", 1)[0].replace("-run3", "") for name in group)
            if len(group) < 4
            else f"{len(group)} workloads"
        )
        found[label] = Errors(math.sqrt(statistics.fmean(x * x for x in logs)), max(map(abs, logs)))
    return found
