"""Imports find their nodes and count once; exports and roll-ups say what is in the database. With the commands."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.exports import export as export_command
from capacity.cli.imports import import_ as import_command
from capacity.errors import BadInputError, NotFoundError, RefusedError
from capacity.exports import FORMATS
from capacity.fleet.model import FleetSettings, Interval
from capacity.service import fleet_view
from capacity.service.exporting import export
from capacity.service.importing import Outcome, import_file
from capacity.service.ingest import accept
from capacity.service.principal import Principal, Role
from capacity.service.refresh import refresh_pending
from capacity.store import measurements, nodes, sites
from capacity.store.database import Database
from tests.unit.capacity.fleet.states import shipped
from tests.unit.capacity.imports.reports import version3
from tests.unit.capacity.looks import NODE, NOW, ago, check, document

ADMIN = Principal("test", frozenset({Role.ADMIN}))
SITE = "T2_LV_Example"
SETTINGS = FleetSettings()
SILVER = "Intel(R) Xeon(R) Silver 4216 CPU @ 2.10GHz"
SITES_CSV = (
    b"site,federation,country\nT2_LV_Example,Latvia,LV\nT2_LV_Second,Latvia,\nT2_EE_Estonia,Estonia,EE\n"
)


def fill(database: Database, *documents: dict[str, object]) -> None:
    accept(database, [json.dumps(one).encode() for one in documents], ADMIN, NOW)
    while refresh_pending(database, shipped(), NOW, 100):
        pass


def imported(
    database: Database, kind: str, data: bytes, principal: Principal = ADMIN, site: str | None = None
) -> Outcome:
    return import_file(database, kind, data, principal, NOW, site)


def three_sites(database: Database) -> None:
    fill(
        database,
        document(cores=64, site="T2_LV_Example", boot=None),
        document(
            cores=64,
            site="T2_LV_Second",
            node="a" * 32,
            boot=None,
            checks=[check("CVM-13", "CRITICAL", "not mounted")],
        ),
        document(cores=64, site="T2_EE_Estonia", node="b" * 32, boot=None, gpus=("00000001", "00000002")),
        document(ago(days=30), cores=64, site="T2_EE_Estonia", node="c" * 32, boot=None),
    )
    imported(database, "sites", SITES_CSV)
    pledges = [
        {"PledgeType": "CPU", "Federation": name, "CMS": 1000} for name in ("Latvia", "Estonia", "Nowhere")
    ]
    imported(database, "rebus", json.dumps(pledges).encode())


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


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.of != "node"])
def test_every_format_of_many_nodes(database: Database, name: str) -> None:
    three_sites(database)
    everything = export(database, name, NOW, SETTINGS)
    one = export(database, name, NOW, SETTINGS, SITE)

    assert everything.filename.startswith("sitecap-")
    assert one.body
    assert len(one.body) < len(everything.body)
    if FORMATS[name].media_type == "application/json":
        assert len(json.loads(one.body)) == (2 if name == "monit" else 1)


@pytest.mark.parametrize("name", ["classad", "mjf"])
def test_formats_of_one_node(database: Database, name: str) -> None:
    fill(database, document(cores=64))

    assert b"64" in export(database, name, NOW, SETTINGS, SITE, NODE).body
    with pytest.raises(NotFoundError, match="no node"):
        export(database, name, NOW, SETTINGS, SITE, "f" * 32)
    with pytest.raises(BadInputError, match="a site and a node"):
        export(database, name, NOW, SETTINGS, SITE)


def test_what_cannot_be_exported(database: Database) -> None:
    with pytest.raises(BadInputError, match="use one of site-capacity"):
        export(database, "xml", NOW, SETTINGS)
    with pytest.raises(NotFoundError, match="no site T2_XX_No"):
        export(database, "apel", NOW, SETTINGS, "T2_XX_No")
    with pytest.raises(BadInputError, match="not a node"):
        export(database, "apel", NOW, SETTINGS, SITE, NODE)


def test_a_slow_node_is_an_outlier_of_its_likes(database: Database) -> None:
    slow = f"{0:032x}"
    fill(database, *(document(cores=64, node=f"{i:032x}", boot=None) for i in range(6)))
    imported(database, "scores", f"site,node_id,logical_cpus,hs23\n{SITE},{slow},64,500\n".encode())
    refresh_pending(database, shipped(), NOW, 10)
    with database.reading() as session:
        summaries = nodes.summaries(session)
        state = nodes.state(session, SITE, slow)
        odd = [fleet_view.outlier_of_node(session, NOW, SETTINGS, one) for one in summaries]

    assert state is not None
    assert [finding.code for finding in state.findings] == ["outlier-slow"]
    assert [one.findings > 0 for one in summaries] == [one.node_id == slow for one in summaries]
    (found,) = (one for one in odd if one is not None)
    assert found.node.node_id == slow
    assert found.ratio < 0.9


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/capacity.sqlite"


def test_the_commands(url: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps([version3(), {"x": 1}]))
    run = CliRunner().invoke(import_command, ["suite", str(report), "--database", url])
    assert run.exit_code == 0, run.output
    assert "1 new scores (0 of known nodes)" in run.stdout
    assert "left out: report 2 has no host" in run.stderr

    database = Database(url)
    fill(database, document(cores=64))
    database.close()
    out = tmp_path / "capacity.json"
    assert (
        CliRunner().invoke(export_command, ["site-capacity", "-o", str(out), "--database", url]).exit_code
        == 0
    )
    assert (
        CliRunner()
        .invoke(export_command, ["sites-csv", "--database", url])
        .stdout.startswith("site,federation")
    )
    folder = tmp_path / "mjf"
    args = ["mjf", "--site", SITE, "--node", NODE, "-o", str(folder), "--database", url]
    assert CliRunner().invoke(export_command, args).exit_code == 0
    assert (folder / "machinefeatures/total_cpu").read_text() == "64\n"
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["suite", "/nowhere/report.json"], 2, "/nowhere/report.json is not a file"),
        (["suite", "-"], 2, "nothing was imported"),
        (["what", "-"], 2, "'what' is not one of 'suite'"),
    ],
)
def test_bad_input_to_the_command_is_one_sentence(url: str, args: list[str], code: int, says: str) -> None:
    run = CliRunner().invoke(import_command, [*args, "--database", url], input="{}")

    assert run.exit_code == code
    assert says in run.stderr
    assert "Traceback" not in run.output
