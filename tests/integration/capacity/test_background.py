"""Beside several workers a process of its own estimates nodes; it comes back when it is killed, and ends with the service."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from capacity.service.principal import Role
from tests.integration.capacity.conftest import Serve
from tests.lab.postgres import Server
from tests.lab.service import Service
from tests.lab.waiting import until
from tests.unit.capacity.documents import SITE, node, profile

pytestmark = pytest.mark.lab

JSON = {"Content_Type": "application/json"}


def _refreshers(service: int) -> list[int]:
    """Children of the service that run with a lower priority than it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if (
            int(fields[1]) == service
            and fields[0] != "Z"
            and int(fields[16]) > os.getpriority(os.PRIO_PROCESS, 0)
        ):
            found.append(int(path.parts[2]))
    return found


def _estimated(service: Service, number: int) -> bool:
    found = service.ask("GET", "/api/v1/nodes").json()["nodes"]
    return any(one["node_id"] == node(number) and one["hs23_per_core"] for one in found)


@pytest.mark.skipif(
    os.getpriority(os.PRIO_PROCESS, 0) > 18, reason="there is no priority below that of the tests"
)
def test_a_process_of_its_own_estimates_and_comes_back(serve: Serve, postgres: Server) -> None:
    service = serve(database=postgres.create(), arguments=("--workers", "2"))
    token = service.token(Role.SUBMIT, SITE)
    assert service.ask("POST", "/api/v1/profiles", token, profile(node_id=node(1)), **JSON).status == 202
    until("an estimate that nobody asked for", lambda: _estimated(service, 1), limit_s=90)
    assert "sitecap_nodes_refreshed_total 1.0" in service.ask("GET", "/metrics").body.decode()
    (killed,) = _refreshers(service.pid)

    os.kill(killed, signal.SIGKILL)

    assert service.ask("POST", "/api/v1/profiles", token, profile(node_id=node(2)), **JSON).status == 202
    until("an estimate by the process that follows", lambda: _estimated(service, 2), limit_s=90)
    (second,) = _refreshers(service.pid)
    assert second != killed
    service.stop()
    assert not Path(f"/proc/{second}").exists()


@pytest.mark.skipif(
    os.getpriority(os.PRIO_PROCESS, 0) > 18, reason="there is no priority below that of the tests"
)
def test_it_ends_with_a_service_that_is_killed(serve: Serve, postgres: Server) -> None:
    service = serve(database=postgres.create(), arguments=("--workers", "2"))
    until("the process that estimates", lambda: len(_refreshers(service.pid)) == 1, limit_s=90)
    (refresher,) = _refreshers(service.pid)

    service.kill()

    until("its end", lambda: not Path(f"/proc/{refresher}").exists(), limit_s=60)
