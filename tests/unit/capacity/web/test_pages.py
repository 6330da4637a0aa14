"""Pages and their twins over a real database: what they show, what they refuse, and that names stay text."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from capacity.errors import UnavailableError
from capacity.service.ingest import accept
from capacity.service.views.history import record
from tests.unit.capacity.documents import EVERYWHERE, profile
from tests.unit.capacity.web import samples
from tests.unit.capacity.web.conftest import Browser

SITE = "T2_LV_Example"
NODE = f"{1:032x}"
PAGES = (
    "/",
    "/sites",
    "/history",
    "/history?of=federation&name=LV-Example",
    "/sites?sort=per-core&search=lv",
    f"/sites/{SITE}",
    f"/sites/{SITE}/nodes/{NODE}",
    "/catalogue",
    "/catalogue?search=EPYC+7513",
    "/calibration",
    "/login",
)


class Outline(HTMLParser):
    """Elements of a page that tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_a_page_with_one_heading_and_landmarks(fleet: Browser, path: str) -> None:
    answer = fleet.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    outline = Outline(answer.text)
    assert len(outline.all("h1")) == 1
    assert len(outline.all("main")) == 1
    assert outline.all("html")[0]["lang"] == "en"
    assert outline.all("a")[0]["href"] == "#content"


@pytest.mark.parametrize("path", PAGES)
def test_the_twin_is_linked_and_is_json_of_the_same(fleet: Browser, path: str) -> None:
    page = fleet.get(path)
    (link,) = [one for one in Outline(page.text).all("link") if one.get("type") == "application/json"]
    twin = fleet.get(link["href"] or "")
    assert twin.status_code == 200
    assert twin.headers["content-type"] == "application/json"
    assert isinstance(twin.json(), dict)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_inline_and_nothing_is_of_another_host(fleet: Browser, path: str) -> None:
    answer = fleet.get(path)
    outline = Outline(answer.text)
    assert not outline.all("script", "style")
    for _, attributes in outline.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "srcset", "action"):
            assert not re.match(r"[a-z]+:|//", attributes.get(name) or "")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", PAGES)
def test_tables_fields_and_pictures_have_names(fleet: Browser, path: str) -> None:
    outline = Outline(fleet.get(path).text)
    labelled = {attributes.get("for") for attributes in outline.all("label")}
    for field in outline.all("input", "select"):
        assert field.get("type") == "hidden" or field["id"] in labelled
    assert all(image.get("alt") for image in outline.all("img"))
    assert all(region.get("aria-label") for region in outline.all("div") if region.get("role") == "region")
    assert all(cell.get("scope") for cell in outline.all("th"))
    assert len(outline.all("caption")) >= len(outline.all("table")) - len(outline.all("details"))
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_overview_says_what_the_fleet_is_worth_and_how_much_of_it_was_seen(fleet: Browser) -> None:
    told = fleet.get("/index.json").json()
    assert told["cms"]["roll"]["hs23"]["value"] == pytest.approx(3 * 227.2)
    assert told["cms"]["roll"]["constant_10_hs23"] == pytest.approx(480)
    assert told["coverage"]["nodes_with_figure"] == 3
    assert (told["coverage"]["sites_with_figure"], told["coverage"]["sites_known"]) == (2, 3)
    kinds = {group["kind"]: group for group in told["attention"]}
    assert {entry["site"] for entry in kinds["not usable"]["entries"]} == {SITE, "T1_DE_Other"}
    assert kinds["below pledge"]["entries"][0]["site"] == SITE
    text = fleet.get("/").text
    assert "3 <small>of 3 (100\u202f%)</small>" in text
    assert "45.4" in text  # per cent of the pledge


def test_a_site_shows_its_nodes_and_how_to_mend_what_fails(fleet: Browser) -> None:
    told = fleet.get(f"/sites/{SITE}.json").json()
    assert [node["hostname"] for node in told["nodes"]] == ["wn001.example.org", "wn002.example.org"]
    assert told["row"]["pledge"]["ratio"]["value"] == pytest.approx(0.4544)
    assert told["row"]["constant"]["ratio"]["value"] == pytest.approx(1.42)
    (critical, warning) = told["checks"]
    assert (critical["id"], critical["nodes"], critical["status"]) == ("SQD-01", 2, "CRITICAL")
    assert warning["id"] == "CTX-07"
    text = fleet.get(f"/sites/{SITE}").text
    assert "Start it: systemctl start squid." in text
    assert "squid: No Squid answers." in text


def test_a_node_shows_how_its_figure_was_derived(fleet: Browser) -> None:
    text = fleet.get(f"/sites/{SITE}/nodes/{NODE}").text
    for expected in (
        "14.2 ± 1.9",
        "HS23/core (68 %)",
        "227 ± 31",
        "The catalogue has 3 rows of it",
        "HEPiX HS23 table, row 17",
        "no HEPscore23 run of this node was imported",
        "provisional-1",
        "slow-for-model",
        "slot1_2",
        "AMD EPYC 7513 32-Core Processor",
        f"{512}\u202fGiB",
    ):
        assert expected in text


def test_a_provisional_figure_says_so_on_every_page(browser: Browser) -> None:
    estimate = samples.estimate(provisional=True)
    now = datetime.now(UTC)
    samples.seed(
        browser.database,
        samples.state(1, last_seen_at=now),
        samples.state(9, "T2_EE_New", estimate=estimate, last_seen_at=now - timedelta(hours=2)),
        now=now,
    )
    for path in ("/", "/sites", "/sites/T2_EE_New", f"/sites/T2_EE_New/nodes/{9:032x}", "/calibration"):
        assert re.search(r'class="mark provisional"[^>]*>provisional', browser.get(path).text), path
    assert 'class="mark provisional"' not in browser.get(f"/sites/{SITE}").text


def test_a_profile_that_just_came_is_evaluated_when_its_page_is_opened(browser: Browser) -> None:
    now = datetime.now(UTC)
    (verdict,) = accept(browser.database, [profile(created_at=now)], EVERYWHERE, now)
    assert verdict.status == "stored"
    told = browser.get(f"/sites/{SITE}/nodes/{1:032x}.json").json()
    assert told["estimate"]["method"] == "default"
    assert told["latest_profile_id"] == verdict.id


def test_names_from_profiles_are_shown_as_text(fleet: Browser) -> None:
    for path in ("/", "/sites/T1_DE_Other", f"/sites/T1_DE_Other/nodes/{3:032x}"):
        text = fleet.get(path).text
        assert "<script" not in text
        assert "onerror=alert(1)>" not in text
    assert "&lt;script&gt;" in fleet.get("/sites/T1_DE_Other").text


def test_a_search_is_shown_as_text(fleet: Browser) -> None:
    text = fleet.get("/sites").text
    assert fleet.client.get("/sites", params={"search": samples.XSS[:60]}).text.count("<script") == 0
    assert fleet.client.get("/catalogue", params={"search": samples.XSS}).text.count("<script") == 0
    assert "T1_DE_Other" in text


def test_a_site_that_is_only_known_by_name_has_a_page(fleet: Browser) -> None:
    text = fleet.get("/sites/T2_PT_Silent").text
    assert "No node of this site has sent a profile" in text
    assert "federation PT-Silent" in text


def test_an_empty_service_says_how_to_begin(browser: Browser) -> None:
    for path in ("/", "/sites", "/catalogue", "/calibration"):
        assert browser.get(path).status_code == 200
    assert "capacity token create" in browser.get("/").text
    assert browser.get("/index.json").json()["cms"]["roll"]["hs23"]["value"] == 0


def test_a_long_list_of_nodes_is_paged(browser: Browser) -> None:
    now = datetime.now(UTC)
    documents = [
        profile(node_id=f"{number:032x}", created_at=now - timedelta(minutes=5)) for number in range(1, 151)
    ]
    assert {one.status for one in accept(browser.database, documents, EVERYWHERE, now)} == {"stored"}
    first = browser.get(f"/sites/{SITE}.json").json()
    assert (len(first["nodes"]), first["paging"]["total"]) == (100, 150)
    second = browser.get(f"/sites/{SITE}.json?after={first['paging']['next']}").json()
    assert (len(second["nodes"]), second["paging"]["next"]) == (50, None)
    seen = {node["node_id"] for page in (first, second) for node in page["nodes"]}
    assert len(seen) == 150
    assert f"after={first['paging']['next']}" in browser.get(f"/sites/{SITE}").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/sites/T2_XX_Nobody", 404),
        (f"/sites/{SITE}/nodes/{77:032x}", 404),
        (f"/sites/{SITE}/nodes/not-hexadecimal", 422),
        ("/sites?sort=luck", 422),
        ("/sites?page=0", 422),
        ("/calibration?version=none", 404),
        ("/calibration?version=%00", 422),
        ("/charts/luck.svg", 422),
        ("/history?of=country&name=XX", 404),
        ("/history?of=luck", 422),
        ("/tokens", 401),
        ("/static/other.css", 404),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(fleet: Browser, path: str, status: int) -> None:
    answer = fleet.get(path)
    assert answer.status_code == status
    if path.startswith(("/static", "/charts")):
        assert answer.headers["content-type"] == "application/problem+json"
    else:
        assert answer.headers["content-type"].startswith("text/html")
        assert len(Outline(answer.text).all("h1")) == 1


def test_a_program_gets_the_problem_document(fleet: Browser) -> None:
    answer = fleet.get("/sites/T2_XX_Nobody.json")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_its_database_a_page_says_when_to_come_again(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise UnavailableError("the database does not answer", retry_after_s=7)

    monkeypatch.setattr(browser.database, "reading", away)
    answer = browser.get("/")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"
    assert "try again in 7 seconds" in answer.text


class TestCharts:
    def test_a_chart_is_a_picture_and_its_specification(self, fleet: Browser) -> None:
        base = f"/sites/{SITE}/nodes/{NODE}/charts/ladder"
        picture = fleet.get(f"{base}.svg?scheme=dark&width=narrow")
        assert picture.headers["content-type"] == "image/svg+xml"
        assert picture.text.startswith("<svg")
        spec = json.loads(fleet.get(f"{base}.vl.json").text)
        assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")

    def test_light_and_dark_are_two_pictures(self, fleet: Browser) -> None:
        light, dark = (fleet.get(f"/charts/sites.svg?scheme={scheme}") for scheme in ("light", "dark"))
        assert light.headers["etag"] != dark.headers["etag"]
        assert light.text != dark.text

    def test_a_picture_that_the_browser_has_is_not_sent_again(self, fleet: Browser) -> None:
        first = fleet.get("/charts/federations.svg")
        again = fleet.get("/charts/federations.svg", **{"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize("name", ["fit", "families"])
    def test_the_calibration_has_pictures(self, fleet: Browser, name: str) -> None:
        assert fleet.get(f"/calibration/charts/{name}.svg").text.startswith("<svg")

    def test_a_history_of_two_days_is_a_picture(self, browser: Browser) -> None:
        samples.three_sites(browser.database)
        sums = browser.client.app.state.sums.current()  # type: ignore[attr-defined]
        record(browser.database, sums._replace(at=sums.at - timedelta(days=1)))
        for path in ("/history", "/history?of=federation&name=LV-Example", f"/sites/{SITE}"):
            outline = Outline(browser.get(path).text)
            assert outline.all("img"), path
            for image in outline.all("img"):
                assert browser.get(image["src"] or "").text.startswith("<svg")
            (spec,) = (link["href"] for link in outline.all("a") if ".vl.json" in (link["href"] or ""))
            assert len(json.loads(browser.get(spec or "").text)["layer"]) == 2

    def test_a_federation_and_a_country_lead_to_their_histories(self, fleet: Browser) -> None:
        links = {link["href"] or "" for link in Outline(fleet.get("/").text).all("a")}
        for path in ("/history", "/history?of=federation&name=LV-Example", "/history?of=country&name=DE"):
            assert path in links
            twin = fleet.get(path.replace("/history", "/history.json", 1)).json()
            assert twin["history"][0]["low"] < twin["history"][0]["hs23"] < twin["history"][0]["high"]

    def test_every_picture_of_a_page_can_be_had(self, fleet: Browser) -> None:
        for path in ("/", f"/sites/{SITE}/nodes/{NODE}", "/calibration"):
            for image in Outline(fleet.get(path).text).all("img"):
                assert fleet.get(image["src"] or "").status_code == 200
