"""Profiles of the synthetic fleet: accepted by the contract, reproducible, and they tell the truth that is in the node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from capacity.demo.cpus import demo_cpus
from capacity.demo.documents import EVENTS_PER_S_PER_HS23, REPEAT_SPREAD, Detail, documents
from capacity.demo.gpu_payloads import BESIDE_OTHERS
from capacity.demo.truth import DemoNode, demo_nodes
from capacity.fleet import merge
from capacity.fleet.model import FleetSettings
from capacity.hs06.calibration import Calibration
from capacity.hs06.catalogue import Catalogue
from capacity.hs06.estimate import Estimator
from capacity.hs06.evidence import evidence_of
from capacity.hs06.gpu import worth_of
from capacity.hs06.mix import mix_named
from capacity.service.demo import fill
from capacity.store import profiles
from capacity.store.database import Database
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NODES = list(demo_nodes(400, demo_cpus(Catalogue.shipped()), tuple(EVENTS_PER_S_PER_HS23), 1))
OF_SLOTS = next(node for node in NODES if len(node.slots) > 2)
WHOLE = next(node for node in NODES if len(node.slots) == 1 and node.fault is None)
WITHOUT_CVMFS = next(node for node in NODES if node.fault is not None and node.fault.name == "no-cvmfs")
DETAILS: tuple[Detail, ...] = ("whole", "short")
WITH_GPU = next(node for node in NODES if node.gpus)


def read(
    node: DemoNode, at: datetime = AT, seed: int = 1, detail: Detail = "short"
) -> list[CapabilityProfile]:
    return [read_profile(document) for document in documents(node, at, seed, detail)]


@pytest.mark.parametrize("detail", ["short", "whole"])
def test_the_contract_accepts_every_slot_and_all_are_of_one_machine(detail: Detail) -> None:
    found = read(OF_SLOTS, detail=detail)
    assert len(found) == len(OF_SLOTS.slots)
    assert len({one.node.id for one in found}) == len({one.node.boot_key for one in found}) == 1
    assert len({one.id for one in found}) == len(found)
    assert {one.site.name for one in found if one.site} == {OF_SLOTS.site}


def test_a_short_document_is_short() -> None:
    (short,), (whole,) = (list(documents(WHOLE, AT, 1, detail)) for detail in ("short", "whole"))
    assert len(short) < 30_000
    assert len(whole) > 80_000


def test_the_same_seed_and_moment_give_the_same_bytes_and_others_another_id() -> None:
    assert list(documents(OF_SLOTS, AT, 1)) == list(documents(OF_SLOTS, AT, 1))
    ids = {read(WHOLE, at, seed)[0].id for at, seed in ((AT, 1), (AT, 2), (AT + timedelta(days=1), 1))}
    assert len(ids) == 3


def test_slots_are_of_different_cpus_of_the_node() -> None:
    evidence = [evidence_of(one) for one in read(OF_SLOTS)]
    assert {one.scope for one in evidence} == {"slot"}
    assert len({one.cpus for one in evidence}) == len(evidence)
    assert sum(one.cores_granted or 0 for one in evidence) == sum(OF_SLOTS.slots)
    assert {one.cpu.logical_cpus for one in evidence} == {OF_SLOTS.cpu.logical_cpus}


def test_throughput_over_the_bias_of_its_kernel_is_the_truth_of_the_node() -> None:
    evidence = evidence_of(read(WHOLE)[0])
    assert {score.kernel for score in evidence.scores} == set(EVENTS_PER_S_PER_HS23)
    for score in evidence.scores:
        rate = EVENTS_PER_S_PER_HS23[score.kernel] * WHOLE.kernel_bias[score.kernel]
        assert score.events_per_s / rate == pytest.approx(WHOLE.hs23, rel=5 * REPEAT_SPREAD)
        assert score.copies == WHOLE.cpu.logical_cpus


def test_the_processor_is_told_as_the_catalogue_names_it() -> None:
    cpu = evidence_of(read(WHOLE)[0]).cpu
    assert cpu.model_name == WHOLE.cpu.model_name
    assert (cpu.packages, cpu.physical_cores) == (WHOLE.cpu.packages, WHOLE.cpu.physical_cores)
    assert cpu.virtualised == WHOLE.virtual


def test_a_fleet_looks_like_one_and_its_faults_are_found() -> None:
    """Sound nodes are usable and as fast as their model; those with a fault are not, or say why they are slow."""
    estimator = Estimator.shipped(Calibration.shipped())
    slow, sound = 0, 0
    for node in NODES[:150]:
        state = None
        for profile in read(node):
            key = merge.Key(node.site, profile.node.id)
            state = merge.absorb(state, profile, AT, AT, FleetSettings(), key)
        assert state is not None
        assert state.evidence is not None
        codes = {one.code for one in estimator.estimate(state.evidence).findings}
        fault = node.fault.name if node.fault else None
        assert state.usable is (fault not in {"no-cvmfs", "squid-down"}), (fault, state.unusable_reason)
        assert ("throttled" in codes) == (fault == "throttled")
        sound += fault is None
        slow += fault is None and "slow-for-model" in codes
    assert sound > 100
    assert slow < 0.1 * sound


def test_a_fault_is_told_by_its_check_and_a_gpu_is_listed() -> None:
    def critical(node: DemoNode, detail: Detail) -> set[str]:
        return {one.id for one in read(node, detail=detail)[0].checks if one.status == "CRITICAL"}

    for detail in DETAILS:
        assert critical(WITHOUT_CVMFS, detail) - critical(WHOLE, detail) == {"CVM-01"}
    assert [gpu.name for gpu in evidence_of(read(WITH_GPU)[0]).gpus] == [gpu.name for gpu in WITH_GPU.gpus]


def test_a_node_with_gpus_has_an_effective_equivalent_by_its_truth() -> None:
    node = next(one for one in NODES if len(one.gpus) > 1 and len(one.slots) == 1 and one.fault is None)
    evidence = evidence_of(read(node)[0])
    estimate = Estimator.shipped(Calibration.shipped()).estimate(evidence)
    found, _, reason = worth_of(evidence, estimate, mix_named("reco-probable"))
    assert reason is None
    assert estimate.hs23_node is not None
    of_gpus = BESIDE_OTHERS * sum(gpu.hs23 for gpu in node.gpus)
    for one in found:
        # the node's score is estimated, and kernels differ from HS23 by a bias
        wanted = of_gpus / node.hs23 * estimate.hs23_node / node.kernel_bias[one.proxy or ""]
        assert one.equivalent_hs23 == pytest.approx(wanted, rel=0.05)


def test_filling_twice_for_one_moment_changes_nothing(tmp_path: object) -> None:
    database = Database(f"sqlite:///{tmp_path}/demo.sqlite")
    database.upgrade()
    told: list[int] = []
    first = fill(database, 5, 2, 1, AT, lambda done: told.append(done.profiles), "short")
    again = fill(database, 5, 2, 1, AT, detail="short")
    with database.reading() as session:
        assert profiles.count(session) == first.profiles == again.profiles == told[-1]
    database.close()
