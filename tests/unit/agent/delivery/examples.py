"""Small profiles in a spool, and settings that are quick."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

from agent.delivery.deliver import Delivered, deliver
from agent.delivery.places import spool_of
from agent.delivery.settings import DeliverySettings
from agent.delivery.spool import Spool
from tests.unit.capacity.documents import profile


def settings(directory: Path, url: str = "http://localhost:1", **more: Any) -> DeliverySettings:
    values: dict[str, Any] = {
        "url": url,
        "proxy": "",
        "token_file": str(token_file(directory)),
        "spool_directory": str(directory / "spool"),
        "output_directory": str(directory / "output"),
        "backoff_first_s": 0.01,
        "backoff_max_s": 0.05,
        **more,
    }
    return DeliverySettings.model_validate(values)


def token_file(directory: Path) -> Path:
    path = directory / "token"
    if not path.exists():
        path.write_text("first-token\n")
    return path


def numbered(number: int, **more: Any) -> bytes:
    """A profile; the larger the number, the younger."""
    return profile(id=id_of(number), **more)


def id_of(number: int) -> str:
    return f"0190{number:04x}-ac96-774b-bcce-b302099a8057"


def fill(directory: Path, number: int, **more: Any) -> Spool:
    spool = spool_of(settings(directory, **more))
    for one in range(number):
        spool.put(numbered(one))
    return spool


def drain(
    directory: Path, url: str, *, attempts: int | None = None, limit_s: float = 60, **more: Any
) -> Delivered:
    """Drain the spool; `attempts` that failed are enough, however busy the machine is."""
    failed = _Failures()
    logger = logging.getLogger("agent.delivery")
    logger.addHandler(failed)
    try:
        return deliver(
            settings(directory, url, **more),
            until_s=time.monotonic() + limit_s,
            stop=lambda: attempts is not None and failed.count >= attempts,
        )
    finally:
        logger.removeHandler(failed)


class _Failures(logging.Handler):
    """Counts the attempts after which another one is planned."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "next attempt" in record.getMessage()


def reasons(spool: Spool) -> dict[str, str]:
    """Of what was set aside, by id."""
    notes = [json.loads(path.read_text()) for path in (spool.directory / "set-aside").glob("*.reason.json")]
    return {note["id"]: note["reason"] for note in notes}
