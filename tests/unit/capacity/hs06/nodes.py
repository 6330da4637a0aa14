"""Nodes and rungs for the tests."""

from __future__ import annotations

from typing import Any

from capacity.hs06.model import CpuDescription, MeasuredScore, Method, NodeEvidence, PayloadScore, Rung

EPYC_7302 = CpuDescription(
    model_name="AMD EPYC 7302 16-Core Processor",
    arch="x86_64",
    packages=2,
    physical_cores=32,
    logical_cpus=64,
    threads_per_core=2,
    memory_bytes=256 * 2**30,
)
E5_2683 = CpuDescription(
    model_name="Intel(R) Xeon(R) CPU E5-2683 v4 @ 2.10GHz",
    arch="x86_64",
    packages=2,
    physical_cores=32,
    logical_cpus=64,
    threads_per_core=2,
    clock_ghz=2.1,
    memory_bytes=123 * 2**30,
)
GOLD_6140 = CpuDescription(
    model_name="Intel(R) Xeon(R) Gold 6140 CPU @ 2.30GHz",
    arch="x86_64",
    packages=2,
    physical_cores=36,
    logical_cpus=72,
    threads_per_core=2,
    clock_ghz=2.3,
)
POWER9 = CpuDescription(
    model_name="POWER9, altivec supported",
    arch="ppc64le",
    packages=2,
    physical_cores=32,
    logical_cpus=128,
    threads_per_core=4,
)
MILAN_VM = CpuDescription(
    model_name="AMD EPYC",
    arch="x86_64",
    microarchitecture="zen2",
    x86_family=25,
    x86_model=1,
    packages=1,
    physical_cores=2,
    logical_cpus=2,
    threads_per_core=1,
    l3_bytes=32 * 2**20,
    virtualised=True,
)


def node(cpu: CpuDescription, **more: Any) -> NodeEvidence:
    """Evidence of a whole, dedicated machine."""
    known = {"scope": "node", "cores_granted": cpu.logical_cpus, "cores_present": cpu.logical_cpus}
    return NodeEvidence(cpu=cpu, **{**known, **more})


def slot(cpu: CpuDescription, cores: float, **more: Any) -> NodeEvidence:
    """Evidence of a batch slot."""
    known = {
        "scope": "slot",
        "cores_granted": cores,
        "cores_present": cpu.logical_cpus,
        "in_batch_slot": True,
    }
    return NodeEvidence(cpu=cpu, **{**known, **more})


def hs23(total: float, loaded_cpus: int, **more: Any) -> MeasuredScore:
    """A run on the node."""
    return MeasuredScore(
        **{"kind": "HS23", "total": total, "loaded_cpus": loaded_cpus, "source": "suite", **more}
    )


def score(**more: Any) -> PayloadScore:
    """A payload score of which only what a test names matters."""
    return PayloadScore(
        **{"kernel": "clue", "version": "1", "backend": "cpu", "events_per_s": 100.0, "copies": 64, **more}
    )


class Payloads:
    """A calibration that says what it is told to."""

    version = "test-1"

    def __init__(self, score: float, sigma: float, *, provisional: bool = False) -> None:
        self.score = score
        self.sigma = sigma
        self.provisional = provisional
        self.expected: Rung | None = None

    def rung(self, evidence: NodeEvidence, expected: Rung) -> Rung:
        """The rung, and a note of what was expected."""
        self.expected = expected
        said = f"{len(evidence.scores)} kernels give {self.score}."
        return Rung(method=Method.PAYLOAD, hs23_per_core=self.score, sigma=self.sigma, says=said)
