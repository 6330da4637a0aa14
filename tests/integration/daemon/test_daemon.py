"""The daemon as it is launched: a process, its pages, its signals, a real service that comes late."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from capacity.service.principal import Role
from tests.lab.full_disk import fill
from tests.lab.promtool import Promtool
from tests.lab.service import Service
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

LIMIT_S = 120


@dataclass
class Daemon:
    """A daemon in a directory of its own.

    Attributes:
        directory: with its configuration and log.
        process: it.
    """

    directory: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self, **settings: str) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("SITECAP_")}
        defaults = {"SITE_PROFILE": "no-outbound", "DAEMON__PORT": "0", "DAEMON__SPREAD_S": "0"}
        env |= {f"SITECAP_{name}": value for name, value in {**defaults, **settings}.items()}
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-m", "agent", "daemon", "--config", str(self.configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
            )

    @property
    def configuration(self) -> Path:
        return self.directory / "agent.toml"

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    @property
    def port(self) -> int:
        def said() -> list[str]:
            assert self.process.poll() is None, self.log
            return re.findall(r"/metrics on port (\d+)", self.log)

        return int(until("the daemon's port", said, limit_s=LIMIT_S)[-1])

    def ask(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def said(self, words: str) -> None:
        until(f"{words!r} in the log", lambda: words in self.log, limit_s=LIMIT_S)

    def ready(self) -> None:
        until("the first look", lambda: self.ask("/readyz")[0] == 200, limit_s=LIMIT_S)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_S)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon(tmp_path / "daemon")
    one.directory.mkdir()
    one.configuration.write_text("")
    yield one
    if one.process.poll() is None:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A real service that answers."""
    one = Service(tmp_path / "service")
    one.directory.mkdir()
    one.start()
    yield one
    one.kill()


@pytest.fixture
def handing_in(service: Service, tmp_path: Path) -> dict[str, str]:
    """Settings of a daemon that hands in to the service."""
    token = tmp_path / "token"
    token.write_text(service.token(Role.SUBMIT))
    return {
        "DELIVERY__URL": service.url,
        "DELIVERY__TOKEN_FILE": str(token),
        "DELIVERY__SPOOL_DIRECTORY": str(tmp_path / "spool"),
        "DELIVERY__BACKOFF_MAX_S": "1",
    }


def kept(spool: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(spool.glob("*.json"))]


def test_it_answers_reads_its_file_again_and_ends_with_its_picture_in_the_spool(
    daemon: Daemon, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    # A name that nobody resolves: the service and DNS are lost.
    daemon.start(DELIVERY__URL="https://service.invalid", DELIVERY__SPOOL_DIRECTORY=str(spool))
    daemon.ready()
    assert daemon.ask("/healthz")[0] == 200
    until("a profile in the spool", lambda: kept(spool), limit_s=LIMIT_S)

    daemon.configuration.write_text("[daemon]\nperiod_s = 1\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.said("the new configuration is not used, the old one goes on: ")
    assert "daemon.period_s: Input should be greater than or equal to 10" in daemon.log
    metrics = "cms_agent_daemon_config_last_reload_successful 0.0"
    until("the metric", lambda: metrics in daemon.ask("/metrics")[1], limit_s=LIMIT_S)

    # No signal: the change of the file is seen.
    daemon.configuration.write_text("[skip_checks]\nMEM-01 = 'of no concern here'\n")
    daemon.said("the configuration was read again")
    until(
        "the verdict by the new configuration",
        lambda: 'check_status{check="MEM-01"' not in daemon.ask("/metrics")[1],
        limit_s=LIMIT_S,
    )

    assert daemon.end() == 0
    assert "SIGTERM: the daemon ends" in daemon.log
    last = {check["id"]: check["status"] for check in kept(spool)[-1]["checks"]}
    assert last["MEM-01"] == "SKIPPED"


def test_its_page_is_one_that_prometheus_itself_accepts(daemon: Daemon, promtool: Promtool) -> None:
    daemon.start()
    daemon.ready()
    until("metrics", lambda: "cms_agent_check_status{" in daemon.ask("/metrics")[1], limit_s=LIMIT_S)
    assert promtool.complaints(daemon.ask("/metrics")[1]) == ""


def test_a_service_that_comes_late_gets_the_profile_once(
    daemon: Daemon, service: Service, handing_in: dict[str, str], tmp_path: Path
) -> None:
    service.kill()
    daemon.start(**handing_in, SITE_NAME="T2_XX_Lab")
    spool = tmp_path / "spool"
    until("a profile in the spool", lambda: kept(spool), limit_s=LIMIT_S)
    (waiting,) = kept(spool)
    service.start()
    until("an empty spool", lambda: not kept(spool), limit_s=LIMIT_S)
    assert service.ask("GET", f"/api/v1/profiles/{waiting['id']}", service.token(Role.ADMIN)).status == 200
    counted = 'cms_agent_delivery_profiles_total{outcome="delivered"} 1.0'
    until("the count", lambda: counted in daemon.ask("/metrics")[1], limit_s=LIMIT_S)
    assert daemon.end() == 0


def test_a_spool_on_a_full_disk_costs_no_profile(
    daemon: Daemon, service: Service, handing_in: dict[str, str], small_disk: Path
) -> None:
    service.kill()
    fill(small_disk)
    handing_in["DELIVERY__SPOOL_DIRECTORY"] = str(small_disk / "spool")
    daemon.start(**handing_in, SITE_NAME="T2_XX_Lab")
    daemon.said("Connection refused")
    service.start()
    counted = 'cms_agent_delivery_profiles_total{outcome="delivered"} 1.0'
    until("the profile, from memory", lambda: counted in daemon.ask("/metrics")[1], limit_s=LIMIT_S)
    daemon.said("No space left on device")
    assert daemon.end() == 0
    assert "lost" not in daemon.log


def test_a_profile_that_the_service_does_not_take_is_told_in_the_log(
    daemon: Daemon, handing_in: dict[str, str]
) -> None:
    daemon.start(**handing_in)
    daemon.said("the profile names no site")
    assert daemon.end() == 0


def test_a_port_that_is_taken_and_a_bad_configuration_are_one_sentence(daemon: Daemon) -> None:
    daemon.start()
    taken = daemon.port
    other = Daemon(daemon.directory.parent / "other")
    other.directory.mkdir()
    other.configuration.write_text("")
    other.start(DAEMON__PORT=str(taken))
    assert other.process.wait(LIMIT_S) == 3
    assert other.log.startswith(f"agent: cannot listen on all addresses, port {taken}: ")

    other.configuration.write_text("[daemon]\nprobes = ['cpv']\n")
    other.start()
    assert other.process.wait(LIMIT_S) == 2
    assert "there is no probe 'cpv'; did you mean 'cpu'?" in other.log
    assert "Traceback" not in other.log


def test_a_killed_daemon_leaves_no_process(daemon: Daemon) -> None:
    daemon.start()
    daemon.ready()
    below = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text().split()
    assert below, "the process of the pages"
    daemon.process.kill()
    daemon.process.wait()
    for pid in below:
        until(f"end of {pid}", lambda pid=pid: not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes(), limit_s=LIMIT_S)  # type: ignore[misc]  # fmt: skip
