"""Questions over many nodes: sums, lists and their pages, which are odd."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from capacity.errors import BadInputError
from capacity.hs06.model import Finding, GpuDevice, Method
from capacity.store import nodes
from capacity.store.database import Database
from capacity.store.nodes import NodeFilter
from tests.unit.capacity.documents import (
    NOW,
    OTHER_SITE,
    SITE,
    node,
)
from tests.unit.capacity.store import kept

HOUR = timedelta(hours=1)


def test_sums_keep_apart_what_a_roll_up_keeps_apart(database: Database) -> None:
    kept.filled(
        database,
        kept.state(1, cores=8.0),
        kept.state(2, cores=4.0, estimate=kept.estimate(10.0)),
        kept.state(3, usable=False, unusable_reason="no CVMFS"),
        kept.state(4, OTHER_SITE, estimate=kept.estimate(method=Method.CATALOGUE, calibration_version=None)),
    )

    with database.reading() as session:
        totals = nodes.site_totals(session, NOW - HOUR)
        stale = nodes.site_totals(session, NOW + HOUR, SITE)

    good = next(one for one in totals if one.site == SITE and one.usable)
    assert (good.fresh, good.nodes, good.pending_nodes, good.granted_cores) == (True, 2, 0, 12.0)
    assert good.hs23 == pytest.approx(8 * 12 + 4 * 10)
    assert good.hs23_sigma == pytest.approx(0.1 * (8 * 12 + 4 * 10))
    assert math.sqrt(good.hs23_sigma_squared) == pytest.approx(math.hypot(9.6, 4.0))
    assert good.last_seen_at == NOW
    assert {(one.site, one.unusable_reason, one.method) for one in totals} == {
        (SITE, None, "payload"),
        (SITE, "no CVMFS", "payload"),
        (OTHER_SITE, None, "catalogue"),
    }
    assert {(one.site, one.fresh) for one in stale} == {(SITE, False)}


def test_gpus_are_counted_by_device_and_slice(database: Database) -> None:
    whole = GpuDevice(name="NVIDIA A100", vendor="nvidia")
    part = GpuDevice(name="NVIDIA A100", vendor="nvidia", mig_profile="1g.5gb")
    kept.filled(
        database, kept.state(1, gpus=(whole, part, part)), kept.state(2, gpus=(whole,)), kept.state(3)
    )

    with database.reading() as session:
        assert nodes.site_gpus(session, NOW) == {SITE: {"NVIDIA A100": 2, "NVIDIA A100 (1g.5gb)": 2}}
        assert nodes.site_gpus(session, NOW + HOUR) == {}


@pytest.mark.parametrize("sort", sorted(nodes.SORTS))
def test_pages_of_a_list_join_without_gap_or_overlap(database: Database, sort: str) -> None:
    states = [
        kept.state(
            number,
            (SITE, OTHER_SITE)[number % 2],
            cores=float(1 + number % 3),
            estimate=kept.estimate(10.0 + number % 4),
        )
        for number in range(1, 12)
    ]
    kept.filled(database, *states)
    kept.ingest(database, 50)  # not yet looked at: no figures

    with database.reading() as session:
        whole = nodes.summaries(session, sort=sort)
        paged: list[nodes.NodeSummary] = []
        after = None
        while page := nodes.summaries(session, sort=sort, after=after, limit=5):
            paged += page
            after = (page[-1].site, page[-1].node_id)

    assert len(whole) == 12
    assert paged == whole


def test_an_unknown_order_says_which_there_are(database: Database) -> None:
    with pytest.raises(BadInputError, match="use site, "), database.reading() as session:
        nodes.summaries(session, sort="document; --")


def test_lists_are_filtered(database: Database) -> None:
    finding = Finding(code="slow-for-model", says="half of what its model does")
    kept.filled(
        database, kept.state(1, findings=(finding,)), kept.state(2, usable=False), kept.state(3, OTHER_SITE)
    )

    def found(**which: Any) -> set[int]:
        with database.reading() as session:
            return {int(line.node_id, 16) for line in nodes.summaries(session, NodeFilter(**which))}

    assert found() == {1, 2, 3}
    assert found(site=SITE) == {1, 2}
    assert found(usable=False) == {2}
    assert found(with_findings=True) == {1}
    assert found(with_findings=False) == {2, 3}
    assert found(cpu_key="model 7", method="payload") == {1, 2, 3}
    assert found(cpu_key="model 8") == set()
    assert found(seen_before=NOW) == set()
    assert found(seen_after=NOW) == {1, 2, 3}


def _says(level: str) -> Finding:
    return Finding.model_validate({"code": f"a-{level}", "level": level, "says": "something"})


def test_odd_nodes_come_with_the_worst_first_and_of_equals_the_greatest(database: Database) -> None:
    own = kept.estimate(findings=(_says("warning"),))
    kept.filled(
        database,
        kept.state(1, cores=64.0, findings=(_says("warning"),)),
        kept.state(2, cores=2.0, findings=(_says("notice"), _says("problem"), _says("warning"))),
        kept.state(3, cores=8.0, estimate=own),
        kept.state(4, cores=256.0, findings=(_says("notice"),)),
        kept.state(5, cores=256.0),
    )

    with database.reading() as session:
        found = nodes.odd(session, NOW, limit=10)
        assert [(int(one.node_id, 16), one.worst["code"]) for one in found] == [
            (2, "a-problem"),
            (1, "a-warning"),
            (3, "a-warning"),
        ]
        assert len(nodes.odd(session, NOW, limit=1)) == 1
        assert nodes.odd(session, NOW + HOUR, limit=10) == [], "not seen since: it is stale, and told as that"


def test_states_come_in_order_and_in_pages(database: Database) -> None:
    states = [kept.state(2, OTHER_SITE), kept.state(1), kept.state(2)]
    kept.filled(database, *states)

    with database.reading() as session:
        assert nodes.states_in_order(session, None, None, 10) == states
        assert nodes.states_in_order(session, None, (OTHER_SITE, node(2)), 1) == [states[1]]
        assert nodes.states_in_order(session, SITE, (SITE, node(1)), 10) == [states[2]]
