"""From nothing to the site's capacity: serve, make a token, look from two containers, read one node's worth."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("containers")]

SITE = "T2_XX_Example"
PATIENCE_S = 60
CAPACITY = [sys.executable, "-I", "-m", "capacity"]


class Running:
    """`capacity serve` with nothing but a directory."""

    def __init__(self, directory: Path) -> None:
        self.environment = {**os.environ, "SITECAP_CAPACITY_DATA_DIRECTORY": str(directory)}
        self.process = subprocess.Popen(
            [*CAPACITY, "serve", "--port", "0"], env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        found = re.search(r"listens at (\S+)", self.process.stdout.readline())
        assert found
        self.url = found.group(1)

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [*CAPACITY, *arguments], env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str) -> Any:
        request = urllib.request.Request(self.url + path)
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read().decode()
        return json.loads(body) if "json" in answer.headers["content-type"] else body

    def post(self, document: str, token: str) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v1/profiles",
            data=document.encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.stop()


def test_two_slots_of_one_machine_are_one_node_with_one_worth(service: Running, podman: Engine) -> None:
    token = re.search(r"sitecap_\S+", service.command("token", "create", "--site", SITE, "--role", "submit"))
    assert token
    for limits in ({"cpuset": "0", "memory": "512m"}, {"cpuset": "1", "memory": "1g"}):
        looked = podman.run_agent(
            podman.images.busybox,
            ["probe", "--json", "context", "batch", "cores", "cpu", "memory"],
            **limits,  # type: ignore[arg-type]
        )
        assert service.post(looked.stdout, token.group())["status"] == "stored"

    nodes = wait_for_estimate(service)
    assert len(nodes) == 1
    node = nodes[0]
    assert node["estimate"]["low"] < node["estimate"]["hs23_per_core"] < node["estimate"]["high"]
    assert [rung["method"] for rung in node["estimate"]["rungs"]]
    assert node["estimate"]["steps"]
    assert len(node["slots"]) == 2
    assert node["granted_cores"] == 2  # CPU 0 and CPU 1, nothing twice
    page = service.get(f"/sites/{SITE}/nodes/{node['node_id']}")
    assert f"{node['estimate']['hs23_per_core']:.1f}" in page

    exported = json.loads(service.command("export", "site-capacity", "--site", SITE))
    assert json.dumps(exported).count(SITE) >= 1


def wait_for_estimate(service: Running) -> list[dict[str, Any]]:
    """The site's nodes as soon as none is pending."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        listed = service.get(f"/api/v1/nodes?site={SITE}")["nodes"]
        states = [service.get(f"/api/v1/nodes/{SITE}/{node['node_id']}") for node in listed]
        if states and all(state.get("estimate") for state in states):
            return states
        time.sleep(0.2)
    raise AssertionError(f"no estimate within {PATIENCE_S} s")
