"""Three columns that are never mixed: what may be pledged, what is there, what it does for a named mix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capacity.errors import NotFoundError
from capacity.hs06.evidence import evidence_of
from capacity.hs06.gpu import columns, effective_of, worth_of
from capacity.hs06.gpu_inventory import distinct, inventory, share_of
from capacity.hs06.mix import Mix, mix_named, shipped_mixes
from capacity.hs06.model import (
    CpuDescription,
    Estimate,
    GpuDevice,
    LoadedCpus,
    Method,
    NodeEvidence,
    PayloadScore,
)
from capacity.hs06.offload import Node
from tests.unit.capacity.looks import gpu_payload, look

REPOSITORY = Path(__file__).parents[4]
A100 = GpuDevice(name="NVIDIA A100-PCIE-40GB", vendor="nvidia", memory_bytes=40 << 30, uuid_hash="gpu-a")


def mig(profile: str, number: int, parent: str = "gpu-a", name: str = A100.name) -> GpuDevice:
    return GpuDevice(
        name=name, vendor="nvidia", mig_profile=profile, mig_of=parent, uuid_hash=f"{parent}-mig-{number}"
    )


def cpu_score(kernel: str, rate: float, copies: int = 64) -> PayloadScore:
    return PayloadScore(
        kernel=kernel,
        version="1",
        backend="cpu",
        copies=copies,
        events_per_s=rate,
        low=rate * 0.98,
        high=rate * 1.02,
    )


def gpu_score(kernel: str, rate: float, device: str = A100.name) -> PayloadScore:
    return PayloadScore(
        kernel=kernel,
        version="1",
        backend="cuda",
        device=device,
        copies=1,
        events_per_s=rate,
        low=rate * 0.9,
        high=rate * 1.1,
    )


def node(*scores: PayloadScore, gpus: tuple[GpuDevice, ...] = (A100,)) -> NodeEvidence:
    return NodeEvidence(
        cpu=CpuDescription(logical_cpus=64), scope="node", cores_granted=64, scores=scores, gpus=gpus
    )


def estimate(hs23_node: float | None = 1000.0) -> Estimate:
    return Estimate(
        hs23_per_core=15.625,
        low=15,
        high=16,
        scope_cores=64,
        hs23_scope=1000.0,
        node_cores=64,
        hs23_node=hs23_node,
        sigma=0.05,
        method=Method.CATALOGUE,
        provisional=False,
        rungs=(),
        steps=("for a test",),
        catalogue_version="1",
    )


MIX = mix_named("reco-probable")


@pytest.mark.parametrize(
    ("profile", "name", "share"),
    [
        ("1g.5gb", "NVIDIA A100", 1 / 7),
        ("3g.20gb", "NVIDIA A100", 3 / 7),
        ("7g.40gb", "NVIDIA A100", 1.0),
        ("1g.5gb+me", "NVIDIA A100", 1 / 7),
        ("1c.3g.20gb", "NVIDIA A100", 1 / 7),
        ("MIG 1g.10gb", "NVIDIA H100", 1 / 7),
        ("2g.12gb", "NVIDIA A30", 0.5),
        (None, "NVIDIA T4", 1.0),
        ("unnamed", "NVIDIA A100", None),
        ("9g.5gb", "NVIDIA A100", None),
    ],
)
def test_share_of_a_device(profile: str | None, name: str, share: float | None) -> None:
    device = GpuDevice(name=name, vendor="nvidia", mig_profile=profile)
    assert share_of(device) == (None if share is None else pytest.approx(share))


def test_a_device_seen_by_two_slots_counts_once() -> None:
    found = inventory([A100, A100, A100.model_copy(update={"uuid_hash": "gpu-b"})])
    assert [(line.instances, line.devices) for line in found.lines] == [(2, 2.0)]
    assert "1 device(s) were seen by several slots" in found.remarks[0]


def test_a_device_is_not_counted_beside_its_instances() -> None:
    found = inventory([A100, mig("1g.5gb", 1), mig("1g.5gb", 2), mig("3g.20gb", 3)])
    assert [(line.mig_profile, line.instances) for line in found.lines] == [("1g.5gb", 2), ("3g.20gb", 1)]
    assert sum(line.devices or 0 for line in found.lines) == pytest.approx(5 / 7, abs=1e-5)


def test_instances_of_an_old_cut_are_told() -> None:
    found = inventory([mig("7g.40gb", 1), mig("1g.5gb", 2)])
    assert any("add up to 1.14 devices" in remark for remark in found.remarks)


def test_an_unknown_profile_has_no_share_but_is_there() -> None:
    line = inventory([mig("unnamed", 1)]).lines[0]
    assert (line.instances, line.devices) == (1, None)


def test_devices_without_identity_are_told() -> None:
    nameless = GpuDevice(name="AMD MI250", vendor="amd")
    kept, remarks = distinct([nameless, nameless])
    assert len(kept) == 2
    assert "no identity" in remarks[0]


def test_shipped_mixes_are_those_of_the_table() -> None:
    mixes = shipped_mixes()
    assert sum(mixes["reco-probable"].cpu_shares().values()) == pytest.approx(0.245)
    assert sum(mixes["reco-optimistic"].cpu_shares().values()) == pytest.approx(0.32)
    chain = mixes["hl-lhc-mc-chain"]
    assert sum(chain.cpu_shares().values()) == pytest.approx(0.245 * 3126 / 4726, rel=1e-3)
    with pytest.raises(NotFoundError, match="there are reco-probable"):
        mix_named("nothing")


def test_a_mix_whose_work_is_not_all_work_is_refused() -> None:
    values = MIX.model_dump()
    values["steps"][0]["work_share"] = 0.5
    with pytest.raises(ValueError, match=r"add up to 0\.5"):
        Mix.model_validate(values)
    values = MIX.model_dump()
    values["steps"][0]["algorithms"][0]["cpu_share"] = 0.9
    with pytest.raises(ValueError, match="offloads all"):
        Mix.model_validate(values)


def test_effective_equivalent_by_hand() -> None:
    """Pixel tracks: 8000/1000 → E = 8000; HGCAL: 2000/500 → 4000; nothing else is ported: F = 0.10, G = 5333.

    C = min(1000 / (1 - 0.10 + 0.02), 1000 + 5333 × (1 - 0.2)) = 1086.96: bound by the CPU.
    """
    evidence = node(
        cpu_score("pixeltrack", 1000),
        gpu_score("pixeltrack", 8000),
        cpu_score("clue", 500),
        gpu_score("clue", 2000),
    )
    found = columns(evidence, estimate(), MIX)
    figure = found.effective
    assert figure is not None
    assert figure.offloaded_share == pytest.approx(0.10)
    assert figure.gpu_hs23 == pytest.approx(0.1 / (0.05 / 8000 + 0.05 / 4000))
    assert figure.lower_hs23 == pytest.approx(1000 / 0.92)
    assert figure.upper_hs23 == figure.lower_hs23, "one node, one step: nothing to steer"
    assert {one.algorithm: one.reason for one in figure.algorithms if one.reason} == {
        "track building": "catracks was not measured on the GPU",
        "electron seeding": "eseeding was not measured on the GPU",
        "particle flow": "pflow was not measured on the GPU",
    }
    assert any("not official" in line for line in figure.assumptions)
    assert any("Gates" in line for line in figure.assumptions)


def test_pledgeable_is_the_cpu_alone() -> None:
    evidence = node(cpu_score("clue", 500), gpu_score("clue", 50_000))
    with_gpu = columns(evidence, estimate(), MIX)
    without = columns(evidence.model_copy(update={"gpus": ()}), estimate(), MIX)
    assert with_gpu.pledgeable_hs23 == without.pledgeable_hs23 == 1000.0
    assert without.effective is None
    assert without.reason == "the node granted no GPU"


def test_a_slow_gpu_binds_and_its_repeats_give_the_interval() -> None:
    evidence = node(cpu_score("clue", 500), gpu_score("clue", 10))
    figure = columns(evidence, estimate(), MIX).effective
    assert figure is not None
    assert figure.lower_hs23 == pytest.approx(1000 + 20 * (1 - 0.02 / 0.05))
    low, high = 1000 * 9 / 510 * 0.6, 1000 * 11 / 490 * 0.6
    assert (figure.low, figure.high) == pytest.approx((1000 + low, 1000 + high))


def own_run(kernel: str, gpu: float, cpus: float, copies: int = 64, **changes: Any) -> PayloadScore:
    """As a run on GPUs gives it: with what the node's CPUs do on the same events."""
    loaded = LoadedCpus(events_per_s=cpus, low=cpus * 0.98, high=cpus * 1.02, copies=copies)
    return gpu_score(kernel, gpu).model_copy(update={"loaded_cpus": loaded, **changes})


def test_a_run_on_gpus_needs_no_other_run_of_the_cpus() -> None:
    alone = columns(node(own_run("clue", 10, 500)), estimate(), MIX).effective
    assert alone is not None
    assert alone == columns(node(cpu_score("clue", 500), gpu_score("clue", 10)), estimate(), MIX).effective


def test_cpus_of_the_same_run_go_before_those_of_another() -> None:
    both = columns(node(cpu_score("clue", 100), own_run("clue", 10, 500)), estimate(), MIX).effective
    assert both == columns(node(own_run("clue", 10, 500)), estimate(), MIX).effective


def test_cpus_of_a_part_of_the_node_are_not_the_node() -> None:
    found = columns(node(own_run("clue", 10, 500, copies=8)), estimate(), MIX)
    assert found.effective is None
    _, _, reason = worth_of(node(own_run("clue", 10, 500, copies=8)), estimate(), MIX)
    assert "no kernel of this mix" in (reason or "")


def test_gpus_that_were_measured_together_count_with_what_each_did_then() -> None:
    second = A100.model_copy(update={"uuid_hash": "gpu-b"})
    third = A100.model_copy(update={"uuid_hash": "gpu-c"})

    def gain(*scores: PayloadScore, gpus: tuple[GpuDevice, ...]) -> float:
        figure = columns(node(*scores, gpus=gpus), estimate(), MIX).effective
        assert figure is not None
        return figure.lower_hs23 - 1000

    one = gain(own_run("clue", 10, 500), gpus=(A100,))
    slowed = [own_run("clue", 10, 500, beside_others_events_per_s=rate) for rate in (8.0, 6.0)]
    assert gain(*slowed, gpus=(A100, second)) == pytest.approx(1.4 * one)
    assert gain(*slowed, gpus=(A100, second, third)) == pytest.approx(2.2 * one), "the third as the first"


def test_a_profile_of_gpus_alone_gives_an_effective_equivalent() -> None:
    together = {"devices": 2, "events_per_s": 160.0, "own": {"events_per_s": 80.0, "passes": 3}}
    profile = look(
        cores=64.0,
        gpus=("00000001", "00000002"),
        payloads=[gpu_payload(place, together=together) for place in ("cuda:0", "cuda:1")],
    )
    evidence = evidence_of(profile)
    figure = columns(evidence, estimate(), MIX).effective
    assert figure is not None
    # E = (80 + 80) / 320 of the node's 1000 HS23, for the 5 % of clue
    assert figure.gpu_hs23 == pytest.approx(500)
    assert figure.lower_hs23 == pytest.approx(1000 / (1 - 0.05 + 0.02))


def test_every_mix_names_kernels_that_there_are() -> None:
    there = {path.parent.name for path in (REPOSITORY / "payloads" / "kernels").glob("*/manifest.toml")}
    for mix in shipped_mixes().values():
        assert set(mix.proxies().values()) <= there


def test_devices_of_a_node_add_and_instances_by_their_share() -> None:
    second = A100.model_copy(update={"uuid_hash": "gpu-b"})
    scores = (cpu_score("clue", 500), gpu_score("clue", 10))

    def gain(*gpus: GpuDevice) -> float:
        figure = columns(node(*scores, gpus=gpus), estimate(), MIX).effective
        assert figure is not None
        return figure.lower_hs23 - 1000

    assert gain(A100, second) == pytest.approx(2 * gain(A100))
    assert gain(A100, A100) == pytest.approx(gain(A100)), "seen twice"
    # The figure was measured on the largest instance: 3g; the 1g beside it is a third of that.
    assert gain(mig("3g.20gb", 1), mig("1g.5gb", 2)) == pytest.approx(gain(A100) * 4 / 3)


@pytest.mark.parametrize(
    ("scores", "hs23_node", "reason"),
    [
        ((), 1000.0, "no kernel of this mix was measured on CPU and GPU"),
        ((cpu_score("clue", 500, copies=8), gpu_score("clue", 2000)), 1000.0, "no kernel of this mix"),
        (
            (cpu_score("clue", 500), gpu_score("clue", 2000, "another device")),
            1000.0,
            "no kernel of this mix",
        ),
        ((cpu_score("clue", 500), gpu_score("clue", 2000)), None, "only a part of the node was seen"),
    ],
)
def test_no_figure_has_a_reason(
    scores: tuple[PayloadScore, ...], hs23_node: float | None, reason: str
) -> None:
    found = columns(node(*scores), estimate(hs23_node), MIX)
    assert found.effective is None
    assert reason in (found.reason or "")
    assert found.inventory.lines


def test_gates_stay_apart() -> None:
    evidence = node(cpu_score("clue", 500), gpu_score("clue", 2000))
    shut = columns(evidence, estimate(), MIX, usable=False, unusable_reason="no CVMFS")
    open_ = columns(evidence, estimate(), MIX, usable=True)
    assert shut.effective == open_.effective
    assert shut.pledgeable_hs23 == open_.pledgeable_hs23
    assert shut.unusable_reason == "no CVMFS"


def test_a_pool_has_two_bounds() -> None:
    found = effective_of([Node(1000.0, {"pixel tracks": 8000.0}), Node(1000.0, {})], MIX)
    assert found.lower_hs23 < found.upper_hs23 < 2000 / (1 - 0.05)
    assert found.cpu_hs23 == 2000
    with pytest.raises(ValueError, match="at least one node"):
        effective_of([], MIX)
