"""kill -9 of agents at random during a drain, from a service that is killed, too: every profile arrives, once.

SITECAP_DELIVERY_KILLS and SITECAP_DELIVERY_PROFILES set how much of it (20 and 1,000 here; the issue asks for 200 and 10,000,
which `python -m benchmarks.delivery --faults` runs).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.delivery.conftest import At
from tests.lab.delivery import Fire, stored_ids
from tests.lab.postgres import Server
from tests.lab.service import Service
from tests.unit.capacity.documents import new_id, node, profile

pytestmark = pytest.mark.lab

KILLS = int(os.environ.get("SITECAP_DELIVERY_KILLS", "20"))
PROFILES = int(os.environ.get("SITECAP_DELIVERY_PROFILES", "1000"))


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_profile_arrives_once(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, site_of: At
) -> None:
    directory = tmp_path / "service"
    directory.mkdir()
    server: Server | None = request.getfixturevalue("postgres") if database == "postgresql" else None
    service = Service(directory, server.create() if server else None)
    service.start()
    try:
        ids = [new_id() for _ in range(PROFILES)]
        documents = [profile(id=one, node_id=node(place)) for place, one in enumerate(ids)]
        site = site_of(service, BATCH_DOCUMENTS="20", BACKOFF_FIRST_S="0.1", BACKOFF_MAX_S="1")
        fire = Fire(site, service, documents, kills=KILLS, service_kills=2, seed=PROFILES)
        fire.run()
        assert fire.counts["agents killed"] == KILLS
        assert fire.counts["crashes"] == 0, fire.log.read_text()[-2000:]
        assert sorted(stored_ids(service)) == sorted(ids)
        assert site.spool.waiting() == []
        assert not (site.directory / "spool" / "set-aside").exists()
        assert not (site.directory / "spool" / "lost.jsonl").exists()
        for one, document in zip(ids[::50], documents[::50], strict=True):
            assert service.ask("GET", f"/api/v1/profiles/{one}").body == document
    finally:
        service.kill()
