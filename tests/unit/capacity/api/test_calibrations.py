"""A calibration is activated through the API: the shipped one from the first day on, others once they are kept."""

from __future__ import annotations

from capacity.hs06.calibration import Calibration
from tests.unit.capacity.api.conftest import Door


def test_the_shipped_calibration_can_be_activated_before_anything_was_stored(door: Door) -> None:
    version = Calibration.shipped().version

    answer = door.ask("POST", f"/api/v1/calibrations/{version}/activation", "admin")

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"version": version, "pending_nodes": 0}
    (entry,) = door.ask("GET", "/api/v1/calibrations", "read").json()["calibrations"]
    assert (entry["version"], entry["active"], entry["shipped"]) == (version, True, True)


def test_a_version_that_nobody_has_is_not_found_and_changes_nothing(door: Door) -> None:
    shipped = Calibration.shipped().version
    door.ask("POST", f"/api/v1/calibrations/{shipped}/activation", "admin")

    assert door.ask("POST", "/api/v1/calibrations/nobody-has-it/activation", "admin").status_code == 404

    (entry,) = door.ask("GET", "/api/v1/calibrations", "read").json()["calibrations"]
    assert (entry["version"], entry["active"]) == (shipped, True)
