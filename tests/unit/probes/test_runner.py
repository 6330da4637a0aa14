"""A probe that misbehaves costs only itself, and says what it did."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import threading
from pathlib import Path

import pytest

from probes.descendants import descendants
from probes.errors import HostError
from probes.host import KIB, MIB, Host
from probes.judging import Judging
from probes.lock import LockError, NodeLock
from probes.runner import Runner
from probes.running import MAX_REPORT_BYTES
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.profile import ProbeRun
from tests.lab.fuse_hang import wait_until_gone
from tests.lab.waiting import until
from tests.unit.probes.small_probes import WordFacts, a_check, a_probe, a_runner, gather_word, run_one

# What commands sleep, in seconds: with our number, so that no other run on this machine is taken for this one.
COMMAND, IN_SHELL, STOPPED = (f"8639{digit}.{os.getpid()}" for digit in (9, 7, 8))


def _says(text: str) -> WordFacts:
    return WordFacts(word=text)


def _crash(host: Host, settings: Settings) -> WordFacts:
    raise KeyError("MemTotal")


def _wait(host: Host, settings: Settings) -> WordFacts:
    threading.Event().wait()
    return _says("never")


def _wait_in_a_command(host: Host, settings: Settings) -> WordFacts:
    host.run(["sleep", COMMAND], timeout_s=86399)
    return _says("never")


def _wait_in_a_shell(host: Host, settings: Settings) -> WordFacts:
    host.run(["sh", "-c", f"sleep {IN_SHELL} & wait"], timeout_s=86397)
    return _says("never")


def _flood(host: Host, settings: Settings) -> WordFacts:
    """Every question that can hang is announced on the pipe; these are too many."""
    path = "/" + "x" * 4000
    for _ in range(2 * MAX_REPORT_BYTES // 100):
        host.exists(path)
    return _says("it was taken")


def _eat_memory(host: Host, settings: Settings) -> WordFacts:
    eaten = [bytes(16 * MIB) for _ in range(1024)]
    return _says(f"{len(eaten)} blocks")


def _eat_memory_in_c(host: Host, settings: Settings) -> WordFacts:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    return _says("refused" if libc.malloc(ctypes.c_size_t(16 * 1024 * MIB)) is None else "given")


def _die(host: Host, settings: Settings) -> WordFacts:
    host.exists("/tmp/asked-last")
    os.kill(os.getpid(), signal.SIGXCPU)
    return _says("never")


def _leave(host: Host, settings: Settings) -> WordFacts:
    os._exit(0)


def _wrong_facts(host: Host, settings: Settings) -> WordFacts:
    return WordFacts.model_construct(word=None)


def _prints(host: Host, settings: Settings) -> WordFacts:
    os.write(1, b"noise")
    os.write(2, b"noise")
    return _says("quiet")


def _stopped_command(host: Host, settings: Settings) -> WordFacts:
    try:
        host.run(["sh", "-c", f"sleep {STOPPED} & kill -STOP $$"], timeout_s=0.2)
    except HostError as error:
        return _says(str(error))
    return _says("it ended")


def _flooding_command(host: Host, settings: Settings) -> WordFacts:
    try:
        host.run(["yes", "x" * 1000], timeout_s=60.0, limit_bytes=64 * KIB)
    except HostError as error:
        return _says(str(error))
    return _says("it ended")


def _raising_judge(facts: WordFacts, judging: Judging) -> list[CheckResult]:
    raise ZeroDivisionError("cores")


def _processes_with(argument: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if entry.name.isdigit() and words[:1] == [b"sleep"] and argument.encode() in words:
            found.append(int(entry.name))
    return found


def test_a_good_probe_gives_facts_and_a_verdict(tmp_path: Path) -> None:
    run, check, outcome = run_one(a_probe(), tmp_path)

    assert run.outcome == "finished"
    assert run.duration_s is not None
    assert outcome.facts == {"small": WordFacts(word="fine")}
    assert (check.status, check.summary) == (Status.OK, "the word is fine")


def test_a_crash_is_named_and_costs_only_itself(tmp_path: Path) -> None:
    probes = [a_probe(_crash, name="bad"), a_probe(gather_word, name="good", check=a_check("TST-02"))]

    outcome = a_runner(tmp_path).run([probes[0]])
    both = a_runner(tmp_path).run([probes[0], a_probe(name="good")])

    assert outcome.runs[0].outcome == "crashed"
    assert "KeyError" in str(outcome.runs[0].reason)
    assert "test_runner.py" in str(outcome.runs[0].reason)
    assert outcome.checks[0].status is Status.UNKNOWN
    assert "KeyError" in str(outcome.checks[0].reason)
    assert [run.outcome for run in both.runs] == ["crashed", "finished"]
    assert [check.status for check in both.checks] == [Status.UNKNOWN, Status.OK]


def test_a_probe_that_waits_is_killed_at_its_deadline(tmp_path: Path) -> None:
    run, check, _ = run_one(a_probe(_wait, deadline_s=0.2), tmp_path)

    assert (run.outcome, check.status) == ("timeout", Status.UNKNOWN)
    assert "0.2 s" in str(run.reason)


def test_a_hang_is_critical_where_the_question_is_whether_it_hangs(tmp_path: Path) -> None:
    probe = a_probe(_wait, deadline_s=0.2, check=a_check(critical_on_hang=True))

    assert run_one(probe, tmp_path)[1].status is Status.CRITICAL


def test_a_command_dies_with_its_probe(tmp_path: Path) -> None:
    run, _, _ = run_one(a_probe(_wait_in_a_command, deadline_s=1.0), tmp_path)

    assert run.outcome == "timeout"
    assert f"run(['sleep', '{COMMAND}']" in str(run.reason)
    until("end of the command", lambda: not _processes_with(COMMAND), limit_s=30)


def test_what_a_command_started_dies_with_the_probe(tmp_path: Path) -> None:
    run, _, _ = run_one(a_probe(_wait_in_a_shell, deadline_s=1.0), tmp_path)

    assert run.outcome == "timeout"
    until("end of what the command started", lambda: not _processes_with(IN_SHELL), limit_s=30)


def test_a_command_may_not_write_more_than_the_job_itself(tmp_path: Path) -> None:
    def lower_and_run(host: Host, settings: Settings) -> WordFacts:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 * KIB, 8 * KIB))
        return _says(host.run(["echo", "fine"], limit_bytes=64 * KIB).stdout)

    assert run_one(a_probe(lower_and_run), tmp_path)[1].summary == "the word is fine\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming a user without processes left needs root")
def test_a_node_without_processes_left_is_a_crash_of_the_probe_with_its_reason(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            os.setresuid(64_321, 64_321, 64_321)
            run = a_runner(Path("/nonexistent")).run([a_probe()]).runs[0]
            os.write(writing, f"{run.outcome}: {run.reason}".encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    said = os.read(reading, 4096).decode()
    os.close(reading)
    os.waitpid(child, 0)

    assert said == "crashed: no process could be started for it: Resource temporarily unavailable"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "gave 0 verdicts"),
        (["TST-01", "TST-01"], "gave 2 verdicts"),
        (["TST-02"], "gave 0 verdicts"),
    ],
)
def test_every_check_gets_one_verdict_whatever_the_judge_gives(
    tmp_path: Path, given: list[str], words: str
) -> None:
    def judge(facts: WordFacts, judging: Judging) -> list[CheckResult]:
        return [CheckResult(id=name, status=Status.OK, probe="small", summary="fine") for name in given]

    _, check, _ = run_one(a_probe(judge=judge), tmp_path)

    assert (check.id, check.status) == ("TST-01", Status.UNKNOWN)
    assert words in str(check.reason)


def test_a_stopped_command_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    run, check, _ = run_one(a_probe(_stopped_command), tmp_path)

    assert run.outcome == "finished"
    assert "sh: killed after 0.2 s (ETIMEDOUT)" in check.summary
    until("end of what the command started", lambda: not _processes_with(STOPPED), limit_s=30)


def test_a_command_that_floods_its_output_is_stopped(tmp_path: Path) -> None:
    assert (
        "printed more than 65536 bytes (ETOOLARGE)"
        in run_one(a_probe(_flooding_command), tmp_path)[1].summary
    )


def test_a_probe_that_floods_its_pipe_is_killed(tmp_path: Path) -> None:
    run, check, _ = run_one(a_probe(_flood), tmp_path)

    assert (run.outcome, check.status) == ("flooded", Status.UNKNOWN)
    assert str(MAX_REPORT_BYTES) in str(run.reason)


def test_memory_is_bounded_and_the_lack_of_it_is_named(tmp_path: Path) -> None:
    run, check, _ = run_one(a_probe(_eat_memory, memory_bytes=2048 * MIB), tmp_path)

    assert (run.outcome, check.status) == ("crashed", Status.UNKNOWN)
    assert "more memory than a probe may use" in str(run.reason)


def test_a_library_gets_no_more_memory_than_the_probe(tmp_path: Path) -> None:
    run, check, _ = run_one(a_probe(_eat_memory_in_c, memory_bytes=2048 * MIB), tmp_path)

    assert (run.outcome, check.summary) == ("finished", "the word is refused")


def test_death_by_a_signal_names_the_signal_and_the_last_question(tmp_path: Path) -> None:
    run, _, _ = run_one(a_probe(_die), tmp_path)

    assert run.outcome == "crashed"
    assert run.reason == "it was killed by SIGXCPU in stat(/tmp/asked-last, True)"


def test_an_end_without_a_word_is_a_crash(tmp_path: Path) -> None:
    run, _, _ = run_one(a_probe(_leave), tmp_path)

    assert (run.outcome, run.reason) == ("crashed", "it ended without a word")


def test_facts_without_a_reason_for_null_are_refused(tmp_path: Path) -> None:
    run, _, outcome = run_one(a_probe(_wrong_facts), tmp_path)

    assert run.outcome == "crashed"
    assert "word is null without a reason" in str(run.reason)
    assert outcome.facts == {}


def test_what_a_probe_prints_reaches_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_one(a_probe(_prints), tmp_path)[0].outcome == "finished"
    assert capfd.readouterr() == ("", "")


def test_a_judge_that_raises_gives_unknown(tmp_path: Path) -> None:
    run, check, outcome = run_one(a_probe(judge=_raising_judge), tmp_path)

    assert run.outcome == "finished"
    assert outcome.facts
    assert check.status is Status.UNKNOWN
    assert "ZeroDivisionError" in str(check.reason)


def test_a_check_that_the_site_left_out_is_skipped_with_its_reason(tmp_path: Path) -> None:
    settings = Settings(skip_checks={"TST-01": "old hardware"})
    runner = Runner(lambda _: _NoDoor(), settings, budget_s=60, state=tmp_path)

    check = runner.run([a_probe()]).checks[0]

    assert check.status is Status.SKIPPED
    assert "old hardware" in str(check.reason)


class _NoDoor:
    """Knows nothing; for probes that ask nothing."""

    def ask(self, kind: str, args: object) -> object:
        raise HostError("ENOTRECORDED", kind)

    def observe(self, name: str, args: object, live: object) -> object:
        raise HostError("ENOTRECORDED", name)


def test_a_door_that_does_not_open_is_a_crash_of_the_probe(tmp_path: Path) -> None:
    def no_door(name: str) -> _NoDoor:
        raise HostError("ENOSPC", "the recording has no room")

    run = Runner(no_door, Settings(), budget_s=60, state=tmp_path).run([a_probe()]).runs[0]

    assert run.outcome == "crashed"
    assert "the recording has no room" in str(run.reason)


def test_a_used_up_budget_leaves_a_partial_outcome(tmp_path: Path) -> None:
    names = [f"wait{number}" for number in range(6)]

    outcome = a_runner(tmp_path, budget_s=0.3).run([a_probe(_wait, name=name) for name in names])

    assert outcome.out_of_budget
    assert [run.name for run in outcome.runs] == names
    assert [run.outcome for run in outcome.runs] == ["timeout"] * 4 + ["interrupted"] * 2
    assert all("0.3 s" in str(run.reason) for run in outcome.runs)
    assert [check.status for check in outcome.checks] == [Status.UNKNOWN] * 6


def test_an_interrupted_run_keeps_what_it_has(tmp_path: Path) -> None:
    finished: list[str] = []

    def stop(run: ProbeRun) -> None:
        finished.append(run.name)
        runner.interrupt("SIGTERM")

    runner = a_runner(tmp_path, on_finish=stop)
    outcome = runner.run([a_probe(_wait, name="waits"), a_probe(name="good")])

    assert outcome.interrupted_by == "SIGTERM"
    assert [(run.name, run.outcome) for run in outcome.runs] == [
        ("waits", "interrupted"),
        ("good", "finished"),
    ]
    assert list(outcome.facts) == ["good"]
    assert finished[0] == "good"
    assert "SIGTERM" in str(outcome.runs[0].reason)


def test_no_child_is_left_after_a_run(tmp_path: Path) -> None:
    before = set(descendants(os.getpid()))

    a_runner(tmp_path).run(
        [a_probe(_wait, name="a", deadline_s=0.2), a_probe(_crash, name="b"), a_probe(name="c")]
    )

    assert set(descendants(os.getpid())) <= before


def test_a_killed_agent_leaves_no_probe_behind(tmp_path: Path) -> None:
    reading, writing = os.pipe()

    def tell(host: Host, settings: Settings) -> WordFacts:
        os.write(writing, f"{os.getpid()}\n".encode())
        return _wait_in_a_command(host, settings)

    agent = os.fork()
    if agent == 0:
        try:
            a_runner(tmp_path).run([a_probe(tell)])
        finally:
            os._exit(1)
    probe = int(os.read(reading, 32))
    until("command of the probe", lambda: _processes_with(COMMAND), limit_s=60)

    os.kill(agent, signal.SIGKILL)
    os.waitpid(agent, 0)

    wait_until_gone(probe)
    until("end of the command", lambda: not _processes_with(COMMAND), limit_s=60)
    os.close(reading)
    os.close(writing)


def test_the_node_lock_lets_one_run_in(tmp_path: Path) -> None:
    with (
        NodeLock(tmp_path, 0.0),
        pytest.raises(LockError, match=rf"process {os.getpid()}\) is probing this node: wait"),
        NodeLock(tmp_path, 0.0),
    ):
        pass
    with NodeLock(tmp_path, 0.0):
        pass


def test_a_run_that_waits_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    ready, said = os.pipe()
    hold, let_go = os.pipe()
    holder = os.fork()
    if holder == 0:
        os.close(let_go)
        try:
            with NodeLock(tmp_path, 0.0):
                os.write(said, b"x")
                os.read(hold, 1)
        finally:
            os._exit(0)
    os.close(hold)
    assert os.read(ready, 1) == b"x"
    with pytest.raises(LockError), NodeLock(tmp_path, 0.0):
        pass
    threading.Timer(0.2, os.close, [let_go]).start()
    with NodeLock(tmp_path, 60.0):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    os.waitpid(holder, 0)
    os.close(ready)
    os.close(said)


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "victim")

    with pytest.raises(LockError), NodeLock(tmp_path, 0.0):
        pass
    assert (tmp_path / "victim").read_text() == "precious"
