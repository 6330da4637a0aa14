"""The shipped ARC job description, as ARC's own parser reads it; a computing element is not started."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.shipped import two_lines

pytestmark = pytest.mark.lab

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "arc" / "pilot.xrsl"
SYSTEM_PYTHON = "/usr/bin/python3"
CALL_S = 60

PARSE = """
import json, sys
from arc.compute import JobDescription, JobDescriptionList
jobs = JobDescriptionList()
if not JobDescription.Parse(sys.stdin.read(), jobs):
    sys.exit("ARC refuses it")
(job,) = jobs
print(json.dumps({
    "argv": [job.Application.Executable.Path, *job.Application.Executable.Argument],
    "slots": job.Resources.SlotRequirement.NumberOfSlots,
    "slots a node": job.Resources.SlotRequirement.SlotsPerHost,
    "memory of a slot, MB": job.Resources.IndividualPhysicalMemory.max,
    "wall time, s": job.Resources.TotalWallTime.range.max,
    "comes home": [file.Name for file in job.DataStaging.OutputFiles],
}))
"""


def parsed(text: str) -> dict[str, Any]:
    found = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import arc.compute"], capture_output=True, timeout=CALL_S, check=False
    )
    if found.returncode != 0:
        skip_or_fail(
            LabUnavailableError(
                "no ARC for Debian's Python; run tests/lab/install-components.sh as root (python3-nordugrid-arc)"
            )
        )
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", PARSE], input=text, capture_output=True, text=True, timeout=CALL_S, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_arc_reads_from_the_file_what_is_meant() -> None:
    assert parsed(SHIPPED.read_text()) == {
        "argv": [
            "/opt/sitecap/bin/agent",
            *("pilot", "--budget", "5m", "--output", "profile.json", "--classad", "profile.ad"),
        ],
        "slots": 8,
        "slots a node": 8,
        "memory of a slot, MB": 2000,
        "wall time, s": 900,
        "comes home": ["profile.json", "profile.ad"],
    }


def test_the_two_lines_at_its_head_are_enough() -> None:
    job = parsed(two_lines(SHIPPED))
    assert job["argv"][1:] == ["pilot", "--budget", "5m", "--output", "profile.json"]
    assert job["comes home"] == ["profile.json"]
