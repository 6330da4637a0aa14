"""A small fleet in a database: nodes of known speed, some of them measured, as if agents and imports had sent them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from capacity import archive
from capacity.fleet.received_profile import ReceivedProfile
from capacity.hs06.estimate import Estimator
from capacity.service.ingest import accept
from capacity.service.refresh import refresh_pending
from capacity.store import measurements
from capacity.store.database import Database
from capacity.store.measurements import StoredMeasurement
from tests.unit.capacity import documents, looks

NOW = documents.NOW
CPUS = (
    ("Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz", 1.0),
    ("Intel(R) Xeon(R) CPU E5-2630 v4 @ 2.20GHz", 0.62),
    ("Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", 0.7),
    ("AMD EPYC 7302 16-Core Processor", 0.95),
    ("AMD EPYC 7313 16-Core Processor", 1.08),
    ("AMD EPYC 9354 32-Core Processor", 1.35),
)
KERNELS = {"clue": 11.0, "mkfit": 50.0, "pixeltrack": 75.0, "vertexing": 26.0}
HS23_PER_CORE = 16.0
CORES = 64


def payloads(speed: float) -> list[dict[str, Any]]:
    """Of a fully loaded node; the wide instruction set gains a half."""
    found = []
    for kernel, rate in KERNELS.items():
        one = looks.payload(kernel, 1.5 * rate * speed * CORES, CORES)
        found.append({**one, "baseline_events_per_s": rate * speed * CORES})
    return found


def fill(database: Database, *, measured: int = 6, per_model: int = 2) -> None:
    """Nodes of six CPU models; the first node of so many models has an HS23 run of 16 × its speed per core."""
    batch = []
    for number, (model, speed) in enumerate(CPUS):
        for copy in range(per_model):
            document = looks.document(
                NOW - timedelta(hours=1),
                cores=float(CORES),
                present=CORES,
                model=model,
                site=documents.SITE,
                node=documents.node(1000 * number + copy),
                boot=documents.node(1_000_000 + 1000 * number + copy),
                payloads=payloads(speed),
            )
            batch.append(json.dumps(document).encode())
    verdicts = accept(database, batch, documents.EVERYWHERE, NOW)
    assert {one.status for one in verdicts} == {"stored"}, verdicts
    refresh(database, Estimator.shipped())
    with database.session() as session:
        measurements.add(session, [_run(number) for number in range(measured)])


def _run(number: int) -> StoredMeasurement:
    total = HS23_PER_CORE * CPUS[number][1] * CORES
    return StoredMeasurement(
        f"run-{number}", documents.SITE, documents.node(1000 * number), "HS23", total, CORES, None, NOW, NOW, "suite", {}
    )  # fmt: skip


def refresh(database: Database, estimator: Estimator) -> None:
    while refresh_pending(database, estimator, NOW, 100):
        pass


def archive_of(folder: Path, files: int) -> Path:
    """Files of two sites and three days, with a profile of each CPU model; the document with sequence 7 is none."""
    for number in range(files):
        rows = []
        for line, (model, speed) in enumerate(CPUS):
            sequence = number * len(CPUS) + line
            node = documents.node(sequence)
            document = looks.document(
                NOW, cores=float(CORES), present=CORES, model=model, node=node, payloads=payloads(speed)
            )
            text = b"{}" if sequence == 7 else json.dumps(document).encode()
            moment = NOW + timedelta(seconds=sequence)
            rows.append(
                ReceivedProfile(sequence, document["id"], node, moment, moment, moment, "t", "d", text)
            )
        day = (NOW + timedelta(days=number % 3)).date()
        site = (documents.SITE, documents.OTHER_SITE)[number % 2]
        archive.write(folder, archive.path_of(day, site, rows[0].sequence, rows[-1].sequence), rows)
    return folder
