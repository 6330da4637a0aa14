"""The XRootD probe with the doors of a test: its facts and its verdicts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from probes.answers import Json
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from probes.xrootd import PROBE
from profiles.checks import CheckResult
from profiles.facts.xrootd import XrootdFacts

LFN = "/store/test/file.root"


def asking(*urls: str, redirectors: tuple[str, ...] = (), **more: Any) -> Settings:
    return Settings.model_validate(
        {
            "siteconf": {"test_lfn": LFN, "path": "/nonexistent"},
            "xrootd": {
                "local_urls": urls,
                "redirectors": redirectors,
                "connect_timeout_s": 1,
                "request_timeout_s": 2,
                "budget_s": 10,
                **more,
            },
        }
    )


def probed(chosen_settings: Settings, host: Host | None = None) -> XrootdFacts:
    facts = PROBE.gather(host or Host(LiveDoor()), chosen_settings)
    assert isinstance(facts, XrootdFacts)
    return facts


def verdicts(facts: XrootdFacts, **others: Any) -> dict[str, CheckResult]:
    results = PROBE.judge(facts, Judging(PROBE, Settings(), others))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    assert len(PROBE.summarise(facts)) <= 60
    return {result.id: result for result in results}


class Forbidden:
    """A door behind which nothing may be asked."""

    def ask(self, kind: str, args: list[Json]) -> Any:
        raise AssertionError(f"{kind} {args} was asked")

    def observe(self, name: str, args: list[Json], live: Any) -> Any:
        raise AssertionError(f"{name} {args} was observed")

    def restore(self, text: str) -> str:
        return text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
step_values = st.dictionaries(
    st.sampled_from(["took_s", "error", "bytes", "wanted", "size_bytes", "servers", "said", "sums", "same", "read_s", "last_url"]),
    json_values,
).map(dict)  # fmt: skip
steps = st.lists(
    st.tuples(
        st.sampled_from(["auth", "locate", "stat", "open", "first", "again", "read", "vector", "sequential", "sparse",
                         "checksum", "killed", "died"]),
        step_values,
    ).map(lambda pair: {"step": pair[0], **pair[1]}),
    max_size=12,
)  # fmt: skip
