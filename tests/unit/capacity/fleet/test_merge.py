"""Many looks, one node: nothing late changes what is newer, in whatever order they come."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.fleet import merge
from capacity.fleet.model import NodeState
from capacity.hs06.model import Finding, MeasuredScore
from profiles.profile import CapabilityProfile
from tests.unit.capacity.fleet.states import SETTINGS, absorbed, codes, estimate
from tests.unit.capacity.looks import NOW, ago, check, look, payload


def test_one_look_is_one_node() -> None:
    state = absorbed(look(cores=8, present=64, slot="slot1_1", hostname="wn1.example.org"))

    assert (state.site, state.hostname, state.profiles) == ("T2_LV_Example", "wn1.example.org", 1)
    assert state.granted_cores == 8
    assert state.usable is True
    assert state.evidence is not None
    assert state.evidence.cores_present == 64
    assert state.findings == ()


def test_a_later_look_of_a_slot_replaces_the_earlier() -> None:
    state = absorbed(look(ago(hours=2), slot="slot1", cores=8), look(ago(hours=1), slot="slot1", cores=4))

    assert state.granted_cores == 4


def test_a_late_profile_changes_nothing_newer() -> None:
    new = look(ago(hours=1), slot="slot1", cores=4, hostname="new", checks=[])
    state = absorbed(new, look(ago(hours=2), slot="slot1", cores=8, hostname="old"))

    assert state.granted_cores == 4
    assert state.hostname == "new"
    assert state.last_seen_at == ago(hours=1)
    assert state.first_seen_at == ago(hours=2)
    assert state.profiles == 2
    assert state.slots[0].profile_id == new.id


def test_the_same_profile_again_changes_nothing() -> None:
    one = look(slot="slot1")
    state = absorbed(one)

    assert merge.absorb(state, one, one.created_at, NOW, SETTINGS) == state


def test_a_look_without_payloads_leaves_the_scores_of_the_slot() -> None:
    scored = look(ago(days=2), slot="slot1", payloads=[payload()])
    state = absorbed(scored, look(ago(days=1), slot="slot1"))

    assert state.evidence is not None
    assert [score.events_per_s for score in state.evidence.scores] == [100.0]
    assert state.slots[0].scores_profile_id == scored.id
    assert scored.id in state.evidence.profile_ids


GPU: dict[str, Any] = {"backend": "cuda", "device": "NVIDIA A100", "copies": 1}


def test_a_run_on_gpus_leaves_the_scores_of_the_cpus_and_the_other_way_round() -> None:
    on_cpus = look(ago(days=3), number=1, payloads=[payload()])
    on_gpus = look(ago(days=2), number=2, payloads=[payload(events_per_s=9000.0, **GPU)])
    again = look(ago(days=1), number=3, payloads=[payload(events_per_s=110.0)])
    for order in permutations((on_cpus, on_gpus, again)):
        evidence = absorbed(*order).evidence
        assert evidence is not None
        assert [(score.backend, score.events_per_s) for score in evidence.scores] == [
            ("cpu", 110.0),
            ("cuda", 9000.0),
        ]
        assert {on_gpus.id, again.id} <= set(evidence.profile_ids)


def test_of_gpus_of_one_name_the_latest_measurement_counts() -> None:
    other = {**GPU, "device": "NVIDIA T4"}
    state = absorbed(
        look(
            ago(hours=3),
            slot="a",
            payloads=[payload(events_per_s=1.0, **GPU), payload(events_per_s=2.0, **other)],
        ),
        look(
            ago(hours=2),
            slot="b",
            payloads=[payload(events_per_s=3.0, **GPU), payload(events_per_s=4.0, **GPU)],
        ),
    )
    assert state.evidence is not None
    assert sorted((score.device, score.events_per_s) for score in state.evidence.scores) == [
        ("NVIDIA A100", 3.0),
        ("NVIDIA A100", 4.0),
        ("NVIDIA T4", 2.0),
    ]


def test_scores_of_gpus_of_long_ago_are_dropped() -> None:
    old = look(ago(days=91), slot="slot1", payloads=[payload(**GPU)])
    evidence = absorbed(old, look(slot="slot1")).evidence
    assert evidence is not None
    assert evidence.scores == ()


def test_of_two_scores_of_one_moment_always_the_same_counts() -> None:
    looks = [
        look(NOW, number=1, payloads=[payload(copies=8)]),
        look(NOW, number=2, payloads=[payload(copies=4)]),
        look(NOW, number=3),
    ]
    for order in permutations(looks):
        state = absorbed(*order)
        assert state.slots[0].profile_id == looks[2].id
        assert state.slots[0].scores_profile_id == looks[1].id


def test_scores_of_other_hardware_or_of_long_ago_are_dropped() -> None:
    old = look(ago(days=91), slot="slot1", payloads=[payload()])
    other = look(ago(days=2), slot="slot1", model="AMD EPYC 7702", payloads=[payload()])
    now = look(slot="slot1")

    for earlier in (old, other):
        evidence = absorbed(earlier, now).evidence
        assert evidence is not None
        assert evidence.scores == ()


def test_scores_of_slots_are_not_added_the_look_that_loaded_most_counts() -> None:
    state = absorbed(
        look(ago(hours=2), slot="a", payloads=[payload(events_per_s=800.0, copies=16)], cores=16),
        look(ago(hours=1), slot="b", payloads=[payload(events_per_s=90.0, copies=8)]),
    )

    assert state.evidence is not None
    assert [score.events_per_s for score in state.evidence.scores] == [800.0]


def test_gaps_of_the_newest_look_are_filled() -> None:
    state = absorbed(
        look(ago(hours=2), slot="a", family=6),
        look(ago(hours=1), slot="b", physical_cores=None),
    )

    assert state.evidence is not None
    assert state.evidence.cpu.physical_cores == 32
    assert state.evidence.cpu.x86_family == 6


def test_a_closed_gate_is_capacity_that_is_not_usable() -> None:
    broken = [check("CVM-13", "CRITICAL", "cms.cern.ch is not mounted", "mount it")]
    state = absorbed(look(checks=broken))

    assert state.granted_cores == 8
    assert state.usable is False
    assert state.unusable_reason == "cvmfs: cms.cern.ch is not mounted"
    assert state.gates[0].hint == "mount it"
    assert state.slots[0].checks[0].status == "CRITICAL"


def test_the_newest_answer_decides_a_gate() -> None:
    broken = [check("CVM-13", "CRITICAL", "not mounted")]
    state = absorbed(
        look(ago(hours=3), slot="a", checks=broken),
        look(ago(hours=2), slot="b"),
        look(ago(hours=1), slot="c", checks=[]),
    )

    assert state.usable is True
    assert codes(state) == ["gate-disagrees"]


def test_without_a_look_at_cvmfs_nobody_can_say() -> None:
    state = absorbed(look(checks=[check("CPU-03")]))

    assert state.usable is None
    assert state.unusable_reason == "cvmfs: nobody looked whether cms.cern.ch is mounted and can be read"


def test_capacity_is_per_core_times_granted_cores() -> None:
    state = merge.with_estimate(absorbed(look(cores=8, slot="a")), estimate(12.5))
    assert state.hs23_granted == 100.0

    after = merge.absorb(state, look(NOW, cores=16, slot="a"), NOW, NOW, SETTINGS)
    assert after.estimate is None, "a look makes the estimate old"
    assert after.hs23_granted is None

    unknown = merge.with_estimate(absorbed(look(cores=None)), estimate(12.5))
    assert unknown.hs23_granted is None


def test_measured_scores_stay_through_new_looks() -> None:
    run = MeasuredScore(kind="HS23", total=1018.0, loaded_cpus=64, source="a report")
    state = merge.with_measured(absorbed(look(slot="a")), [run])
    state = merge.absorb(state, look(NOW, slot="b"), NOW, NOW, SETTINGS)

    assert state.evidence is not None
    assert state.evidence.measured == (run,)


def test_findings_from_elsewhere_are_added_once() -> None:
    said = Finding(code="identity-collision", says="also at T2_XX_Other")
    state = merge.with_findings(merge.with_findings(absorbed(look()), [said]), [said])

    assert state.findings == (said,)


def test_staleness_is_judged_by_the_clock() -> None:
    assert absorbed(look(ago(days=8))).stale
    assert not absorbed(look(ago(days=6))).stale


def test_gpus_are_counted_once() -> None:
    one, two = "00000001", "00000002"
    state = absorbed(look(ago(hours=2), slot="a", gpus=(one,)), look(ago(hours=1), slot="b", gpus=(one, two)))

    assert [device.uuid_hash for device in state.gpus] == ["00000001", "00000002"]


def test_a_state_survives_json() -> None:
    state = merge.with_estimate(absorbed(look(cpus="0-7", payloads=[payload()])), estimate())

    assert NodeState.model_validate_json(state.model_dump_json()) == state


def test_a_profile_without_site_needs_a_key() -> None:
    homeless = look(site=None)
    with pytest.raises(ValueError, match="say which node"):
        merge.absorb(None, homeless, NOW, NOW, SETTINGS)

    state = merge.absorb(None, homeless, NOW, NOW, SETTINGS, merge.Key("T2_LV_Other", "a" * 32))
    assert (state.site, state.node_id) == ("T2_LV_Other", "a" * 32)


@st.composite
def many_looks(draw: st.DrawFn) -> list[CapabilityProfile]:
    number = draw(st.integers(2, 7))
    return [
        look(
            ago(hours=draw(st.integers(0, 72))),
            number=i,
            slot=draw(st.sampled_from([None, "slot1_1", "slot1_2"])),
            cpus=draw(st.sampled_from([None, "0-7", "4-11", "0-63"])),
            cores=draw(st.sampled_from([1.5, 8.0, 40.0, 64.0])),
            payloads=draw(
                st.sampled_from(
                    [None, [payload()], [payload(copies=4)], [payload(**GPU)], [payload(), payload(**GPU)]]
                )
            ),
            checks=draw(st.sampled_from([None, [], [check("CVM-13", "CRITICAL", "gone")]])),
        )
        for i in range(number)
    ]


@given(many_looks(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(looks: list[CapabilityProfile], random: Any) -> None:
    shuffled = list(looks)
    random.shuffle(shuffled)

    assert absorbed(*shuffled) == absorbed(*looks)


@given(many_looks())
def test_a_node_never_has_more_cores_than_the_machine(looks: list[CapabilityProfile]) -> None:
    cores = absorbed(*looks).granted_cores

    assert cores is not None
    assert 0 < cores <= 64
