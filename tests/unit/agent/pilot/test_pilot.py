"""The whole life of a pilot, with probes of the tests' own: whatever ends it, what was found is there."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.config import load
from agent.pilot.exit_code import pilot_exit_code
from agent.pilot.hand_over import Handed, handed_of
from agent.pilot.plan import TooShortError
from agent.pilot.run import Outcome, Pilot
from agent.pilot.stage import Ended
from agent.pilot.words import words
from probes.host import Host
from probes.settings import Settings
from probes.spec import Probe
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.lab.waiting import until
from tests.unit.probes.small_probes import WordFacts, a_check, a_probe

QUICK = a_probe(name="quick")


def pilot(
    probes: Sequence[Probe], directory: Path, environment: Mapping[str, str] | None = None, **settings: Any
) -> Pilot:
    flags = {
        "pilot.output": str(directory / "p.json"),
        "pilot.bench": "none",
        "pilot.margin_s": 0,
        **settings,
    }
    config = load(flags, {}, None).config
    return Pilot(probes, config, environment or {}, began=time.monotonic())


def probe_that(does: Callable[[], object], *, name: str = "slow") -> Probe:
    def gather(_host: Host, _settings: Settings) -> WordFacts:
        does()
        return WordFacts(word="late")

    return a_probe(gather, name=name, check=a_check("TST-02"))


def hangs_after(mark: Path) -> Probe:
    def hang() -> None:
        mark.touch()
        time.sleep(600)

    return probe_that(hang)


def left(directory: Path) -> CapabilityProfile:
    return read_profile((directory / "p.json").read_bytes())


def outcomes(profile: CapabilityProfile) -> dict[str, str]:
    return {run.name: run.outcome for run in profile.limits.probes}


def test_a_profile_is_left_and_the_code_says_nothing_of_its_verdicts(tmp_path: Path) -> None:
    outcome = pilot([QUICK], tmp_path).run()
    profile = left(tmp_path)
    assert outcomes(profile) == {"quick": "finished"}
    assert not profile.limits.partial
    assert profile.limits.budget_s <= 300
    assert pilot_exit_code(outcome, None) == 0
    assert (
        words(outcome)[-1]
        == f"left in {tmp_path / 'p.json'}; hand it in from anywhere: agent submit {tmp_path / 'p.json'}"
    )


def test_the_name_tells_job_and_node_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PBS_JOBID", "7.server")
    outcome = pilot([QUICK], tmp_path, **{"pilot.output": None}).run()
    assert outcome.file is not None
    assert outcome.file.name.startswith("sitecap-profile-pbs-7.server-")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 0), (signal.SIGUSR2, 0)],
)
def test_after_a_signal_what_was_found_is_left_and_says_why_there_is_no_more(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    child = os.fork()
    if child == 0:
        status = 99
        try:
            running = pilot([QUICK, hangs_after(tmp_path / "mark")], tmp_path)
            signal.signal(number, lambda *_: running.interrupt(number.name))
            status = pilot_exit_code(running.run(), None)
        finally:
            os._exit(status)
    until("begin of the slow probe", (tmp_path / "mark").exists, limit_s=60)
    os.kill(child, number)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code
    profile = left(tmp_path)
    assert outcomes(profile) == {"quick": "finished", "slow": "interrupted"}
    assert profile.limits.reason == f"interrupted by {number.name}"


def test_a_life_that_becomes_shorter_ends_the_pilot_with_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = tmp_path / "features"
    features.mkdir()
    monkeypatch.setenv("MACHINEFEATURES", str(features))
    (features / "shutdowntime").write_text(str(int(time.time()) + 5000))

    def shorten() -> None:
        (features / "shutdowntime").write_text(str(int(time.time()) + 6))
        time.sleep(600)

    outcome = pilot([QUICK, probe_that(shorten)], tmp_path, **{"pilot.watch_s": 0.2}).run()
    profile = left(tmp_path)
    assert outcomes(profile) == {"quick": "finished", "slow": "interrupted"}
    assert "interrupted by the end of the slot, which now comes in" in str(profile.limits.reason)
    assert "(mjf)" in str(profile.limits.reason)
    assert pilot_exit_code(outcome, None) == 0


def test_a_budget_that_ends_leaves_what_was_found(tmp_path: Path) -> None:
    outcome = pilot([QUICK, hangs_after(tmp_path / "mark")], tmp_path, **{"pilot.budget_s": 6}).run()
    profile = left(tmp_path)
    assert outcomes(profile) == {"quick": "finished", "slow": "timeout"}
    assert profile.limits.partial
    assert pilot_exit_code(outcome, None) == 0
    assert pilot_exit_code(outcome, "glidein") == 1


def test_when_measuring_is_killed_a_brief_look_makes_a_profile_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel does when memory runs out: the part dies, the pilot lives."""
    monkeypatch.setattr("agent.pilot.run.BASIS", ("quick",))

    def kill_the_part() -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)

    outcome = pilot([probe_that(kill_the_part), QUICK], tmp_path).run()
    profile = left(tmp_path)
    assert outcomes(profile) == {"quick": "finished"}
    assert (
        profile.limits.reason == "measuring was killed by SIGKILL; the kernel kills so when memory runs out"
    )
    assert pilot_exit_code(outcome, None) == 0


def test_when_that_is_killed_too_a_profile_still_says_what_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.pilot.run.BASIS", ("slow",))
    outcome = pilot([probe_that(lambda: os.kill(os.getppid(), signal.SIGKILL))], tmp_path).run()
    profile = left(tmp_path)
    assert (profile.limits.probes, profile.checks) == ((), ())
    assert str(profile.limits.reason).count("was killed by SIGKILL") == 2
    assert pilot_exit_code(outcome, None) == 0


def test_a_slot_that_is_over_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooShortError, match="configuration"):
        pilot([QUICK], tmp_path, **{"pilot.lifetime_s": 0.5}).run()


def test_another_agent_that_holds_the_node_is_the_reason_for_no_profile(tmp_path: Path) -> None:
    from probes.lock import NodeLock, state_directory

    state = state_directory()
    assert state is not None
    with NodeLock(state, 0):
        outcome = pilot([QUICK], tmp_path, lock_wait_s=0).run()
    assert outcome.profile is None
    assert pilot_exit_code(outcome, None) == 3
    assert "is probing this node: wait for it to end" in words(outcome)[0]
    assert words(outcome)[-1] == "no profile could be made"


def test_an_output_that_cannot_be_written_is_not_called_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = pilot([QUICK], tmp_path, **{"pilot.output": str(tmp_path / "file" / "p.json")}).run()
    assert outcome.file is None
    assert any("cannot write" in sentence for sentence in words(outcome))
    assert pilot_exit_code(outcome, None) == 3


STEP = {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "3", "SLURM_STEP_NUM_NODES": "1"}


def test_of_three_ranks_on_a_node_one_works_and_rank_0_sums_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.pilot.run.node_directory", lambda: tmp_path)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    found: list[Outcome] = []
    for rank in (2, 1, 0):
        environment = {**STEP, "SLURM_PROCID": str(rank)}
        summary = {"pilot.summary": str(tmp_path / "shared")}
        found.append(pilot([QUICK], tmp_path, environment, **summary).run())
    worked, waited, rank_0 = found
    assert worked.profile is not None
    assert worked.waited_for is None
    assert worked.profile.id in str(waited.waited_for)
    assert [pilot_exit_code(one, None) for one in found] == [0, 0, 0]
    assert waited.summary is None
    assert rank_0.summary is not None
    assert (rank_0.summary["nodes"], rank_0.summary["reported"]) == (1, 1)
    assert rank_0.summary["parts"][0]["profile"] == worked.profile.id


def test_a_restarted_job_is_another_launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.pilot.run.node_directory", lambda: tmp_path)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    for restart in ("0", "1"):
        environment = {**STEP, "SLURM_PROCID": "0", "SLURM_RESTART_COUNT": restart}
        assert pilot([QUICK], tmp_path, environment).run().waited_for is None


# -- delivery: the service itself is in tests/integration ---------------------------------------------------


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens, and nobody else comes to listen while the test runs."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_what_cannot_be_delivered_waits_in_the_spool_and_comes_home_with_the_job(
    tmp_path: Path, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    delivery = {"delivery.url": nobody, "delivery.spool_directory": str(tmp_path / "spool")}
    outcome = pilot([QUICK], tmp_path, **{"pilot.output": None, "pilot.budget_s": 7, **delivery}).run()
    assert outcome.handed is not None
    assert not outcome.handed.delivered
    assert outcome.profile is not None
    waits = Path(str(outcome.handed.waits_in))
    assert read_profile(waits.read_bytes()) == outcome.profile
    assert outcome.file is not None
    assert read_profile(outcome.file.read_bytes()) == outcome.profile
    assert pilot_exit_code(outcome, None) == 4
    assert "it waits in" in "\n".join(words(outcome))


def test_without_a_spool_the_profile_still_comes_home(tmp_path: Path, nobody: str) -> None:
    (tmp_path / "file").write_text("")
    delivery = {"delivery.url": nobody, "delivery.spool_directory": str(tmp_path / "file" / "spool")}
    outcome = pilot([QUICK], tmp_path, **{"pilot.budget_s": 7, **delivery}).run()
    assert left(tmp_path) == outcome.profile
    assert outcome.handed is not None
    assert "it could not be kept in the spool" in outcome.handed.sentence
    assert pilot_exit_code(outcome, None) == 4


def test_delivery_that_is_cut_off_says_where_the_profile_waits() -> None:
    said = json.dumps(Handed("it was not sent in time", "/spool/x.json")).encode()
    handed = handed_of(Ended((said,), "delivery was not done in time and was killed"))
    assert (handed.delivered, handed.waits_in) == (False, "/spool/x.json")
    assert handed_of(Ended((), "delivery: no process could be started")).waits_in is None
