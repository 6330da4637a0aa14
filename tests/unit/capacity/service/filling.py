"""Databases with something in them, for tests of imports, exports and sums."""

from __future__ import annotations

import json

from capacity.fleet.model import FleetSettings
from capacity.service.importing import Outcome, import_file
from capacity.service.ingest import accept
from capacity.service.principal import Principal, Role
from capacity.service.refresh import refresh_pending
from capacity.store.database import Database
from tests.unit.capacity.fleet.states import shipped
from tests.unit.capacity.looks import NOW, ago, check, document

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
