"""A process that ingests without end and prints the ids that were acknowledged, a JSON list a line.

What cannot be stored now is sent again, as an agent does with its spool.
"""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import UTC, datetime

from capacity.errors import UnavailableError
from capacity.service.ingest import accept
from capacity.store.database import Database
from tests.unit.capacity.documents import EVERYWHERE, SITE, node, profile


def main() -> None:
    database = Database(sys.argv[1])
    choose = random.Random()
    while True:
        now = datetime.now(UTC)
        documents = [
            profile(
                site=SITE,
                node_id=node(choose.randrange(40)),
                boot_key=node(1000 + choose.randrange(30)),
                created_at=now,
                of_later="x" * choose.randrange(20_000),
            )
            for _ in range(choose.choice((1, 1, 5, 40)))
        ]
        while True:
            try:
                verdicts = accept(database, documents, EVERYWHERE, now)
            except UnavailableError:
                time.sleep(0.05)
                continue
            break
        wrong = [verdict for verdict in verdicts if verdict.status not in {"stored", "duplicate"}]
        assert not wrong, wrong
        sys.stdout.write(json.dumps([verdict.id for verdict in verdicts]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
