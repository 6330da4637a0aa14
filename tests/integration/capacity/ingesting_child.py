"""Processes that ingest without end and print the ids that were acknowledged, a JSON list a line, until they are killed.

They are forked from this one, which has loaded everything, one for each line on its standard input; when one has ended,
"ended" is printed. What cannot be stored now is sent again, as an agent does with its spool.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from datetime import UTC, datetime

from capacity.errors import UnavailableError
from capacity.service.ingest import accept
from capacity.store.database import Database
from tests.unit.capacity.documents import EVERYWHERE, SITE, node, profile


def main() -> None:
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            ingest(sys.argv[1], os.getppid())
            os._exit(1)
        _say({"pid": child})
        os.waitpid(child, 0)
        _say("ended")


def ingest(url: str, parent: int) -> None:
    database = Database(url)
    choose = random.Random()
    while os.getppid() == parent:  # nobody is left behind when the test is ended
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
        _say([verdict.id for verdict in verdicts])


def _say(what: object) -> None:
    """One write of one line: a kill leaves all of it or nothing (up to PIPE_BUF, 4096 bytes)."""
    os.write(1, (json.dumps(what) + "\n").encode())


if __name__ == "__main__":
    main()
