"""Sums of the fleet as the database adds them up."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from capacity.fleet.model import Interval
from capacity.service import fleet_view
from capacity.service.refresh import refresh_pending
from capacity.store import nodes
from capacity.store.database import Database
from tests.unit.capacity.fleet.states import shipped
from tests.unit.capacity.looks import NOW, document
from tests.unit.capacity.service.filling import (
    SETTINGS,
    SITE,
    fill,
    imported,
    three_sites,
)


def test_sums_of_sites_federations_countries_and_cms(database: Database) -> None:
    three_sites(database)
    with database.reading() as session:
        found = fleet_view.fleet(session, NOW, SETTINGS)
    per_node = fleet_view.of_site(found, "T2_LV_Example").hs23.value
    latvia, cms = fleet_view.of_federations(found)[1], fleet_view.of_cms(found)

    assert 64 * 12 < per_node < 64 * 20
    assert [one.name for one in fleet_view.of_sites(found)] == [
        "T2_EE_Estonia",
        "T2_LV_Example",
        "T2_LV_Second",
    ]
    assert [one.name for one in fleet_view.of_federations(found)] == ["Estonia", "Latvia", "Nowhere"]
    assert (latvia.name, latvia.nodes, latvia.unusable_nodes, latvia.pledge_hs23) == ("Latvia", 2, 1, 1000.0)
    assert latvia.hs23.value == pytest.approx(2 * per_node)
    assert latvia.hs23_usable.value == pytest.approx(per_node)
    assert [(one.name, one.pledge_hs23) for one in fleet_view.of_countries(found)] == [
        ("EE", 1000.0),
        ("LV", 1000.0),
    ]
    assert (cms.nodes, cms.stale_nodes, cms.pledge_hs23) == (4, 1, 3000.0)
    assert cms.hs23.value == pytest.approx(3 * per_node)
    assert cms.constant_10_hs23 == 1920
    assert cms.gpus == {"NVIDIA A100": 2}


def test_errors_of_unlike_models_average_out_of_one_model_they_do_not(database: Database) -> None:
    def error(of: Interval) -> float:
        return math.log(of.high / of.value)

    two, other = {"cores": 64, "boot": None}, "AMD EPYC 7302 16-Core Processor"
    fill(
        database,
        document(site="T2_LV_Alike", **two),
        document(site="T2_LV_Alike", node="a" * 32, **two),
        document(site="T2_LV_Mixed", node="b" * 32, **two),
        document(site="T2_LV_Mixed", node="c" * 32, model=other, **two),
    )
    with database.reading() as session:
        found = fleet_view.fleet(session, NOW, SETTINGS)
        each = [one.sigma for one in nodes.summaries(session) if one.sigma is not None]

    assert error(fleet_view.of_site(found, "T2_LV_Mixed").hs23) < 0.9 * max(each)
    assert error(fleet_view.of_site(found, "T2_LV_Alike").hs23) > 0.9 * min(each)


def test_a_pledge_is_a_sites_own_only_if_it_is_alone(database: Database) -> None:
    three_sites(database)
    with database.reading() as session:
        found = fleet_view.fleet(session, NOW, SETTINGS)

    assert fleet_view.of_site(found, "T2_LV_Example").pledge_hs23 is None
    assert fleet_view.of_site(found, "T2_EE_Estonia").pledge_hs23 == 1000.0


def test_a_node_goes_stale_by_the_clock_alone(database: Database) -> None:
    fill(database, document(cores=64))
    with database.reading() as session:
        later = fleet_view.of_cms(fleet_view.fleet(session, NOW + timedelta(days=8), SETTINGS))

    assert (later.stale_nodes, later.hs23.value) == (1, 0.0)


def test_a_slow_node_is_an_outlier_of_its_likes(database: Database) -> None:
    slow = f"{0:032x}"
    fill(database, *(document(cores=64, node=f"{i:032x}", boot=None) for i in range(6)))
    imported(database, "scores", f"site,node_id,logical_cpus,hs23\n{SITE},{slow},64,500\n".encode())
    refresh_pending(database, shipped(), NOW, 10)
    with database.reading() as session:
        summaries = nodes.summaries(session)
        state = nodes.state(session, SITE, slow)

    assert state is not None
    assert [finding.code for finding in state.findings] == ["outlier-slow"]
    assert [one.findings > 0 for one in summaries] == [one.node_id == slow for one in summaries]
