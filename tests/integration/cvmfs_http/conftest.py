"""A Stratum-1 that breaks on demand, and the probe that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from probes.cvmfs import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from tests.integration.cvmfs_http.asking import CHUNKED, NAME, Outcome
from tests.lab.cvmfs_repository import Repository
from tests.lab.stratum1 import Stratum1


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Outcome]:
    """Runs the probe with the lab's master key on the node."""

    def probe(*urls: str, host: Host | None = None, **wanted: Any) -> Outcome:
        settings = Settings.model_validate(
            {
                "cvmfs": {
                    "http_repositories": (NAME,),
                    "stratum_ones": urls,
                    "proxies": "DIRECT",
                    "keys_path": str(Repository().keys.write(tmp_path / "keys")),
                    "cache_path": str(tmp_path / "cache"),
                    "test_paths": {NAME: CHUNKED},
                    "timeout_s": 30,
                    "budget_s": 90,
                    **wanted,
                }
            }
        )
        facts = PROBE.gather(host or Host(LiveDoor()), settings)
        given = PROBE.judge(facts, Judging(PROBE, settings, {"cvmfs": facts}))
        return Outcome(facts, {result.id: result for result in given})

    return probe


@pytest.fixture
def server() -> Iterator[Stratum1]:
    """A Stratum-1 of its own for each test: a squid would remember what another test had on the same port."""
    with Stratum1(Repository()).serving() as healthy:
        yield healthy
