"""Facts of network probes are used again while they are young and were asked for in the same way; jitter eats no budget."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent import pair
from agent.config import Config
from agent.engine import EngineError
from agent.run import Request, look
from probes.fact_cache import FactCache, digest_of
from probes.host import Host
from probes.live import LiveDoor
from probes.runner import Outcome, Runner
from probes.settings import Settings
from probes.spec import Probe
from profiles.profile import CapabilityProfile
from tests.unit.probes.small_probes import WordFacts, a_probe

DAY_S = 86_400.0


def asking(directory: Path, **more: Any) -> Probe:
    """A network probe that leaves a trace of each time it asks, and gives their number as its fact."""

    def gather(host: Host, settings: Settings) -> WordFacts:
        with (directory / "asked").open("a") as trace:
            trace.write("x")
        return WordFacts(word=str((directory / "asked").stat().st_size))

    return dataclasses.replace(a_probe(gather, **more), uses_network=True)


def asked(directory: Path) -> int:
    trace = directory / "asked"
    return trace.stat().st_size if trace.exists() else 0


def run(probe: Probe, state: Path, *, digest: str = "same", max_age_s: float = DAY_S) -> Outcome:
    live = LiveDoor()
    cache = FactCache(state, digest, max_age_s)
    runner = Runner(lambda _: live, Settings(), budget_s=120, state=state, cache=cache)
    return runner.run([probe])


def test_young_facts_are_used_again_and_the_run_says_so(tmp_path: Path) -> None:
    probe = asking(tmp_path)

    first, second = run(probe, tmp_path), run(probe, tmp_path)

    assert asked(tmp_path) == 1
    assert second.facts == first.facts
    assert first.runs[0].reason is None
    assert second.runs[0].outcome == "finished"
    assert "facts of " in (second.runs[0].reason or "")
    assert "s ago" in (second.runs[0].reason or "")
    assert [check.summary for check in second.checks] == ["the word is 1"]


def test_a_local_probe_always_looks(tmp_path: Path) -> None:
    probe = dataclasses.replace(asking(tmp_path), uses_network=False)

    run(probe, tmp_path), run(probe, tmp_path)

    assert asked(tmp_path) == 2


def test_other_settings_or_a_lapsed_age_ask_again(tmp_path: Path) -> None:
    probe = asking(tmp_path)

    run(probe, tmp_path)
    run(probe, tmp_path, digest="other")
    run(probe, tmp_path, digest="other", max_age_s=1e-9)

    assert asked(tmp_path) == 3


def _older(path: Path, by_s: float) -> None:
    note = json.loads(path.read_text())
    path.write_text(json.dumps({**note, "gathered_at": note["gathered_at"] - by_s}))


@pytest.mark.parametrize(
    ("by_s", "times"), [(DAY_S / 2, 1), (DAY_S * 2, 2), (-DAY_S, 2)], ids=["young", "old", "of-the-future"]
)
def test_age_is_that_of_the_wall_clock(tmp_path: Path, by_s: float, times: int) -> None:
    probe = asking(tmp_path)
    run(probe, tmp_path)
    _older(tmp_path / "facts-small.json", by_s)

    run(probe, tmp_path)

    assert asked(tmp_path) == times


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _nested(path: Path) -> None:
    path.write_text("[" * 100_000)


def _of_another_shape(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "facts": {"word": ["no"]}}))


def _of_no_time(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "gathered_at": "yesterday"}))


def _of_infinite_time(path: Path) -> None:
    path.write_text(path.read_text().replace('"gathered_at": ', '"gathered_at": 1e999, "x": '))


def _flooded(path: Path) -> None:
    with path.open("ab") as stream:
        stream.truncate(64 * 1024 * 1024)


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def _a_list(path: Path) -> None:
    path.write_text("[1, 2]")


@pytest.mark.parametrize(
    "damage",
    [
        _emptied, _nested, _of_another_shape, _of_no_time, _of_infinite_time, _flooded, _a_pipe, _a_link, _binary,
        _a_list,
    ],
)  # fmt: skip
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    probe = asking(tmp_path)
    run(probe, tmp_path)
    damage(tmp_path / "facts-small.json")

    outcome = run(probe, tmp_path)

    assert asked(tmp_path) == 2
    assert outcome.runs[0].outcome == "finished"
    assert outcome.runs[0].reason is None


def test_what_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "facts-small.json").mkdir()  # no file can take its place

    outcome = run(asking(tmp_path), state)

    assert outcome.runs[0].outcome == "finished"
    assert (state / "facts-small.json").is_dir()


def test_the_file_is_private(tmp_path: Path) -> None:
    run(asking(tmp_path), tmp_path)

    assert (tmp_path / "facts-small.json").stat().st_mode & 0o777 == 0o600


def test_the_digest_follows_settings_version_and_credentials_but_holds_no_secret() -> None:
    plain = digest_of(Settings(), "1", {})

    assert digest_of(Settings(), "1", {"HOME": "/x"}) == plain
    others = [
        digest_of(Settings(site_name="T2_XX_Other"), "1", {}),
        digest_of(Settings(), "2", {}),
        digest_of(Settings(), "1", {"X509_USER_PROXY": "/x"}),
        digest_of(Settings(), "1", {"BEARER_TOKEN": "secret"}),
    ]
    assert len({plain, *others}) == 5
    # Otherwise a file that anybody reads later would tell whether a guessed token was the right one.
    assert digest_of(Settings(), "1", {"BEARER_TOKEN": "other"}) == others[-1]


def _config(**traffic: float) -> Config:
    return Config.model_validate({"traffic": traffic, "budget_s": 120})


def test_the_agent_caches_only_if_so_configured_and_never_records_from_the_cache(tmp_path: Path) -> None:
    probe = asking(tmp_path)

    for times, config in (
        (1, _config()),
        (2, _config()),
        (3, _config(cache_s=DAY_S)),
        (3, _config(cache_s=DAY_S)),
    ):
        look(Request(probes=(probe,), config=config))
        assert asked(tmp_path) == times
    look(Request(probes=(probe,), config=_config(cache_s=DAY_S), record=tmp_path / "recording"))
    assert asked(tmp_path) == 4


def test_a_cached_run_is_a_whole_one(tmp_path: Path) -> None:
    request = Request(probes=(asking(tmp_path),), config=_config(cache_s=DAY_S))

    look(request)
    profile = look(request).profile

    assert profile.limits.partial is False
    assert "asked" in (profile.limits.probes[0].reason or "")


def test_jitter_holds_network_probes_back_and_eats_no_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The whole jitter is longer than the budget: if it were eaten, the network probe would never begin.
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    order: list[str] = []
    real, passed_s = time.monotonic, [0.0]
    monkeypatch.setattr("probes.runner.time.monotonic", lambda: real() + passed_s[0])

    def waiting(names: list[str]) -> None:
        order.append(f"waiting for {names}")
        passed_s[0] = 120  # the test itself does not wait so long

    live = LiveDoor()
    runner = Runner(
        lambda _: live,
        Settings(),
        budget_s=110,
        state=tmp_path,
        jitter_s=120,
        on_finish=lambda done: order.append(done.name),
        on_wait=waiting,
    )
    outcome = runner.run([asking(tmp_path, name="outside"), a_probe(name="local")])

    assert outcome.out_of_budget is False
    assert [one.outcome for one in outcome.runs] == ["finished", "finished"]
    assert order.index("local") < order.index("outside")
    assert "waiting for ['outside']" in order


def test_without_network_probes_nothing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: pytest.fail("nothing needs a turn"))
    live = LiveDoor()

    outcome = Runner(lambda _: live, Settings(), budget_s=60, state=tmp_path, jitter_s=3600).run([a_probe()])

    assert outcome.runs[0].outcome == "finished"


def test_a_container_is_looked_into_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stay is bounded by the budget, so the look inside must not wait for a turn, however the site is set."""
    told: list[Config] = []

    def inside(*_: object, settings: Config, timeout_s: float) -> CapabilityProfile:
        told.append(settings)
        raise EngineError("seen enough")

    monkeypatch.setattr(pair, "probe_in_container", inside)
    config = _config(cache_s=DAY_S, jitter_s=3600)
    with pytest.raises(EngineError):
        pair.look_inside(
            look(Request(probes=(), config=config)).profile, Request(probes=(), config=config), ("e", "i"), ()
        )

    assert (told[0].traffic.cache_s, told[0].traffic.jitter_s) == (0, 0)
    assert told[0].budget_s == config.budget_s
