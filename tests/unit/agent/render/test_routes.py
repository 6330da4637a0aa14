"""The route table says which step of which way is broken, whatever the width of the terminal."""

from __future__ import annotations

import pytest

from agent.render.routes import MAX_ROWS, route_table, routes_of
from profiles.facts.credentials import CredentialFile, CredentialsFacts, TokenFacts
from profiles.facts.limits import LimitsFacts
from profiles.facts.routes import Route, Step


def _route(target: str, via: str, **outcomes: str) -> Route:
    steps = []
    for name, outcome in outcomes.items():
        failed = outcome == "failed"
        steps.append(
            Step.model_validate(
                {
                    "name": name,
                    "outcome": outcome,
                    "fault": "bad-signature" if failed else None,
                    "detail": "it is signed by another key" if failed else None,
                    "duration_s": 0.0123 if outcome == "ok" else None,
                }
            )
        )
    return Route(subject="cms.cern.ch", target=target, via=via, steps=tuple(steps))


GOOD = _route("one.example.org:8000", "direct", connect="ok", manifest="ok", file="not tried")
BAD = _route("two.example.org:8000", "squid:3128", connect="ok", manifest="failed", file="not reached")


def test_one_row_a_route_and_one_column_a_step() -> None:
    lines = route_table([GOOD, BAD], 100)
    assert lines[0] == "cms.cern.ch, each step in ms"
    assert lines[1].split() == ["from", "via", "connect", "manifest", "file"]
    assert lines[2].split() == ["one.example.org:8000", "direct", "12", "12", "skip"]
    assert lines[3].split() == ["two.example.org:8000", "squid:3128", "12", "FAIL", "-"]
    assert lines[4].strip() == "broken at manifest (bad-signature): it is signed by another key"
    assert lines[1].index("manifest") == lines[3].index("FAIL")


def test_long_names_stand_below_a_numbered_table() -> None:
    lines = route_table([GOOD, BAD], 30)
    assert lines[1].split() == ["way", "connect", "manifest", "file"]
    assert lines[3].split() == ["2", "12", "FAIL", "-"]
    assert "2 = two.example.org:8000 via squid:3128" in lines
    assert max(len(line) for line in lines[1:4]) <= 30


def test_a_terminal_too_narrow_for_any_table_gets_sentences() -> None:
    text = "\n".join(route_table([BAD], 20))
    assert "two.example.org:8000 via squid:3128: connect 12, manifest FAIL" in text
    assert "bad-signature" in text


def test_a_hostile_name_cannot_move_the_cursor() -> None:
    text = "\n".join(route_table([_route("\x1b[2Jevil", "direct", connect="failed")], 80))
    assert "\x1b" not in text


def test_rows_beyond_the_bound_are_counted() -> None:
    assert route_table([GOOD] * (MAX_ROWS + 3), 100)[-1] == "and 3 more routes in the profile"


def test_facts_without_routes_have_none() -> None:
    assert routes_of(None) == ()
    assert routes_of(LimitsFacts.model_construct()) == ()


@pytest.mark.parametrize(("route", "works"), [(GOOD, True), (BAD, False)])
def test_a_route_works_if_nothing_on_it_failed(route: Route, works: bool) -> None:
    assert route.works is works


@pytest.mark.parametrize(
    ("mode", "expires_in_s", "broken"),
    [("0600", 60.0, None), ("0644", 60.0, "private"), ("0600", -60.0, "alive")],
)
def test_a_credential_is_broken_where_a_server_would_stop_it(
    mode: str, expires_in_s: float, broken: str | None
) -> None:
    token = TokenFacts(
        source="BEARER_TOKEN_FILE",
        file=CredentialFile(path="/x", mode=mode, own=True),
        size_bytes=900,
        expires_in_s=expires_in_s,
    )
    absent = {"proxy": "none here", "authorities": "not asked"}
    (route,) = routes_of(CredentialsFacts(token=token, proxy=None, authorities=None, absent=absent))
    assert (route.broken.name if route.broken else None) == broken
    assert "in ms" not in route_table([route], 100)[0]
