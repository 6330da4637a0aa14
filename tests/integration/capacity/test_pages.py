"""The pages in a real browser over a real server: no error, no foreign request, keyboard, contrast, dark, narrow."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn

from capacity.app import create_app
from capacity.config import load
from capacity.service import tokens
from capacity.service.principal import Role
from capacity.store.database import Database
from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.browser import Visit, browser
from tests.unit.capacity.web import samples

NODE = f"/sites/T2_LV_Example/nodes/{1:032x}"
HOSTILE = f"/sites/T1_DE_Other/nodes/{3:032x}"
PAGES = (
    "/",
    "/sites",
    "/history",
    "/history?of=country&name=LV",
    "/sites/T2_LV_Example",
    NODE,
    HOSTILE,
    "/catalogue?search=EPYC+7513",
    "/calibration",
    "/plan?gpu=gpu-probable",
    "/login",
)
CONTRAST = """() => {
  const light = c => { const f = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
  const parse = t => t.match(/[\\d.]+/g).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 40));
  }
  return poor;
}"""
NAMELESS = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, img, summary')].filter(e => {
  const label = e.labels && e.labels.length ? e.labels[0].textContent : '';
  return !(label || e.getAttribute('aria-label') || e.alt || e.textContent).trim();
}).map(e => e.outerHTML.slice(0, 80))"""
HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4')].map(e => Number(e.tagName[1]))"


@dataclass
class Lab:
    """A running service and a browser.

    Attributes:
        base: address of the service.
        browser: Chromium.
        admin: text of an admin token.
    """

    base: str
    browser: Any
    admin: str


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The service over a socket, with three sites in it, and Chromium."""
    directory = tmp_path_factory.mktemp("pages")
    url = f"sqlite:///{directory}/capacity.sqlite"
    database = Database(url)
    database.upgrade()
    samples.three_sites(database)
    admin = tokens.create(database, role=Role.ADMIN, site=None, now=datetime.now(UTC)).text
    database.close()
    flags = {"database.url": url, "data_directory": str(directory), "log.level": "error"}
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(load(flags, {}).config, {}), host="127.0.0.1", port=0, log_level="error", lifespan="on"
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with browser() as found:
            yield Lab(f"http://127.0.0.1:{port}", found, admin)
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    finally:
        server.should_exit = True
        thread.join(20)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def visit(lab: Lab) -> Iterator[Any]:
    """Open pages with some options of the browser's context."""
    contexts: list[Any] = []

    def go(path: str, *, admin: bool = False, **options: Any) -> Visit:
        given = {"viewport": {"width": 1280, "height": 900}, **options}
        context = lab.browser.new_context(**given)
        contexts.append(context)
        if admin:
            cookie = {"name": "sitecap_session", "value": lab.admin, "url": lab.base, "sameSite": "Strict"}
            context.add_cookies([cookie])
        opened = Visit(context.new_page())
        opened.page.goto(lab.base + path)
        opened.page.evaluate("document.querySelectorAll('img').forEach(one => one.loading = 'eager')")
        opened.page.wait_for_load_state("networkidle")
        return opened

    yield go
    for context in contexts:
        context.close()


pytestmark = pytest.mark.lab


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_has_no_error_no_foreign_request_and_readable_colours(
    lab: Lab, visit: Any, path: str, scheme: str
) -> None:
    seen = visit(path, color_scheme=scheme)
    assert seen.complaints == []
    assert [one for one in seen.requests if not one.startswith(lab.base)] == []
    assert seen.page.evaluate(CONTRAST) == []
    assert seen.page.evaluate(NAMELESS) == []


@pytest.mark.parametrize("path", PAGES)
def test_headings_have_no_gaps(visit: Any, path: str) -> None:
    levels = visit(path).page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_screen_needs_no_sideways_scrolling(visit: Any, path: str) -> None:
    page = visit(path, viewport={"width": 360, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", PAGES)
def test_everything_is_there_without_javascript(visit: Any, lab: Lab, path: str) -> None:
    context = lab.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(lab.base + path)
    assert page.locator("h1").count() == 1
    assert page.locator("main").inner_text().strip()
    context.close()


def test_pictures_are_drawn_for_the_readers_scheme(visit: Any) -> None:
    sources = {}
    for scheme in ("light", "dark"):
        page = visit(NODE, color_scheme=scheme).page
        found = page.evaluate("[...document.images].map(one => [one.currentSrc, one.naturalWidth])")
        assert found
        assert all(width > 100 for _, width in found)
        sources[scheme] = [source for source, _ in found]
    assert all("scheme=dark" in one for one in sources["dark"])
    assert all("scheme=light" in one for one in sources["light"])


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit: Any) -> None:
    page = visit("/sites/T2_LV_Example").page
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.getClientRects().length).map((e, i) => { e.dataset.stop = i; return i; }).length"
    )
    reached: dict[str, str] = {}
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "(() => { const e = document.activeElement; return [e.dataset.stop, getComputedStyle(e).outlineStyle]; })()"
        )
        if at[0] is not None:
            reached[at[0]] = at[1]
    assert len(reached) == wanted
    assert set(reached.values()) == {"solid"}


def test_the_first_stop_leads_to_the_content(visit: Any) -> None:
    page = visit("/").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_markup_in_a_profile_is_text(visit: Any) -> None:
    fired: list[str] = []
    seen = visit("/sites/T1_DE_Other")
    seen.page.on("dialog", lambda dialog: fired.append(dialog.message))
    assert samples.XSS in seen.page.locator("main").inner_text()
    seen.page.locator("tbody th a").first.click()
    assert samples.XSS in seen.page.locator("h1").inner_text()
    assert seen.page.locator("main script, main img[onerror]").count() == 0
    assert fired == []


def test_an_admin_logs_in_makes_a_token_and_revokes_it(visit: Any, lab: Lab) -> None:
    page = visit("/login?next=/tokens").page
    page.get_by_label("Token").fill(lab.admin)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/tokens")
    page.get_by_label("Site").fill("T2_LV_Example")
    page.get_by_label("Note").fill("made in a browser")
    page.get_by_role("button", name="Make it").click()
    text = page.locator(".secret").inner_text()
    assert text.startswith("sitecap_")
    identifier = text.split("_")[1]
    page.get_by_role("button", name=f"Revoke token {identifier}").click()
    assert "revoked" in page.get_by_role("row").filter(has_text=identifier).inner_text()
    cookie = next(one for one in page.context.cookies() if one["name"] == "sitecap_session")
    assert cookie["httpOnly"] is True
    assert cookie["sameSite"] == "Strict"
    page.get_by_role("button", name="Log out").click()
    assert page.context.cookies() == []


def test_the_list_of_sites_is_sorted_by_following_a_heading(visit: Any) -> None:
    page = visit("/sites?sort=capacity").page
    first = page.locator("tbody th a").first.inner_text()
    page.locator("thead").get_by_role("link", name="Site").click()
    assert page.locator("th[aria-sort]").inner_text().startswith("Site")
    assert (first, page.locator("tbody th a").first.inner_text()) == ("T2_LV_Example", "T1_DE_Other")


def test_a_page_that_is_not_there_looks_like_the_others(visit: Any) -> None:
    seen = visit("/sites/T2_XX_Nobody")
    assert seen.page.locator("h1").inner_text() == "There is no such page"
    assert seen.page.get_by_role("navigation", name="Pages").count() == 1
    assert seen.page.evaluate(CONTRAST) == []


def test_the_plan_follows_its_form_and_its_address_gives_the_view_again(visit: Any, lab: Lab) -> None:
    seen = visit("/plan")
    page = seen.page
    before = page.locator("#figures table").first.inner_text()
    page.get_by_label("Reconstruction is faster by").fill("2")
    page.locator("#plan-says", has_text="up to date").wait_for()
    after = page.locator("#figures table").first.inner_text()
    assert after != before
    assert "set=reco.speedup%3D2" in page.url
    assert visit(page.url.removeprefix(lab.base)).page.locator("#figures table").first.inner_text() == after
    assert seen.complaints == []
    page.get_by_label("Assumptions, KEY=VALUE").fill("reco.sped=2")
    page.locator("#plan-says", has_text="did you mean").wait_for()
    assert page.locator("#figures table").first.inner_text() == after


def test_without_javascript_the_plan_is_computed_by_its_button(lab: Lab) -> None:
    context = lab.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{lab.base}/plan")
    before = page.locator("#figures table").first.inner_text()
    page.get_by_label("Pile-up of Run 4").fill("200")
    page.get_by_role("button", name="Compute").click()
    page.wait_for_url("**/plan?**")
    assert page.locator("#figures table").first.inner_text() != before
    context.close()
