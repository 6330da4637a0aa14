"""`capacity plan` as it is used: formats, files, questions, and what it says to wrong ones."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from capacity.cli import cli
from capacity.errors import CapacityError
from capacity.fleet.model import FleetSettings, Pledge
from capacity.service.planning import measured
from capacity.store import sites
from capacity.store.database import Database
from computing_model.errors import ModelError
from tests.unit.capacity.web import samples


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["plan", *arguments])


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with three sites."""
    found = f"sqlite:///{tmp_path}/capacity.sqlite"
    database = Database(found)
    database.upgrade()
    samples.three_sites(database)
    database.close()
    return found


def test_three_scenarios_against_flat_budget_and_the_fleet_of_the_database(url: str) -> None:
    done = run("--database", url)
    assert done.exit_code == 0
    assert "Baseline  Weighted probable  Optimistic" in done.output
    assert "21,093!" in done.output
    assert "kHS06-equivalent" in done.output
    assert "fleet usable" in done.output


def test_an_empty_database_is_no_fleet_and_says_what_to_do(tmp_path: Path) -> None:
    done = run("--database", f"sqlite:///{tmp_path}/empty.sqlite", "-s", "baseline")
    assert done.exit_code == 0
    assert "no fleet: " in done.output
    assert "capacity demo" in done.output


def test_the_demo_fleet_is_estimated_without_a_running_service(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/demo.sqlite"
    filled = CliRunner().invoke(cli, ["demo", "--nodes", "8", "--database", database])
    assert filled.exit_code == 0, filled.output
    done = run("--database", database)
    assert done.exit_code == 0
    assert "fleet (8 nodes in " in done.output
    assert "the fleet falls short first in" in done.output


def test_formats_and_files(tmp_path: Path) -> None:
    text = run("--no-fleet", "-f", "csv", "-s", "baseline", "--from", "2027", "--to", "2030").output
    assert [row["year"] for row in csv.DictReader(io.StringIO(text))] == ["2027", "2028", "2029", "2030"]
    target = tmp_path / "plan.json"
    assert run("--no-fleet", "-f", "json", "-o", str(target), "--set", "reco.speedup=1.5").exit_code == 0
    document = json.loads(target.read_text())
    assert [one["name"] for one in document["scenarios"]] == ["baseline", "weighted-probable", "optimistic"]
    assert document["scenarios"][0]["inputs"]["reco"]["speedup"] == 1.5
    folder = tmp_path / "plots"
    assert run("--no-fleet", "-s", "baseline", "--plots", str(folder)).exit_code == 0
    assert len(list(folder.glob("*.svg"))) == 9


def test_questions(tmp_path: Path) -> None:
    assert "weighted-probable" in run("scenarios").output
    assert "33 of 41 follow" in run("talk").output
    assert "ratio 1.00" in run("published").output
    assert "reco.reduction" in run("compare", "baseline", "optimistic").output
    assert "200 samples, seed 3" in run("bands", "--samples", "200", "--seed", "3").output
    assert "Tracking cuts" in run("tornado", "2034").output
    tower, bands = tmp_path / "tornado.svg", tmp_path / "bands.svg"
    assert run("tornado", "2034", "--plot", str(tower)).exit_code == 0
    assert run("bands", "--samples", "100", "--plot", str(bands)).exit_code == 0
    assert all(path.read_text().startswith("<?xml") for path in (tower, bands))
    assert "it fits with reco.speedup = 3.947" in run("solve", "reco.speedup", "2031").output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "reco.speedup=0", "--no-fleet"], "flag: reco.speedup: Input should be greater than 0"),
        (["--set", "reco.spedup=1", "--no-fleet"], "did you mean 'speedup'"),
        (["--set", "reco", "--no-fleet"], "KEY=VALUE"),
        (["-s", "baselin", "--no-fleet"], "did you mean 'baseline'"),
        (["-s", "nowhere.toml", "--no-fleet"], "No such file"),
        (["--from", "2035", "--to", "2030", "--no-fleet"], "last (2030) is before first (2035)"),
        (["compare", "baseline", "x"], "there is no scenario 'x'"),
        (["tornado", "1990"], "1990 is not among the years"),
        (["tornado", "2030", "-r", "gpu"], "there is no resource 'gpu'"),
        (["solve", "gen.speedup", "2031"], "there the need goes from"),
        (["bands", "-s", "baseline", "--set", "budget.growth=7"], "budget.growth"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_2(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.output
    assert done.output.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("--no-fleet", "-s", "baseline", "-o", str(tmp_path / "file" / "plan.txt"))
    assert done.exit_code == 3
    assert "Not a directory" in done.output


def test_what_the_service_measured_is_the_supply(url: str) -> None:
    database = Database(url)
    now = datetime.now(UTC)
    with database.session() as session:
        sites.put_pledges(session, [Pledge(federation="A", year=2026, cpu_hs23=2.1e6, source="test")])
    found = measured(database, FleetSettings(), now)
    assert found.fleet is not None
    assert found.fleet.nominal_khs06[1] < found.fleet.nominal_khs06[0] < found.fleet.nominal_khs06[2]
    assert found.fleet.usable_khs06[0] <= found.fleet.nominal_khs06[0]
    assert found.pledges_khs06[2026] >= 2100
    database.close()


def test_pledges_in_the_wrong_unit_are_refused(url: str) -> None:
    database = Database(url)
    with database.session() as session:
        sites.put_pledges(session, [Pledge(federation="A", year=2026, cpu_hs23=2.1e9, source="test")])
    with pytest.raises((ModelError, CapacityError), match="divide by 1000"):
        measured(database, FleetSettings(), datetime.now(UTC))
    database.close()
    done = run("--database", url)
    assert (done.exit_code, "divide by 1000" in done.output) == (2, True)
