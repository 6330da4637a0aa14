"""`capacity calibrate` and `capacity reestimate` as a user meets them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from capacity.cli.calibrate import calibrate, reestimate
from capacity.hs06 import calibration_text
from capacity.hs06.calibrate import fit
from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.hs06.synthetic import Truth, make_fleet
from capacity.store import nodes
from capacity.store.database import Database
from tests.unit.capacity import documents
from tests.unit.capacity.calibration import fleets

SHIPPED = Calibration.shipped().version


def run(database: Database, *words: str) -> Result:
    command = reestimate if words[0] == "reestimate" else calibrate
    return CliRunner().invoke(command, [*words[1:], "--database", str(database.url)])


@pytest.fixture
def filled(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/c.sqlite")
    database.upgrade()
    fleets.fill(database)
    fleets.refresh(database, Estimator.shipped())
    return database


def test_calibrate_then_activate_then_everything_anew(filled: Database) -> None:
    made = run(filled, "calibrate", "--note", "autumn", "--activate")
    assert made.exit_code == 0, made.output
    assert "autumn" in made.output
    assert "stands on: 6 × measured HS23, 6 × expected by name" in made.output
    for family in ("zen4", "broadwell", "skylake_avx512"):
        assert any(line.startswith(family) and "%" in line for line in made.output.splitlines()), family
    version = made.output.split()[1].rstrip(",")
    listed = run(filled, "calibrate", "list").output.splitlines()
    assert [line.split()[0] for line in listed] == [version, SHIPPED]
    assert listed[0].endswith("active")
    again = run(filled, "reestimate")
    assert again.exit_code == 0, again.output
    assert again.output.startswith(f"12 nodes under {version}: ")
    back = run(filled, "reestimate", "--calibration", SHIPPED, "--json")
    assert json.loads(back.output)["nodes"] == 12
    with filled.reading() as session:
        history = nodes.estimate_history(session, documents.SITE, documents.node(1))
    assert {one.calibration_version for one in history} == {None, version, SHIPPED}, "old figures are kept"


def test_document_goes_out_and_in_again(filled: Database, tmp_path: Path) -> None:
    made = run(filled, "calibrate", "--json")
    file = tmp_path / "calibration.json"
    file.write_text(made.output)
    version = Calibration.from_json(made.output.encode()).version
    other = Database(f"sqlite:///{tmp_path}/other.sqlite")
    other.upgrade()
    taken = run(other, "calibrate", "--from", str(file), "--activate")
    assert taken.exit_code == 0, taken.output
    shown = run(other, "calibrate", "show", "--json")
    assert Calibration.from_json(shown.output.encode()).version == version


def test_a_study_changes_nothing(filled: Database, tmp_path: Path) -> None:
    version = Calibration.from_json(run(filled, "calibrate", "--json").output.encode()).version
    told = run(filled, "reestimate", "--calibration", version, "--study", str(tmp_path / "s.parquet"))
    assert told.exit_code == 0, told.output
    assert f"12 rows under {version}" in told.output
    assert run(filled, "calibrate", "show").output.startswith(f"calibration {SHIPPED}")
    with filled.reading() as session:
        states = nodes.states_in_order(session, None, None, 100)
    assert version not in {state.estimate.calibration_version for state in states if state.estimate}


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("calibrate", "show", "nope"), 1, "there is no calibration 'nope'"),
        (("calibrate", "activate", "nope"), 1, "there is no calibration 'nope'"),
        (("calibrate", "--from", "/nowhere/c.json"), 2, "/nowhere/c.json: No such file or directory"),
        (("calibrate", "--from", __file__), 2, "this is not a calibration"),
        (("reestimate", "--calibration", "nope"), 1, "there is no calibration 'nope'"),
        (("reestimate", "--scheduler", "local"), 2, "--archive and --scheduler belong to --study"),
        (("reestimate", "--study", "/nowhere/s.parquet"), 2, "name a file that may be written"),
        (("reestimate", "--study", "s", "--archive", "/nowhere"), 2, "there is no archive here"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_a_code(
    filled: Database, words: tuple[str, ...], code: int, sentence: str
) -> None:
    told = run(filled, *words)
    assert told.exit_code == code, told.output
    assert sentence in told.output
    assert "Traceback" not in told.output


def test_nobody_to_calibrate_on(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/c.sqlite")
    told = run(database, "calibrate")
    assert told.exit_code == 2
    assert "there is no node to calibrate on; a node needs payload scores" in told.output


def test_text_names_outliers_what_was_left_out_and_who_is_provisional() -> None:
    fleet = make_fleet(Truth(), families=6, nodes=6, seed=2, outlier_share=0.08)
    fitted = fit(fleet.pairs, fleets.NOW - timedelta(days=1))
    text = calibration_text.told(fitted)
    assert fleet.outliers
    for name in fleet.outliers:
        assert f"outlier, not counted: {name}" in text
    assert "PROVISIONAL" not in text
    assert "PROVISIONAL" in calibration_text.told(Calibration.shipped())
    bare = [
        pair.model_copy(update={"evidence": pair.evidence.model_copy(update={"scores": ()})})
        for pair in fleet.pairs
    ]
    text = calibration_text.told(fit([*fleet.pairs[:20], *bare[20:]], fleets.NOW))
    assert text.count("left out: ") == 11
    assert "left out: 6 more, see --json" in text
