"""Slurm: the environment of real jobs (22.05.8, from the lab) and of newer versions, and damaged ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.claims import slurm
from probes.errors import HostError
from profiles.facts.batch import JobIdKind, SlotClaim
from tests.unit.probes.claims.talking import machine

ENV = {
    "SLURMD_NODENAME": "n2",
    "SLURM_CPUS_ON_NODE": "1",
    "SLURM_CPUS_PER_TASK": "1",
    "SLURM_GPUS_ON_NODE": "1",
    "SLURM_JOB_CPUS_PER_NODE": "1",
    "SLURM_JOB_GPUS": "0",
    "SLURM_JOB_ID": "2",
    "SLURM_JOB_PARTITION": "main",
    "SLURM_MEM_PER_NODE": "300",
    "SLURM_NODEID": "0",
    "SLURM_TASKS_PER_NODE": "1",
}
RECORD = (
    "JobId=2 JobName=j.sh UserId=nobody(65534) JobState=RUNNING TimeLimit=1-00:10:00 TimeMin=N/A"
    " StartTime=2026-11-22T15:58:00 EndTime=2026-11-23T16:08:00 Deadline=N/A NodeList=n2\n"
)
SHOW = "scontrol -o show job 2"


def claim(env: dict[str, str], said: tuple[int, str, str] | HostError | None = None) -> SlotClaim:
    found = slurm.read(machine(env, commands={} if said is None else {SHOW: said}))
    assert found is not None
    return found


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in ENV.items() if name not in names}


def test_a_real_job_on_a_gpu_node() -> None:
    found = claim(ENV, (0, RECORD, ""))
    assert (found.job_id, found.job_id_kind, found.queue) == ("2", JobIdKind.JOB, "main")
    assert (found.cores, found.memory_bytes, found.gpus) == (1, 300 * 2**20, ("0",))
    assert found.node_name == "n2"
    assert found.ends_at == datetime(2026, 11, 23, 16, 8, tzinfo=UTC)
    assert found.wall_limit_s == 86_400 + 600
    assert found.problems == ()


def test_the_first_task_of_an_array_finds_its_own_record() -> None:
    """Its job number is the array's, so scontrol lists every task, and not always this one first."""
    other = RECORD.replace("JobId=2", "JobId=3").replace("2026-11-23T16:08:00", "2027-01-01T00:00:00")
    env = {**ENV, "SLURM_ARRAY_JOB_ID": "2", "SLURM_ARRAY_TASK_ID": "1"}
    found = claim(env, (0, other + RECORD, ""))
    assert (found.job_id, found.job_id_kind) == ("2_1", JobIdKind.ARRAY_TASK)
    assert found.ends_at == datetime(2026, 11, 23, 16, 8, tzinfo=UTC)


def test_newer_versions_tell_the_end_without_a_command() -> None:
    env = {**ENV, "SLURM_JOB_START_TIME": "1795363080", "SLURM_JOB_END_TIME": "1795366680"}
    found = claim(env, HostError("ETIMEDOUT", "must not be asked"))
    assert found.ends_at == datetime.fromtimestamp(1795366680, tz=UTC)
    assert found.wall_limit_s == 3600
    assert found.problems == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (HostError("ETIMEDOUT", "scontrol: killed after 2 s"), "killed after 2 s"),
        ((1, "", "slurm_load_jobs error: Unable to contact slurm controller"), "Unable to contact"),
        ((0, "JobId=22 EndTime=2026-11-23T16:08:00\n", ""), "is not known"),
        ((0, "JobId=2 EndTime=2026-13-45T99:99:99\n", ""), "not a date"),
        ((0, "JobId=2 TimeLimit=1:2:3:4:5\n", ""), "not a duration"),
    ],
)
def test_a_command_that_fails_costs_only_the_end(said: tuple[int, str, str] | HostError, words: str) -> None:
    found = claim(ENV, said)
    assert (found.ends_at, found.wall_limit_s, found.cores) == (None, None, 1)
    assert [line for line in found.problems if words in line]


def test_no_command_at_all_is_normal_in_a_container() -> None:
    found = claim(ENV)
    assert (found.ends_at, found.problems) == (None, ())


def test_no_limit_is_no_number() -> None:
    found = claim(
        ENV, (0, RECORD.replace("1-00:10:00", "UNLIMITED").replace("2026-11-23T16:08:00", "Unknown"), "")
    )
    assert (found.wall_limit_s, found.ends_at, found.problems) == (None, None, ())


def test_a_job_number_that_is_none_is_never_put_on_a_command_line() -> None:
    found = slurm.read(machine({**ENV, "SLURM_JOB_ID": "2; rm -rf /"}))
    assert found is not None
    assert [line for line in found.problems if "SLURM_JOB_ID" in line]
    assert found.cores == 1


@pytest.mark.parametrize(
    ("text", "node_index", "number"),
    [
        ("2(x3),1", 0, 2),
        ("2(x3),1", 2, 2),
        ("2(x3),1", 3, 1),
        ("2(x3),1", 4, None),
        ("16", 0, 16),
        ("72(x2),36", 1, 72),
        ("", 0, None),
        ("2(x3", 0, None),
        ("-1", 0, None),
        ("9(x999999999)", 123456, 9),
    ],
)
def test_per_node_lists(text: str, node_index: int, number: int | None) -> None:
    assert slurm.on_node(text, node_index) == number


@given(st.lists(st.tuples(st.integers(1, 512), st.integers(1, 50)), min_size=1, max_size=8))
def test_per_node_lists_mean_their_expansion(groups: list[tuple[int, int]]) -> None:
    text = ",".join(f"{number}(x{times})" if times > 1 else str(number) for number, times in groups)
    expanded = [number for number, times in groups for _ in range(times)]
    assert [slurm.on_node(text, index) for index in range(len(expanded))] == expanded


def test_cores_without_cpus_on_node() -> None:
    env = {**without("SLURM_CPUS_ON_NODE"), "SLURM_JOB_CPUS_PER_NODE": "2(x3),8", "SLURM_NODEID": "3"}
    assert claim(env).cores == 8
    env = {**without("SLURM_CPUS_ON_NODE", "SLURM_JOB_CPUS_PER_NODE"), "SLURM_CPUS_PER_TASK": "4"}
    assert claim({**env, "SLURM_TASKS_PER_NODE": "2(x2)"}).cores == 8


def test_memory_per_cpu_counts_the_cpus_of_this_node() -> None:
    env = {**without("SLURM_MEM_PER_NODE"), "SLURM_MEM_PER_CPU": "2000", "SLURM_CPUS_ON_NODE": "8"}
    assert claim(env).memory_bytes == 16_000 * 2**20


def test_all_memory_of_the_node_is_no_number() -> None:
    assert claim({**ENV, "SLURM_MEM_PER_NODE": "0"}).memory_bytes is None


@pytest.mark.parametrize(
    ("changes", "gpus"),
    [
        ({"SLURM_JOB_GPUS": "0,2"}, ("0", "2")),
        ({"SLURM_JOB_GPUS": "0-3"}, ("0", "1", "2", "3")),
        ({"SLURM_JOB_GPUS": "0,1", "SLURM_STEP_GPUS": "1"}, ("1",)),
        ({"SLURM_JOB_GPUS": "9999-0"}, ("9999-0",)),
    ],
)
def test_gpus(changes: dict[str, str], gpus: tuple[str, ...]) -> None:
    assert claim({**ENV, **changes}).gpus == gpus


def test_no_gpus_and_no_word_of_gpus_are_different() -> None:
    env = without("SLURM_JOB_GPUS", "SLURM_GPUS_ON_NODE")
    assert claim(env).gpus is None
    assert claim({**env, "CUDA_VISIBLE_DEVICES": "NoDevFiles"}).gpus == ()


@pytest.mark.parametrize("cores", ["none", "-1", "0", "1e3", "8 cores", "9" * 30])
def test_nonsense_gives_no_cores_and_a_sentence(cores: str) -> None:
    found = claim({**ENV, "SLURM_CPUS_ON_NODE": cores})
    assert found.cores is None
    assert [line for line in found.problems if "SLURM_CPUS_ON_NODE" in line]


def test_outside_a_job_there_is_no_claim() -> None:
    assert slurm.read(machine({"SLURM_CONF": "/etc/slurm/slurm.conf"})) is None
