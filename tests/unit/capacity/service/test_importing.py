"""Imports find their nodes, in any order, and count once."""

from __future__ import annotations

import json
from datetime import date

import pytest

from agent.identity import node_identity
from capacity.errors import BadInputError, RefusedError
from capacity.service.importing import import_file
from capacity.service.principal import Principal, Role
from capacity.service.refresh import refresh_pending
from capacity.store import measurements, nodes, sites
from capacity.store.database import Database
from profiles.facts.batch import BatchFacts, ClaimSource, SlotClaim
from tests.unit.capacity.fleet.states import shipped
from tests.unit.capacity.imports.reports import version3
from tests.unit.capacity.looks import NODE, NOW, ago, document
from tests.unit.capacity.service.filling import (
    ADMIN,
    SILVER,
    SITE,
    SITES_CSV,
    fill,
    imported,
)
from tests.unit.probes.claims.talking import machine


def test_a_report_finds_its_node_by_host_name(database: Database) -> None:
    fill(database, document(cores=64, hostname="wn042", model=SILVER))
    outcome = imported(database, "suite", json.dumps(version3()).encode())

    assert (outcome.scores_stored, outcome.scores_of_nodes) == (1, 1)
    assert refresh_pending(database, shipped(), NOW, 10) == 1
    with database.reading() as session:
        state = nodes.state(session, SITE, NODE)
    assert state is not None
    assert state.estimate is not None
    assert state.estimate.method.value == "measured"

    again = imported(database, "suite", json.dumps(version3()).encode())
    assert (again.scores_stored, again.scores_known) == (0, 1)


def test_a_report_that_came_before_its_node(database: Database) -> None:
    imported(database, "suite", json.dumps(version3()).encode())
    fill(
        database,
        document(cores=64, hostname="WN042", model=SILVER, boot=None),
        document(cores=64, hostname="wn042", model=SILVER, boot=None, site="T2_XX_Other", node="a" * 32),
        document(cores=64, hostname="wn042.other.org", model=SILVER, boot=None, node="b" * 32),
    )
    with database.reading() as session:
        methods = {(one.site, one.node_id[:1]): one.method for one in nodes.summaries(session)}

    assert methods == {
        (SITE, NODE[0]): "measured",
        ("T2_XX_Other", "a"): "catalogue",
        (SITE, "b"): "catalogue",
    }


@pytest.mark.parametrize("first", ["report", "node"])
def test_a_node_that_hides_its_name_is_found_by_its_id(database: Database, first: str) -> None:
    """As the agent makes it in a batch slot: from the name that the batch system gives the node."""
    claim = SlotClaim(source=ClaimSource.HTCONDOR, node_name="wn042.example.org")
    claims = BatchFacts.nothing("a test").model_copy(update={"claims": (claim,)})
    node_id = node_identity(machine(), claims, in_container=False, identify=False).id
    for step in ("report", "node") if first == "report" else ("node", "report"):
        if step == "report":
            imported(database, "suite", json.dumps(version3()).encode())
        else:
            fill(database, document(cores=64, model=SILVER, node=node_id))
    fill(database)
    with database.reading() as session:
        (summary,) = nodes.summaries(session)

    assert summary.method == "measured"


def test_an_admin_may_say_which_node_was_measured(database: Database) -> None:
    fill(database, document(cores=64, model=SILVER))
    report = version3(host={**version3()["host"], "hostname": "not_available"})
    outcome = import_file(database, "suite", json.dumps(report).encode(), ADMIN, NOW, node_id=NODE)

    assert outcome.scores_of_nodes == 1


def test_a_run_on_a_processor_that_was_replaced_does_not_count(database: Database) -> None:
    fill(database, document(ago(days=3), cores=64, hostname="wn042", model=SILVER))
    imported(database, "suite", json.dumps(version3()).encode())
    fill(database, document(cores=64, hostname="wn042", model="AMD EPYC 7302 16-Core Processor"))
    with database.reading() as session:
        (summary,) = nodes.summaries(session)

    assert summary.method == "catalogue"


def test_a_list_of_another_year(database: Database) -> None:
    data = b'[{"PledgeType": "CPU", "Federation": "A", "CMS": 5}]'
    import_file(database, "rebus", data, ADMIN, NOW, as_of=date(2019, 7, 1))
    with database.reading() as session:
        (pledge,) = sites.pledges(session)

    assert pledge.year == 2019


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "AMD EPYC 7702 64-Core Processor"}, "kept for the CPU model"),
        ({"model": SILVER, "hostname": "wn7"}, ""),
    ],
)
def test_a_report_of_other_hardware_is_not_the_nodes(
    database: Database, changes: dict[str, str], says: str
) -> None:
    fill(database, document(cores=64, **{"hostname": "wn042.example.org", **changes}))
    outcome = imported(database, "suite", json.dumps(version3()).encode())

    assert (outcome.scores_stored, outcome.scores_of_nodes) == (1, 0)
    assert says in " ".join(outcome.problems)
    with database.reading() as session:
        (kept,) = measurements.of_cpu(session, "intel xeon silver 4216")
    assert kept.node_id is None
    assert kept.report["ratios"]


def test_two_nodes_of_one_name_are_not_guessed_between(database: Database) -> None:
    fill(
        database,
        document(cores=64, hostname="wn042.a.org", model=SILVER, boot=None),
        document(cores=64, hostname="wn042.b.org", model=SILVER, node="a" * 32, boot=None),
    )
    report = version3()
    report["host"]["hostname"] = "wn042"
    outcome = imported(database, "suite", json.dumps(report).encode())

    assert outcome.scores_of_nodes == 0
    assert "2 nodes of T2_LV_Example are called so" in outcome.problems[0]


def test_a_table_may_name_the_node_itself(database: Database) -> None:
    fill(database, document(cores=64, model=SILVER))
    table = f"site,node_id,logical_cpus,hs23\n{SITE},{NODE},64,800\n".encode()

    assert imported(database, "scores", table).scores_of_nodes == 1


def test_a_token_of_one_site_imports_for_that_site_only(database: Database) -> None:
    of_site = Principal("s", frozenset({Role.ADMIN}), frozenset({"T2_XX_Other"}))
    with pytest.raises(BadInputError, match="need a token of that site"):
        imported(database, "suite", json.dumps(version3()).encode(), of_site)
    with pytest.raises(BadInputError, match="single sites"):
        imported(database, "rebus", b'[{"PledgeType": "CPU", "Federation": "A", "CMS": 5}]', of_site)
    with pytest.raises(RefusedError):
        imported(database, "sites", SITES_CSV, Principal("r", frozenset({Role.READ})))


def test_a_report_without_a_cms_site_can_be_placed(database: Database) -> None:
    report = version3()
    report["host"]["tags"] = {"site": "CERN"}
    imported(database, "suite", json.dumps(report).encode(), site=SITE)
    with database.reading() as session:
        (kept,) = measurements.listing(session)

    assert kept.site == SITE


def test_a_list_without_federations_does_not_take_them_away(database: Database) -> None:
    imported(database, "sites", SITES_CSV)
    imported(
        database,
        "cric-sites",
        b'{"T2_LV_Example": {"name": "T2_LV_Example", "country_code": "LV", "tier_level": 2}}',
    )
    with database.reading() as session:
        info = sites.info(session, SITE)

    assert info is not None
    assert (info.federation, info.country, info.tier) == ("Latvia", "LV", 2)
