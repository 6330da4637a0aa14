"""What the words of clients and servers mean; those of a stranger are facts or absent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.answers import Json
from probes.host import Host
from probes.live import LiveDoor
from probes.xrootd import faults
from probes.xrootd.doors import parsed
from probes.xrootd.route import route_of
from probes.xrootd.visit import Visit
from profiles.checks import Status
from profiles.facts.xrootd import XrootdFacts
from tests.unit.probes.xrootd.asking import LFN, Forbidden, asking, json_values, probed, steps, verdicts


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ([3, 108, 0, "[FATAL] Connection error"], "connect"),
        ([3, 103, 0, "[FATAL] Socket timeout"], "timeout"),
        ([3, 101, 0, "[FATAL] Invalid address"], "dns"),
        ([3, 110, 11, "[FATAL] TLS error: resource temporarily unavailable"], "tls-no-ca"),
        ([3, 110, 0, "[FATAL] TLS error: hostname not in SAN extension"], "tls-host-name"),
        ([3, 204, 0, "[FATAL] Auth failed: No protocols left to try"], "no-credential-accepted"),
        ([1, 400, 3010, "[ERROR] Server responded with an error: [3010] permission denied"], "denied"),
        ([1, 400, 3011, "[ERROR] Server responded with an error: [3011] No servers have the file"], "not-found"),
        ([1, 400, 3013, "[ERROR] checksum not supported"], "unsupported"),
        ([3, 306, 0, "[FATAL] Redirect limit has been reached"], "redirect-loop"),
        ([1, 206, 0, "[ERROR] Operation expired"], "timeout"),
        # xrdfs has no codes, only the sentence
        ([1, 0, 0, "[FATAL] Auth failed: No protocols left to try"], "no-credential-accepted"),
        ([1, 0, 0, "[ERROR] Server responded with an error: [3011] no such file or directory"], "not-found"),
        ([1, 0, 0, "something new"], "io"),
    ],
)  # fmt: skip
def test_the_class_of_what_a_client_says(error: Json, kind: str) -> None:
    found = faults.of_client(error)
    assert found is not None
    assert found.kind == kind
    assert not found.detail.startswith("[")


def test_each_class_has_its_sentence() -> None:
    named = {
        *faults.KXR.values(),
        *faults.XRDCL.values(),
        *faults.CONNECT.values(),
        *faults.GREETING.values(),
    }
    assert named <= set(faults.SAID)


class Stranger:
    """A door whose observations are what a stranger's recording holds."""

    def __init__(self, answers: dict[str, Json]) -> None:
        self._answers = answers

    def ask(self, kind: str, args: list[Json]) -> Any:
        return LiveDoor().ask(kind, args)

    def observe(self, name: str, args: list[Json], live: Any) -> Any:
        return self._answers.get(name)

    def restore(self, text: str) -> str:
        return text


greetings = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(["connect", "hello", "tls", "login", "done"]) | json_values,
        "version": st.just("5.1.1"),
    },
    optional=dict.fromkeys(
        ("error", "errno_name", "roles", "auth", "tls_offered", "tls_demands", "config", "hello_s"),
        json_values,
    ),
)


@pytest.mark.slow
@given(
    greeting=greetings | json_values,
    walk=json_values,
    certificate=st.dictionaries(
        st.sampled_from(["verified", "code", "names", "not_after", "detail"]), json_values
    ),
    session=steps | json_values,
)
def test_answers_of_a_stranger_are_facts_or_absent(
    greeting: Json, walk: Json, certificate: Json, session: Json
) -> None:
    answers: dict[str, Json] = {
        "xrootd_clients": {"bindings": "6.2.1"},
        "xrootd_greet": greeting,
        "xrootd_walk": walk,
        "xrootd_certificate": certificate,
        "xrootd_session": session,
    }
    facts = probed(asking("root://127.0.0.1:1"), Host(Stranger(answers)))
    assert XrootdFacts.model_validate_json(facts.model_dump_json()) == facts
    verdicts(facts)


def test_a_recording_without_this_probe_leaves_facts_that_say_so(tmp_path: Path) -> None:
    class Nothing(Forbidden):
        def ask(self, kind: str, args: list[Json]) -> Any:
            from probes.errors import HostError

            if kind == "env":
                return None
            raise HostError("ENOTRECORDED", f"{kind} is not in the recording")

        def observe(self, name: str, args: list[Json], live: Any) -> Any:
            return self.ask(name, args)

    facts = probed(asking("root://door.example"), Host(Nothing()))
    assert facts.clients is None
    assert verdicts(facts)["XRD-01"].status is Status.CRITICAL


GREETED: dict[str, Json] = {"stage": "done", "version": "5.1.1", "auth": [], "tls_offered": False}
WELL: dict[str, Json] = {"error": None, "took_s": 0.1}


@pytest.mark.parametrize(
    ("finished", "last", "broken"),
    [
        ((), "killed", ("auth", "timeout")),
        (("auth", "locate", "stat"), "killed", ("open", "timeout")),
        (("auth", "locate", "stat", "open", "first", "again", "read", "vector"), "killed", ("read", "timeout")),
        (("auth", "locate", "stat", "open", "first", "again", "read", "vector", "sequential"), "killed",
         ("checksum", "timeout")),
        (("auth", "locate"), "died", ("stat", "died")),
    ],
)  # fmt: skip
def test_a_killed_client_was_busy_with_the_step_that_is_missing(
    finished: tuple[str, ...], last: str, broken: tuple[str, str]
) -> None:
    door = parsed(f"root://door.example//{LFN}", "local", None, "test")
    assert door is not None
    at = Visit(door, addresses={"IPv4": 1}, greetings={"IPv4": GREETED}, client="bindings")
    at.session = dict.fromkeys(finished, WELL) | {last: {"error": [1, 206, 0, "no end within 20 s"]}}
    step = route_of(at).broken
    assert step is not None
    assert (step.name, step.fault) == broken
