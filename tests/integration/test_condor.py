"""In real HTCondor slots: what the machine ad grants is read, and what only looks like a limit is not."""

from __future__ import annotations

import pytest

from tests.lab import condor as lab
from tests.lab import containers
from tests.lab.condor import CondorPool

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("condor")]

# pytest finds fixtures by the names of the module.
portable_agent = containers.portable_agent
condor = lab.condor


# -- the lab itself: a test that trusts it must be able to fail ----------------------------------------


def test_a_job_gets_its_arguments_and_gives_its_output_as_an_ordinary_user(condor: CondorPool) -> None:
    words = ["two words", "it's", 'a "quoted" word', "$HOME"]
    script = 'id -un; printf "<%s>\\n" "$@"; echo wrong >&2; exit 3'
    job = condor.run(["/bin/sh", "-c", script, "sh", *words])
    assert job.exit_code == 3
    assert job.output.splitlines() == ["pilot", *(f"<{word}>" for word in words)]
    assert job.error == "wrong\n"


def test_a_job_that_cannot_start_is_reported_and_not_waited_for(condor: CondorPool) -> None:
    with pytest.raises(RuntimeError, match="held or removed"):
        condor.run(["/no/such/program"])
