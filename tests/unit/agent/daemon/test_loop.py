"""The loop with real children and compressed time: looks, doubts, reloads, reports, hangs, the end."""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.config import ConfigError
from agent.daemon.figures import families
from agent.render.prometheus import text_of
from probes.host import Host
from probes.judging import Judging
from probes.lock import NodeLock
from probes.settings import Settings
from probes.spec import Probe
from profiles.checks import CheckResult
from tests.lab.fuse_hang import hanging, missing
from tests.unit.agent.daemon.turning import Turning, a_config
from tests.unit.probes.small_probes import WordFacts, a_check, a_probe

needs_fuse = pytest.mark.skipif(missing() is not None, reason=f"no hanging file system: {missing()}")
LOG = "agent.daemon"

REAPS = """
import os
from agent.daemon.looker import reap

def ended(code):
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid

own = ended(7)
assert reap(frozenset({own})) == 0
assert os.waitstatus_to_exitcode(os.waitpid(own, 0)[1]) == 7
ended(8)
ended(9)
assert reap(frozenset()) == 2
"""


def says(path: Path, name: str = "small", check_id: str = "TST-01") -> Probe:
    """OK unless its file says otherwise."""

    def gather(host: Host, settings: Settings) -> WordFacts:
        with (path.parent / f"looks-{name}").open("a") as looks:
            looks.write("x")
        return WordFacts(word=host.read_text(str(path), limit_bytes=100).strip())

    def judge(facts: WordFacts, judging: Judging) -> Sequence[CheckResult]:
        good = facts.word == "good"
        return [(judging.ok if good else judging.critical)(check_id, f"the word is {facts.word}")]

    return replace(a_probe(gather, name=name, judge=judge, check=a_check(check_id)))


def looks(path: Path, name: str = "small") -> int:
    return len((path.parent / f"looks-{name}").read_text())


@pytest.fixture
def word(tmp_path: Path) -> Path:
    path = tmp_path / "word"
    path.write_text("good")
    return path


@pytest.mark.slow
def test_probes_run_at_their_periods_for_two_days(tmp_path: Path, word: Path) -> None:
    probes = [says(word), says(word, "other", "TST-02")]
    turning = Turning(tmp_path, probes, a_config(period_s=3 * 3600, periods_s={"other": 8 * 3600}))
    turning.for_hours(48)
    assert 16 <= looks(word) <= 17
    assert 6 <= looks(word, "other") <= 7


def test_a_verdict_that_turned_is_looked_at_again_soon_and_only_then_shown(
    tmp_path: Path, word: Path, caplog: pytest.LogCaptureFixture
) -> None:
    turning = Turning(tmp_path, [says(word)], a_config(period_s=3600, confirm_s=60))
    turning.until(turning.shown, hours=1)
    word.write_text("bad")
    turning.until(lambda: turning.loop.picture.steady.doubts, hours=2)
    assert turning.shown() == {"TST-01": "OK"}
    assert turning.loop.profile is not None
    assert [check.status for check in turning.loop.profile.checks] == ["OK"]
    seen_s = turning.clock.monotonic()
    with caplog.at_level(logging.INFO, logger=LOG):
        turning.until(lambda: turning.shown() == {"TST-01": "CRITICAL"}, hours=1)
    assert turning.clock.monotonic() - seen_s < 600
    assert "TST-01 is now CRITICAL: the word is bad" in caplog.text


def test_one_bad_look_is_never_shown(tmp_path: Path, word: Path) -> None:
    turning = Turning(tmp_path, [says(word)], a_config(period_s=3600))
    turning.until(turning.shown, hours=1)
    word.write_text("bad")
    turning.until(lambda: turning.loop.picture.steady.doubts, hours=2)
    word.write_text("good")
    turning.until(lambda: not turning.loop.picture.steady.doubts, hours=2)
    turning.for_hours(5)
    assert turning.shown() == {"TST-01": "OK"}


def test_a_bad_new_configuration_is_one_sentence_and_the_old_one_goes_on(
    tmp_path: Path, word: Path, caplog: pytest.LogCaptureFixture
) -> None:
    turning = Turning(tmp_path, [says(word)], a_config(period_s=3600))
    turning.until(turning.shown, hours=1)

    def broken() -> None:
        raise ConfigError("agent.toml: daemon.period_s: too small")

    good, turning.source.reading, turning.source.changed = turning.source.reading, broken, True  # type: ignore[assignment]
    before = looks(word)
    turning.for_hours(3)
    assert looks(word) > before
    assert caplog.text.count("the old one goes on: agent.toml: daemon.period_s: too small") == 1
    assert not turning.loop.figures.reload_ok

    turning.source.reading = good
    turning.loop.reload()
    turning.turn()
    assert turning.loop.figures.reload_ok


def test_a_new_configuration_is_looked_by_at_once(tmp_path: Path, word: Path) -> None:
    turning = Turning(tmp_path, [says(word), says(word, "other", "TST-02")], a_config(period_s=86_400))
    turning.until(turning.shown, hours=1)
    word.write_text("bad")
    turning.setting = replace_probes(turning, says(word))
    turning.source.changed = True
    turning.until(lambda: turning.shown() == {"TST-01": "CRITICAL"}, hours=0.1)
    assert set(turning.loop.picture.seen) == {"small"}


def replace_probes(turning: Turning, *probes: Probe) -> object:
    return turning.setting._replace(probes=probes)


def test_another_agent_on_the_node_only_puts_the_look_off(
    tmp_path: Path, word: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = a_config(period_s=3600).model_copy(update={"lock_wait_s": 0.0})
    turning = Turning(tmp_path, [says(word)], config)
    with NodeLock(tmp_path, 0.0):
        turning.turn()
    assert "no look: another agent" in caplog.text
    assert turning.shown() == {}
    turning.until(turning.shown, hours=0.1)


@pytest.mark.slow
@needs_fuse
def test_a_probe_that_hangs_for_days_keeps_one_child_and_is_named(
    tmp_path: Path, word: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mount = tmp_path / "cvmfs"
    mount.mkdir()

    def gather(host: Host, settings: Settings) -> WordFacts:
        return WordFacts(word="there" if host.exists(f"{mount}/cms.cern.ch") else "not there")

    def judge(facts: WordFacts, judging: Judging) -> Sequence[CheckResult]:
        return [judging.ok("TST-02", f"it is {facts.word}")]

    check = a_check("TST-02", critical_on_hang=True)
    hangs = a_probe(gather, name="hangs", judge=judge, deadline_s=0.5, check=check)
    turning = Turning(tmp_path, [says(word), hangs], a_config(period_s=3600))
    with hanging(mount, takes_requests=True):
        turning.until(lambda: turning.shown().get("TST-02"), hours=1)
        note = json.loads((tmp_path / "stuck-hangs.json").read_text())
        gc.collect()
        before = children(), descriptors()
        turning.for_hours(24)
        assert json.loads((tmp_path / "stuck-hangs.json").read_text()) == note
        # Fewer is no fault: what else this process had may be closed meanwhile.
        assert children() <= before[0]
        assert descriptors() <= before[1]
    assert turning.shown() == {"TST-01": "OK", "TST-02": "CRITICAL"}
    assert looks(word) > 22, "the others go on"
    assert caplog.text.count(f"process {note['pid']} cannot be killed and is left behind") == 1
    turning.until(lambda: turning.shown()["TST-02"] == "OK", hours=4)
    assert turning.loop.figures.stuck == frozenset()
    assert not os.path.exists(f"/proc/{note['pid']}"), "its zombie is taken note of"


def children() -> int:
    return len(Path("/proc/self/task", str(os.getpid()), "children").read_text().split())


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_orphans_are_reaped_and_own_children_are_not() -> None:
    # In a process without other children, such as those of labs.
    assert subprocess.run([sys.executable, "-c", REAPS], check=False).returncode == 0


def test_the_page_of_the_daemon_is_read_back(tmp_path: Path, word: Path) -> None:
    turning = Turning(tmp_path, [says(word)], a_config(period_s=3600))
    turning.for_hours(2.5)
    loop = turning.loop
    text = text_of(families(loop.figures, loop.picture, loop.tidings.outlets, loop._schedule.due_s, 0.0))
    samples = {
        (sample.name, sample.labels.get("probe", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["cms_agent_daemon_looks_total", "small"] == looks(word)
    assert samples["cms_agent_daemon_turns_total", ""] == loop.figures.turns
    last = samples["cms_agent_probe_last_run_timestamp_seconds", "small"]
    assert abs(datetime.fromtimestamp(last, UTC) - turning.clock.now()) < timedelta(hours=2)


def test_the_first_report_waits_for_every_probe(tmp_path: Path, word: Path) -> None:
    """Else the service would be told of a node that has no network."""
    outside = replace(says(word, "outside", "TST-02"), uses_network=True)
    config = a_config(
        spread_s=3600, delivery={"url": "http://localhost:1", "spool_directory": str(tmp_path / "spool")}
    )
    turning = Turning(tmp_path, [says(word), outside], config)
    turning.until(turning.shown, hours=0.1)
    assert not (tmp_path / "spool").exists()
    turning.until(lambda: list((tmp_path / "spool").glob("*.json")), hours=2)
    (kept,) = (tmp_path / "spool").glob("*.json")
    assert {check["id"] for check in json.loads(kept.read_text())["checks"]} == {"TST-01", "TST-02"}
    turning.loop.stop("SIGTERM")
    turning.loop._end()


def test_the_end_keeps_what_was_not_handed_in_yet(tmp_path: Path, word: Path) -> None:
    spool = tmp_path / "spool"
    config = a_config(period_s=600, delivery={"url": "http://localhost:1", "spool_directory": str(spool)})
    turning = Turning(tmp_path, [says(word)], config)
    turning.until(lambda: list(spool.glob("*.json")), hours=1)
    turning.clock.ahead_s += 700  # the errand to the service is still under way
    turning.turn()
    assert looks(word) == 2
    turning.loop.stop("SIGTERM")
    turning.loop._end()
    kept = sorted(spool.glob("*.json"))
    assert len(kept) == 2
    assert turning.loop.profile is not None
    assert json.loads(kept[-1].read_text())["id"] == turning.loop.profile.id
