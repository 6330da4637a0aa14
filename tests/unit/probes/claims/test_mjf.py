"""Machine/job features with the keys of HSF-TN-2016-02, from a directory and from a web server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probes.claims import mjf
from probes.errors import HostError
from probes.host import Host
from profiles.facts.batch import SlotClaim
from tests.unit.probes.claims.talking import machine

JOB = {
    "job_id": "1234567.ce",
    "allocated_cpu": "8",
    "wall_limit_secs": "172800",
    "jobstart_secs": "1795364000",
    "max_rss_bytes": "17179869184",
    "scratch_limit_bytes": "171798691840",
    "hs06_job": "80.5",
}
START_S = 1795364000
SERVER = "http://169.254.169.254/jobfeatures"


def claim(host: Host) -> SlotClaim:
    found = mjf.read(host)
    assert found is not None
    return found


def in_directory(job: dict[str, str], machine_features: dict[str, str] | None = None) -> Host:
    files: dict[str, str | HostError] = {
        f"/etc/jobfeatures/{key}": f"{value}\n" for key, value in job.items()
    }
    files |= {f"/etc/machinefeatures/{key}": value for key, value in (machine_features or {}).items()}
    env = {"JOBFEATURES": "/etc/jobfeatures"}
    return machine(
        env | ({"MACHINEFEATURES": "/etc/machinefeatures"} if machine_features else {}), files=files
    )


def test_a_directory() -> None:
    found = claim(in_directory(JOB))
    assert (found.cores, found.memory_bytes, found.scratch_bytes) == (8, 16 * 2**30, 160 * 2**30)
    assert (found.job_id, found.wall_limit_s) == ("1234567.ce", 172_800)
    assert found.ends_at == datetime.fromtimestamp(START_S + 172_800, tz=UTC)
    assert found.problems == ()


def test_a_web_server_says_the_same() -> None:
    pages: dict[str, tuple[int | None, str]] = {f"{SERVER}/{key}": (200, value) for key, value in JOB.items()}
    found = claim(machine({"JOBFEATURES": f"{SERVER}/"}, pages=pages))
    assert found == claim(in_directory(JOB))
    assert "169.254" not in found.model_dump_json()


def test_the_earliest_end_counts() -> None:
    soon, sooner = START_S + 3600, START_S + 60
    found = claim(in_directory({**JOB, "shutdowntime_job": str(soon)}, {"shutdowntime": str(sooner)}))
    assert found.ends_at == datetime.fromtimestamp(sooner, tz=UTC)
    found = claim(in_directory({**JOB, "shutdowntime_job": str(soon)}, {"shutdowntime": "0"}))
    assert found.ends_at == datetime.fromtimestamp(soon, tz=UTC)


def test_a_server_that_does_not_answer_is_asked_once() -> None:
    pages: dict[str, tuple[int | None, str]] = {f"{SERVER}/{key}": (None, "") for key in mjf.JOB_KEYS}
    found = claim(machine({"JOBFEATURES": SERVER}, pages=pages))
    assert found.cores is None
    assert len(found.problems) == 1
    assert "connection refused" in found.problems[0]


def test_an_error_page_is_no_value() -> None:
    found = claim(machine({"JOBFEATURES": SERVER}, pages={f"{SERVER}/allocated_cpu": (500, "8")}))
    assert found.cores is None
    assert [line for line in found.problems if "500" in line]


@pytest.mark.parametrize("place", ["features", "ftp://example.org/jobfeatures", "/not/there"])
def test_a_place_that_cannot_be_read_is_a_sentence(place: str) -> None:
    found = claim(machine({"JOBFEATURES": place}))
    assert found.cores is None
    assert [line for line in found.problems if "JOBFEATURES" in line]


@pytest.mark.parametrize("key", ["allocated_cpu", "max_rss_bytes", "wall_limit_secs", "jobstart_secs"])
@pytest.mark.parametrize("value", ["eight", "-8", "8.5", "9" * 40, "<html>login</html>"])
def test_nonsense_costs_only_itself(key: str, value: str) -> None:
    found = claim(in_directory({**JOB, key: value}))
    assert found.scratch_bytes == 160 * 2**30
    assert [line for line in found.problems if key in line]


def test_a_huge_value_is_not_read() -> None:
    found = claim(in_directory({**JOB, "allocated_cpu": "8" * 10_000}))
    assert found.cores is None
    assert [line for line in found.problems if "larger than" in line]


def test_without_features_there_is_no_claim() -> None:
    assert mjf.read(machine({})) is None
