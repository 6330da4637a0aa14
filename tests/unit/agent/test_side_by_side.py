"""Two profiles side by side: what differs is marked, and why is said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from agent import pair
from agent.config import Config
from agent.engine import EngineError
from agent.run import Request
from agent.side_by_side import Comparison, Row, compare, render_json, render_markdown, render_text
from profiles.facts.container import ContainerFacts, SeccompMode
from profiles.facts.cores import CoresFacts
from profiles.facts.memory import MemoryFacts
from profiles.node_facts import NodeFacts
from profiles.profile import AgentInfo, CapabilityProfile, NodeInfo, RunLimits, Scope

GIB = 1024**3


def facts_of(model: Any, **values: Any) -> Any:
    """Facts in which all but `values` is null for one reason."""
    fields = {name: None for name, field in model.model_fields.items() if field.is_required()}
    fields = {name: values.get(name, fields.get(name)) for name in {*fields, *values}}
    if model is CoresFacts:
        fields["why"] = "because"
    missing = {name: "no such file" for name, value in fields.items() if value is None}
    return model.model_validate({**fields, "absent": missing})


def profile(**parts: Any) -> CapabilityProfile:
    return CapabilityProfile(
        id="01890a5d-ac96-774b-bcce-b302099a8057",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        agent=AgentInfo(version="0"),
        node=NodeInfo(id="0" * 32, id_basis=()),
        scope=Scope(kind="node", cores_granted=None, cores_present=None),
        facts=NodeFacts(**parts),
        checks=(),
        limits=RunLimits(budget_s=1, duration_s=1, partial=False),
    )


HOST = profile(
    cores=facts_of(CoresFacts, effective_cores=64.0),
    memory=facts_of(MemoryFacts, effective_bytes=256 * GIB),
    container=facts_of(ContainerFacts, seccomp=SeccompMode.DISABLED, user_namespaces_work=True),
)
CONTAINER = profile(
    cores=facts_of(CoresFacts, effective_cores=0.5, limited_by="quota"),
    memory=facts_of(MemoryFacts, effective_bytes=256 * GIB),
    container=facts_of(
        ContainerFacts,
        seccomp=SeccompMode.FILTER,
        user_namespaces_work=False,
        user_namespaces_problem="Operation | not permitted",
    ),
)


@pytest.fixture
def comparison() -> Comparison:
    return compare(HOST, CONTAINER)


def row(comparison: Comparison, what: str) -> Row:
    return next(row for row in comparison.rows if row.what == what)


def test_what_differs_says_why(comparison: Comparison) -> None:
    assert row(comparison, "cores") == Row("cores", "64", "0.5", differs=True, note="limited by quota")
    assert row(comparison, "seccomp").note == "the engine's default profile"
    assert row(comparison, "user namespaces").note == "Operation | not permitted"


def test_what_is_the_same_is_not_a_difference(comparison: Comparison) -> None:
    assert row(comparison, "memory") == Row("memory", "256.00 GiB", "256.00 GiB", differs=False, note=None)
    assert "memory" not in {row.what for row in comparison.differences}


def test_a_probe_that_ran_nowhere_has_no_row(comparison: Comparison) -> None:
    assert {"usable GPUs", "scratch", "micro-architecture"}.isdisjoint(row.what for row in comparison.rows)


def test_a_value_that_is_not_known_says_so() -> None:
    silent = profile(cores=facts_of(CoresFacts))
    cores = row(compare(HOST, silent), "cores")
    assert (cores.container, cores.differs, cores.note) == (None, True, "container: no such file")
    gone = row(compare(HOST, profile()), "memory")
    assert (gone.container, gone.note) == (None, "container: the probe did not run")


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_screen_marks_differences_and_keeps_its_width(comparison: Comparison, width: int) -> None:
    lines = render_text(comparison, width).splitlines()
    table = lines[: lines.index("")]
    assert max(map(len, table)) <= width
    assert {line[0] for line in table if "memory" in line or "cores" in line} == {" ", "≠"}
    assert [line.split() for line in table if "cores" in line] == [["≠", "cores", "64", "0.5"]]


def test_json_holds_both_profiles_and_the_differences(comparison: Comparison) -> None:
    document = json.loads(render_json(comparison))
    assert CapabilityProfile.model_validate(document["host"]) == HOST
    assert CapabilityProfile.model_validate(document["container"]) == CONTAINER
    assert document["differences"][0] == {
        "what": "cores",
        "host": "64",
        "container": "0.5",
        "note": "limited by quota",
    }


def test_markdown_stays_a_table(comparison: Comparison) -> None:
    lines = render_markdown(comparison).splitlines()
    assert {line.replace("\\|", "").count("|") for line in lines} == {5}
    assert any("**0.5**" in line for line in lines)


def test_what_has_no_place_for_two_profiles_is_refused() -> None:
    request = Request(probes=(), config=Config())
    with pytest.raises(EngineError, match="text, json, markdown instead of nagios"):
        pair.check_request(request, "nagios")
    with pytest.raises(EngineError, match="leave --replay and --root out"):
        pair.check_request(Request(probes=(), config=Config(), root="/host"), "text")
