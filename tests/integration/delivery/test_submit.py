"""`agent submit` against the real service: what a user types, what comes back, what is stored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.delivery.conftest import At
from tests.lab.delivery import ROOT, Site, stored_ids
from tests.lab.full_disk import fill
from tests.lab.service import Service
from tests.lab.waiting import until
from tests.unit.capacity.documents import OTHER_SITE, SITE, new_id, profile

pytestmark = pytest.mark.lab


def files(directory: Path, number: int, **more: str) -> list[str]:
    """Output files of as many jobs, as `agent probe -o` writes them; their ids."""
    ids = [new_id() for _ in range(number)]
    for place, one in enumerate(ids):
        text = json.dumps(json.loads(profile(id=one, **more)), indent=1)
        (directory / f"job{place}.json").write_text(text + "\n")
    return ids


def test_files_patterns_and_standard_input(service: Service, site_of: At, tmp_path: Path) -> None:
    site = site_of(service)
    ids = files(tmp_path, 5)
    done = site.submit(tmp_path / "job[0-2].json", tmp_path / "job3.json")
    assert (done.returncode, done.stdout) == (0, "4 handed in\n")
    again = site.submit("--json", tmp_path / "job?.json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == {
        "delivered": 1,
        "duplicates": 4,
        "set_aside": 0,
        "left": 0,
        "reason": None,
        "refused": [],
    }
    assert sorted(stored_ids(service)) == sorted(ids)
    with (tmp_path / "job4.json").open("rb") as one:
        piped = subprocess.run(
            [sys.executable, "-m", "agent", "submit", "-"],
            stdin=one,
            env=site.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    assert (piped.returncode, piped.stdout) == (0, "0 handed in, 1 had been before\n")
    assert site.token not in service.log + done.stderr + again.stderr


def test_what_the_real_service_says_of_each(service: Service, site_of: At, tmp_path: Path) -> None:
    """Stored, conflict, invalid there and here, and a site of others, in one run; each ends where it should."""
    site = site_of(service, SITE)
    good, conflicting, foreign = new_id(), new_id(), new_id()
    assert site.submit("-q", put(tmp_path, "first", profile(id=conflicting))).returncode == 0
    lines = [
        profile(id=good),
        profile(id=conflicting, facts={"extensions": {}}),
        profile(id=foreign, site=OTHER_SITE),
        b'{"schema_version": "2.0"}',
    ]
    done = site.submit(
        "--json", "--timeout", "6", put(tmp_path, "many.jsonl", b"\n".join(lines)), put(tmp_path, "no", b"x")
    )
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["delivered"], found["set_aside"], found["left"]) == (1, 1, 1)
    assert f"may not write for {OTHER_SITE}" in found["reason"]
    assert "line 4: the profile has schema_version '2.0'" in found["refused"][0]
    assert "not JSON" in found["refused"][1]
    assert sorted(stored_ids(service)) == sorted([good, conflicting])
    reasons = [path.read_text() for path in (site.directory / "spool/set-aside").glob("*.reason.json")]
    assert len(reasons) == 1
    assert "another document has this id" in reasons[0]
    # With the token of the other site the one that waited goes, too.
    other = Site(site.directory, site.url, site.token)
    (site.directory / "token").write_text(service.token(site=OTHER_SITE))
    last = other.submit()
    assert (last.returncode, last.stdout) == (0, "1 handed in\n")


def put(directory: Path, name: str, content: bytes) -> Path:
    (directory / name).write_bytes(content)
    return directory / name


def test_job_output_first_and_handed_in_elsewhere(service: Service, site_of: At, tmp_path: Path) -> None:
    """The no-outbound mode: the node knows no service, a door node hands in what the jobs brought home."""
    site = site_of(service)
    ids = files(tmp_path, 3)
    alone = {name: value for name, value in site.environment.items() if not name.endswith("__URL")}
    done = subprocess.run(
        [sys.executable, "-m", "agent", "submit", tmp_path / "job0.json"],
        env=alone,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "delivery.url is not set" in done.stderr
    assert site.submit(tmp_path / "*.json").returncode == 0
    assert sorted(stored_ids(service)) == sorted(ids)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.json"], "nowhere.json: there is no such file"),
        (["nowhere*.json"], "no file fits this pattern"),
        (["--url", "https://user:secret@x"], "delivery.url: must hold no name or password"),
        (["--set", "delivery.ca_file=/nowhere", "--url", "https://localhost:1"], "delivery.ca_file /nowhere"),
        (["--set", "delivery.proxi=x"], "did you mean 'delivery.proxy'"),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path: Path, arguments: list[str], says: str) -> None:
    site = Site(tmp_path, "http://localhost:1", "token")
    done = site.submit(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr


def test_the_service_is_away_and_comes_back(service: Service, site_of: At, tmp_path: Path) -> None:
    site = site_of(service)
    ids = files(tmp_path, 3)
    service.kill()
    done = site.submit("--timeout", "5", tmp_path / "*.json")
    assert done.returncode == 4
    assert "3 waiting: localhost: Connection refused" in done.stdout
    log = tmp_path / "agent.log"
    patient = site.start(log, "--timeout", "300")
    until("first attempt", lambda: "next attempt" in log.read_text(), limit_s=60)
    service.start()
    assert patient.wait(300) == 0
    assert sorted(stored_ids(service)) == sorted(ids)


def test_interrupted_what_waits_is_left(service: Service, site_of: At, tmp_path: Path) -> None:
    site = site_of(service)
    files(tmp_path, 3)
    service.kill()
    log = tmp_path / "agent.log"
    agent = site.start(log, "--timeout", "300", tmp_path / "*.json")
    until("first attempt", lambda: "next attempt" in log.read_text(), limit_s=60)
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(60) == 143
    assert len(site.spool.waiting()) == 3


def test_the_disk_of_the_spool_is_full(
    service: Service, site_of: At, tmp_path: Path, small_disk: Path
) -> None:
    """What fits is spooled, what does not is sent from memory; nothing is lost, and half-written files are none."""
    site = site_of(service, SPOOL_DIRECTORY=str(small_disk / "spool"))
    ids = files(tmp_path, 6, hostname="x" * 60_000)
    service.kill()
    done = site.submit("--json", "--timeout", "1", tmp_path / "*.json")
    assert done.returncode == 4
    found = json.loads(done.stdout)
    assert found["left"] == 6
    assert "No space left on device" in found["reason"]
    assert list((small_disk / "spool").glob(".*.part")) == []
    service.start()
    drained = site.submit("--json")  # also of a disk that is full
    assert drained.returncode == 0
    assert 0 < json.loads(drained.stdout)["delivered"] < 6
    fill(small_disk)
    rest = site.submit("--json", tmp_path / "*.json")
    assert rest.returncode == 0
    assert json.loads(rest.stdout)["left"] == 0
    assert sorted(stored_ids(service)) == sorted(ids)


def test_the_spool_can_only_be_read(service: Service, site_of: At, tmp_path: Path, small_disk: Path) -> None:
    site = site_of(service, SPOOL_DIRECTORY=str(small_disk / "spool"))
    ids = files(tmp_path, 2)
    service.kill()
    assert site.submit("--timeout", "0.5", tmp_path / "job0.json").returncode == 4
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    service.start()
    done = site.submit("--json", "--timeout", "10", tmp_path / "job1.json")
    assert json.loads(done.stdout)["delivered"] == 1
    waiting = site.submit("--json", "--timeout", "5")
    assert waiting.returncode == 4
    assert "Read-only file system" in json.loads(waiting.stdout)["reason"]
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert site.submit().returncode == 0
    assert sorted(stored_ids(service)) == sorted(ids)


def test_the_token_is_in_no_argument_and_no_text(service: Service, site_of: At, tmp_path: Path) -> None:
    site = site_of(service)
    files(tmp_path, 1)
    service.kill()
    log = tmp_path / "agent.log"
    agent = site.start(log, "--timeout", "300", tmp_path / "*.json")
    until("first attempt", lambda: "next attempt" in log.read_text(), limit_s=60)
    command = Path(f"/proc/{agent.pid}/cmdline").read_bytes()
    environment = Path(f"/proc/{agent.pid}/environ").read_bytes()
    os.kill(agent.pid, signal.SIGTERM)
    agent.wait(60)
    held = b"".join(path.read_bytes() for path in (site.directory / "spool").rglob("*") if path.is_file())
    for said in (command, environment, log.read_bytes(), held):
        assert site.token.encode() not in said
