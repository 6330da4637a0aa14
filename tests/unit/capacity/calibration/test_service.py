"""Calibrations of a service: fitted to its nodes, kept, activated; the fleet estimated anew, old figures traceable."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from capacity.errors import BadInputError, ConflictError, NotFoundError
from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.hs06.model import Method
from capacity.service import calibrate
from capacity.service.estimators import Estimators
from capacity.service.importing import import_file
from capacity.service.principal import Principal, Role
from capacity.service.reestimate import fleet_pieces, reestimate, reestimate_fleet
from capacity.store import calibrations, nodes
from capacity.store.database import Database
from tests.unit.capacity import documents
from tests.unit.capacity.calibration import fleets

NOW = fleets.NOW
LATER = NOW + timedelta(hours=1)


def filled(database: Database, measured: int = 6) -> Database:
    fleets.fill(database, measured=measured)
    fleets.refresh(database, Estimator.shipped())
    return database


def test_fits_to_the_nodes_of_the_service(database: Database) -> None:
    made = calibrate.make(filled(database), NOW, "a note")
    assert not made.provisional
    kinds = [one.kind for one in made.inputs]
    assert (kinds.count("HS23"), kinds.count("expected")) == (6, 6)
    assert {one.family for one in made.families} == {
        "icelake", "broadwell", "skylake_avx512", "zen2", "zen3", "zen4"
    }  # fmt: skip
    assert sum(term.weight for term in made.terms) == pytest.approx(1, abs=0.03)
    assert calibrate.find(database, made.version) == made
    assert calibrate.find(database, None) == Calibration.shipped(), "nothing is used before it is activated"


def test_the_first_imported_score_ends_the_provisional_time(database: Database) -> None:
    """Before it the fleet's own calibration is provisional too: it stands on what names let expect, and nothing else."""
    filled(database, measured=0)
    assert calibrate.make(database, NOW).provisional
    table = (
        "site,node_id,hs23,logical_cpus,source\n"
        f"{documents.SITE},{documents.node(3000)},{fleets.HS23_PER_CORE * 0.95 * 64},64,measured in October\n"
    )
    admin = Principal("an admin", frozenset({Role.ADMIN}))
    outcome = import_file(database, "scores", table.encode(), admin, NOW)
    assert outcome.scores_of_nodes == 1
    fleets.refresh(database, Estimator.shipped())
    made = calibrate.make(database, NOW)
    assert not made.provisional
    kinds = {one.id: one.kind for one in made.inputs}
    assert [name for name, kind in kinds.items() if kind == "HS23"] == [
        f"{documents.SITE}/{documents.node(3000)}"
    ]
    assert list(kinds.values()).count("expected") == 11


def test_same_nodes_give_the_calibration_that_is_kept(database: Database) -> None:
    filled(database)
    first = calibrate.make(database, NOW)
    again = calibrate.make(database, LATER, "another note")
    assert again == first
    assert [one.version for one in calibrate.listing(database)] == [
        first.version,
        Calibration.shipped().version,
    ]


def test_one_command_puts_the_fleet_under_another_version_and_old_figures_stay(database: Database) -> None:
    filled(database, measured=3)
    shipped = Calibration.shipped()
    reestimate_fleet(database, shipped.version, NOW)
    made = calibrate.make(database, NOW)
    told = reestimate_fleet(database, made.version, LATER)
    assert (told.nodes, told.pending) == (12, 0)
    assert told.after_hs23 != told.before_hs23
    with database.reading() as session:
        node_id = documents.node(5001)  # EPYC 9354, not measured
        state = nodes.state(session, documents.SITE, node_id)
        history = nodes.estimate_history(session, documents.SITE, node_id)
    assert state is not None
    assert state.estimate is not None
    assert state.estimate.calibration_version == made.version
    assert [one.calibration_version for one in history[:2]] == [made.version, shipped.version]
    assert history[0].hs23_per_core == state.estimate.hs23_per_core != history[1].hs23_per_core
    for past in history[:2]:
        assert calibrate.find(database, past.calibration_version).version == past.calibration_version
    rung = next(one for one in state.estimate.rungs if one.method is Method.PAYLOAD)
    assert rung.hs23_per_core == pytest.approx(fleets.HS23_PER_CORE * 1.35, rel=0.03)


def test_services_use_what_was_activated(database: Database) -> None:
    filled(database)
    estimators = Estimators(database)
    assert estimators.current().payload_model == Calibration.shipped()
    made = calibrate.make(database, NOW)
    calibrate.activate(database, made.version, NOW, look_again=False)
    assert estimators.current().payload_model == made
    calibrate.activate(database, Calibration.shipped().version, NOW, look_again=False)
    assert estimators.current().payload_model == Calibration.shipped()
    assert [one.active for one in calibrate.listing(database)].count(True) == 1


def test_versions_that_are_not_there(database: Database) -> None:
    with pytest.raises(NotFoundError, match="no calibration 'nope'"):
        calibrate.find(database, "nope")
    with pytest.raises(NotFoundError, match="no calibration 'nope'"):
        calibrate.activate(database, "nope", NOW, look_again=True)
    with pytest.raises(NotFoundError):
        reestimate_fleet(database, "nope", NOW)
    with database.reading() as session:
        assert calibrations.active(session) is None, "what failed changed nothing"


def test_nobody_was_measured_and_nobody_ran_payloads(database: Database) -> None:
    with pytest.raises(BadInputError, match="there is no node to calibrate on"):
        calibrate.make(database, NOW)


def test_takes_one_from_elsewhere_but_not_a_changed_one(database: Database, tmp_path: Path) -> None:
    filled(database)
    made = calibrate.make(database, NOW)
    document = json.loads(made.to_json())
    elsewhere = tmp_path / "calibration.json"
    elsewhere.write_text(json.dumps(document))
    assert calibrate.read(database, elsewhere) == made
    elsewhere.write_text(json.dumps(document | {"sigma": 0.01}))
    with pytest.raises(BadInputError, match="it was changed after it was made"):
        calibrate.read(database, elsewhere)
    with pytest.raises(BadInputError, match="No such file"):
        calibrate.read(database, tmp_path / "nothing.json")


def test_two_of_one_version_are_a_conflict(database: Database) -> None:
    shipped = Calibration.shipped()
    calibrate.keep(database, shipped)
    with pytest.raises(ConflictError):
        calibrate.keep(database, shipped.model_copy(update={"sigma": 0.5}))


def test_anchors_of_one_family_are_not_all_looked_at(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleets.fill(database, measured=2, per_model=4)
    fleets.refresh(database, Estimator.shipped())
    monkeypatch.setattr(calibrate, "ANCHORS_OF_A_FAMILY", 2)
    monkeypatch.setattr(calibrate, "PAGE", 5)
    found = list(calibrate.pairs(database, Estimator.shipped()))
    assert sum(bool(pair.evidence.measured) for pair in found) == 2
    assert len(found) == 2 + 6 * 2


def test_fleet_study_says_the_same_as_the_database(database: Database) -> None:
    filled(database)
    made = calibrate.make(database, NOW)
    reestimate_fleet(database, made.version, LATER)
    rows = list(reestimate(list(fleet_pieces(database)), Estimator.shipped(made)))
    with database.reading() as session:
        states = nodes.states_in_order(session, None, None, 100)
    assert [(row.node_id, row.hs23_per_core, row.sigma) for row in rows] == [
        (state.node_id, state.estimate.hs23_per_core, state.estimate.sigma)
        for state in states
        if state.estimate
    ]
