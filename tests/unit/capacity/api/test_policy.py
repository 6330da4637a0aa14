"""Every route has a policy, and every policy is enforced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount, Route

from capacity.service.policy import Policy, is_declared, policy_of
from tests.unit.capacity.api.conftest import Door, Open

API = {
    ("POST", "/api/v1/profiles"): "submit",
    ("GET", "/api/v1/profiles/{profile_id}"): "read",
    ("GET", "/api/v1/schema"): "anybody",
    ("GET", "/api/v1/nodes"): "read",
    ("GET", "/api/v1/nodes/{site}/{node_id}"): "read",
    ("GET", "/api/v1/nodes/{site}/{node_id}/estimates"): "read",
    ("GET", "/api/v1/estimates"): "read",
    ("GET", "/api/v1/sites"): "read",
    ("GET", "/api/v1/sites/{site}"): "read",
    ("GET", "/api/v1/calibrations"): "read",
    ("GET", "/api/v1/calibrations/{version}"): "read",
    ("POST", "/api/v1/calibrations/{version}/activation"): "admin",
    ("GET", "/api/v1/exports/{name}"): "read",
    ("POST", "/api/v1/imports/{kind}"): "admin",
    ("POST", "/api/v1/tokens"): "admin",
    ("GET", "/api/v1/tokens"): "admin",
    ("DELETE", "/api/v1/tokens/{token_id}"): "admin",
    ("GET", "/healthz"): "anybody",
    ("GET", "/readyz"): "anybody",
    ("GET", "/metrics"): "read",
    ("GET", "/api/v1/openapi.json"): "anybody",
}
"""Who may do what. A new route of the API is written down here, or this test fails."""

EXAMPLES = {
    "profile_id": "01a205d3-ad42-7e5d-9383-20a7585ae3c5",
    "site": "T2_LV_Example",
    "node_id": "0" * 32,
    "version": "v1",
    "name": "prometheus",
    "kind": "rebus",
    "token_id": "0" * 16,
}
GOOD_FOR = {
    "read": {"read", "admin"},
    "submit": {"submit", "other", "everywhere", "admin"},
    "admin": {"admin"},
}


def routes(app: FastAPI) -> Iterator[tuple[str, str, object]]:
    """Method, path, endpoint of everything that can be asked for."""
    for context in iter_route_contexts(app.routes):
        assert not isinstance(context.original_route, Mount), "a mounted application has no policy"
        assert isinstance(context.original_route, APIRoute | Route)
        assert isinstance(context.original_route, APIRoute), f"{context.path} bypasses the guard"
        for method in context.methods or ():
            yield method, str(context.path), context.endpoint


def example(path: str) -> str:
    return path.format_map(EXAMPLES)


def test_the_routes_of_the_api_and_their_policies_are_these(door: Door) -> None:
    found = {
        (method, path): policy_of(endpoint).value
        for method, path, endpoint in routes(door.app)
        if path.startswith(("/api/", "/healthz", "/readyz", "/metrics"))
    }
    assert found == API


def test_every_route_declares_its_policy(door: Door) -> None:
    undeclared = [(method, path) for method, path, endpoint in routes(door.app) if not is_declared(endpoint)]
    assert not undeclared


@pytest.mark.parametrize(("method", "path"), [key for key, policy in API.items() if policy != "anybody"])
def test_a_closed_route_refuses_everybody_whose_role_does_not_fit(door: Door, method: str, path: str) -> None:
    good = GOOD_FOR[API[method, path]]
    nobody = door.ask(method, example(path))
    assert nobody.status_code == 401
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")
    for name in door.tokens:
        status = door.ask(method, example(path), name).status_code
        assert (status == 403) == (name not in good), (name, status)
        assert status != 401


@pytest.mark.parametrize(("method", "path"), [key for key, policy in API.items() if policy == "anybody"])
def test_an_open_route_looks_at_no_credential(door: Door, method: str, path: str) -> None:
    assert door.ask(method, path, "no token at all").status_code == 200


def test_visitors_read_and_only_read_where_public_reading_is_on(open_door: Open) -> None:
    door = open_door(auth__public_read=True)
    for (method, path), policy in API.items():
        status = door.ask(method, example(path)).status_code
        assert (status == 401) == (policy in {"submit", "admin"}), (path, status)


def test_a_route_that_forgot_its_policy_is_for_admins_only(open_door: Open) -> None:
    door = open_door(auth__public_read=True)

    @door.app.get("/api/v1/forgotten")
    def forgotten() -> str:
        return "secret"

    assert policy_of(forgotten) is Policy.ADMIN
    assert door.ask("GET", "/api/v1/forgotten").status_code == 401
    assert door.ask("GET", "/api/v1/forgotten", "read").status_code == 403
    assert door.ask("GET", "/api/v1/forgotten", "admin").status_code == 200


def test_the_guard_comes_before_the_body(door: Door) -> None:
    answer = door.post(b"x" * 1000, None, content_encoding="made-up")
    assert answer.status_code == 401


def test_a_wrong_scheme_and_a_wrong_token_are_401(door: Door) -> None:
    for value in (
        "Basic YWxpY2U6cHc=",
        "Bearer",
        "Bearer x",
        "Bearer " + "a" * 9000,
        "Bearer sitecap_abc_def",
    ):
        answer = door.ask("GET", "/api/v1/nodes", headers={"Authorization": value})
        assert answer.status_code == 401, value
        assert answer.headers["content-type"] == "application/problem+json"


class TestCookies:
    def test_a_page_may_show_its_token_by_cookie(self, door: Door) -> None:
        sent = {"Cookie": f"sitecap_session={door.tokens['read']}"}
        assert door.ask("GET", "/api/v1/nodes", headers=sent).status_code == 200

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ({"Sec-Fetch-Site": "same-origin"}, 201),
            ({"Origin": "http://testserver"}, 201),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({}, 403),
        ],
    )
    def test_what_changes_something_must_come_from_our_own_page(
        self, door: Door, origin: dict[str, str], status: int
    ) -> None:
        sent = {"Cookie": f"sitecap_session={door.tokens['admin']}", **origin}
        assert door.ask("POST", "/api/v1/tokens", json={"role": "read"}, headers=sent).status_code == status
