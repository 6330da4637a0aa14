"""What the calibration is worth on what is published, and on fleets whose truth is known.

Run as ``python -m benchmarks.calibration ``; with ``--ship`` it makes the provisional calibration anew from its input instead.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import published, synthetic_study
from capacity.hs06 import calibrate
from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.hs06.model import NodeEvidence

DATA = Path(__file__).parent.parent / "capacity" / "hs06" / "data"


def ship() -> None:
    """Anchors the provisional calibration on what the family model expects of the machine that was measured."""
    evidence = NodeEvidence.model_validate_json((DATA / "provisional-evidence.json").read_bytes())
    pair = calibrate.pair_of("sitecap build machine", evidence, Estimator.shipped())
    fitted = calibrate.fit(
        [pair],
        datetime(2026, 11, 24, tzinfo=UTC),
        note="anchored on the family expectation of one virtual machine (Zen 5, 2 CPUs); replace it by measured pairs",
    )
    (DATA / "calibration-provisional.json").write_text(fitted.to_json())


def main() -> None:
    """Prints one table a proof."""
    if "--ship" in sys.argv:
        ship()
        return
    shipped = Calibration.shipped()
    print(f"shipped: {shipped.version}, provisional: {shipped.provisional}, kernels {shipped.kernels}")
    print(
        "\nMadGraph (one core) against HS23 per core with SMT off, sd of the ratio over the CPUs, geometric mean of processes:"
    )
    for level, spread in published.madgraph_spreads().items():
        print(f"  {level:>5}: {spread.sigma:6.1%} over {spread.cpus} CPUs")
    print(
        "\ncalibrated on all CPUs but one (ggtt, ggttg, ggttgg, ggttggg in double precision, SSE4 as CMSSW ships):"
    )
    for line in published.madgraph_held_out():
        print(f"  {line.name:<36} {line.measured:6.1f} → {line.predicted:6.1f}  {line.error:+6.1%}")
    print("\nsingle HEP workloads for the full score, eight hardware classes, class left out:")
    for name, errors in published.workload_errors().items():
        print(f"  {name:<44} {errors.rms:6.1%} rms, worst {errors.worst:6.1%}")
    print(
        "\nsynthetic fleets: families, what is wrong with them → error on new families, coverage of the 68 % interval"
    )
    for case in synthetic_study.CASES:
        result = synthetic_study.study(case, seeds=range(25))
        print(f"  {case.says:<60} rms {result.rms:5.1%}, said {result.mean_sigma:5.1%}, covered {result.coverage:.0%}, "
              f"outliers named {result.outliers_named}/{result.outliers}, wrongly {result.wrongly_named}")  # fmt: skip


if __name__ == "__main__":
    main()
