"""Logging in and out, what a session opens, and the tokens of admins."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from capacity.service import tokens
from capacity.service.principal import Role
from tests.unit.capacity.documents import SITE
from tests.unit.capacity.web.conftest import Browser


class TestAccount:
    def test_a_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(self, browser: Browser) -> None:
        answer = browser.login(Role.READ)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "Log out" in browser.get("/").text

    def test_a_wrong_token_is_refused_on_the_same_page(self, browser: Browser) -> None:
        answer = browser.post("/login", token="sitecap_0000", next="/")
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert 'role="alert"' in answer.text

    @pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "x"])
    def test_login_leads_to_this_service_only(self, browser: Browser, target: str) -> None:
        answer = browser.post("/login", token=browser.token(Role.READ), next=target)
        assert answer.headers["location"] == "/"

    @pytest.mark.parametrize(
        "origin", [None, "https://evil.example", "null", "http://testserver.evil.example"]
    )
    def test_forms_of_other_sites_are_refused(self, browser: Browser, origin: str | None) -> None:
        browser.login(Role.ADMIN)
        for path in ("/login", "/logout", "/tokens", "/tokens/0123456789abcdef/revoke"):
            assert browser.post(path, origin, role="admin").status_code == 403, path

    def test_an_admin_makes_and_revokes_a_token(self, browser: Browser) -> None:
        browser.login(Role.ADMIN)
        made = browser.post("/tokens", role="submit", site=SITE, life="90d", note="worker nodes <b>")
        assert made.status_code == 201
        (text,) = re.findall(r"sitecap_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", made.text)
        assert text not in browser.get("/tokens").text
        assert "worker nodes &lt;b&gt;" in made.text
        identifier = text.split("_")[1]
        assert browser.post(f"/tokens/{identifier}/revoke").headers["location"] == "/tokens"
        states = {one["id"]: one["state"] for one in browser.get("/tokens.json").json()["tokens"]}
        assert states[identifier] == "revoked"

    def test_what_cannot_be_a_token_is_said_beside_the_form(self, browser: Browser) -> None:
        browser.login(Role.ADMIN)
        for fields in ({"role": "king"}, {"role": "admin", "site": SITE}, {"role": "read", "life": "soon"}):
            answer = browser.post("/tokens", **fields)
            assert answer.status_code == 422
            assert 'role="alert"' in answer.text

    @pytest.mark.parametrize("role", [Role.READ, Role.SUBMIT])
    def test_tokens_are_for_admins(self, browser: Browser, role: Role) -> None:
        browser.login(role)
        assert browser.get("/tokens").status_code == 403
        assert browser.get("/tokens.json").status_code == 403
        assert browser.post("/tokens", role="admin").status_code == 403

    def test_logging_out_forgets_the_cookie(self, browser: Browser) -> None:
        browser.login(Role.ADMIN)
        browser.post("/logout")
        assert browser.get("/tokens").status_code == 401

    def test_a_session_that_ended_reads_as_anybody_and_is_told_so_once(self, browser: Browser) -> None:
        browser.login(Role.READ)
        (token,) = tokens.all_tokens(browser.database)
        tokens.revoke(browser.database, token.id, datetime.now(UTC))
        browser.service.authenticator.forget()

        assert browser.get("/index.json").status_code == 200
        page = browser.get("/")
        assert page.status_code == 200
        assert "session has ended" in page.text
        assert "Log in" in page.text
        assert 'sitecap_session=""' in page.headers["set-cookie"]
        assert "session has ended" not in browser.get("/").text, "the browser has dropped the cookie"

    def test_a_session_that_ended_opens_nothing_that_needs_a_token(
        self, open_browser: Callable[..., Browser]
    ) -> None:
        for public, paths in ((True, ("/tokens", "/tokens.json")), (False, ("/", "/sites", "/index.json"))):
            browser = open_browser(auth__public_read=public)
            browser.client.cookies.set("sitecap_session", "sitecap_0123456789abcdef_" + "a" * 43)
            for path in paths:
                assert browser.get(path).status_code == 401, (public, path)

    def test_pages_are_closed_where_reading_is_not_public(self, open_browser: Callable[..., Browser]) -> None:
        closed = open_browser(auth__public_read=False)
        for path in ("/", "/sites", "/catalogue", "/calibration", "/index.json", "/charts/sites.svg"):
            assert closed.get(path).status_code == 401
        assert "/login?next=/sites" in closed.get("/sites").text
        closed.login(Role.READ)
        assert closed.get("/").status_code == 200

    def test_a_form_has_a_bound(self, browser: Browser) -> None:
        assert browser.post("/login", token="x" * 20_000).status_code == 422
        fields = {f"f{number}": "x" for number in range(30)}
        assert browser.post("/login", **fields).status_code == 422
        assert (
            browser.client.post("/login", json={}, headers={"origin": "http://testserver"}).status_code == 422
        )
