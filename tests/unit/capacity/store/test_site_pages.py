"""Failing checks of a site's nodes, on every engine."""

from __future__ import annotations

from datetime import datetime

from capacity.store import site_pages
from capacity.store.database import Database
from tests.unit.capacity.documents import SITE
from tests.unit.capacity.web import samples

NOW = datetime.fromisoformat("2026-11-21T22:00:00+00:00")


def test_failing_checks_are_those_of_the_latest_look(database: Database) -> None:
    samples.seed(database, samples.state(1, SITE), samples.state(2, SITE, slots=()), now=NOW)
    keys = [(SITE, f"{number:032x}") for number in (1, 2, 3)]
    with database.reading() as session:
        one, two = site_pages.latest_checks(session, keys)
    assert [check["id"] for check in one.checks] == ["SQD-01", "CTX-07"]
    assert two.checks == ()
