"""The page of the computing model: the form, its figures, its link, its charts, and wrong assumptions."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from computing_model.outlook import outlook
from tests.unit.capacity.web.conftest import Browser

CPU = "cpu_khs06_years"


def test_figures_are_those_of_the_model_and_the_fleet_is_beside_them(fleet: Browser) -> None:
    twin = fleet.get("/plan.json").json()
    made = outlook()
    (cpu,) = (one for one in twin["resources"] if one["name"] == CPU)
    columns = {column["title"]: column for column in cpu["columns"]}
    for scenario in made.scenarios:
        assert columns[scenario.title]["values"] == pytest.approx(list(scenario.need(CPU)))
    assert columns["fleet"]["values"][-1] > 0
    assert columns["Baseline"]["short"][twin["years"].index(2029)] is True
    text = fleet.get("/plan").text
    assert "kHS06-equivalent" in text
    assert "21\u202f093 !" in text or "21 093 !" in text


def test_the_form_changes_the_figures_and_the_link_gives_them_again(fleet: Browser) -> None:
    address = "/plan?scenario=baseline&reco.speedup=2&gpu=gpu-probable&set=run.run4.pileup%3D200%0D%0Asim.speedup%3D1.5"
    page = fleet.get(address).text
    (link,) = re.findall(r'id="plan-link" href="([^"]+)"', page)
    asked = parse_qs(urlsplit(html.unescape(link)).query)
    assert asked["set"] == ["run.run4.pileup=200", "sim.speedup=1.5", "reco.speedup=2"]
    first = fleet.get(address.replace("/plan", "/plan.json")).json()
    again = fleet.get(html.unescape(link).replace("/plan", "/plan.json")).json()
    assert first["resources"] == again["resources"]
    expected = outlook(
        ["baseline+gpu-probable"], {"reco.speedup": 2, "run.run4.pileup": 200, "sim.speedup": 1.5}
    )
    assert first["resources"][0]["columns"][0]["values"] == pytest.approx(
        list(expected.scenarios[0].need(CPU))
    )
    assert first["scenarios"][0]["inputs_sha256"] == expected.scenarios[0].digest
    assert 'value="2"' in page  # the field shows what was asked
    assert "GPU layer" in page


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("set=reco.sped%3D1", "did you mean 'speedup'"),
        ("reco.speedup=-1", "Input should be greater than 0"),
        ("reco.speedup=abc", "Input should be a valid number"),
        ("scenario=/etc/passwd", "there is no scenario"),
        ("scenario=../x.toml", "there is no scenario"),
        ("schedule=never", "there is no choice"),
        ("&".join(["set=reco.speedup%3D1"] * 31), "more than 30 assumptions"),
        ("set=title%3D%22%3Cscript%3Ealert(1)%3C/script%3E%22&set=x", "KEY=VALUE"),
        ("set=years.last%3D99999", "years.last"),
    ],
)
def test_wrong_assumptions_are_one_sentence(fleet: Browser, query: str, told: str) -> None:
    answer = fleet.get(f"/plan?{query}")
    assert answer.status_code == 422
    assert told.lower() in html.unescape(answer.text).lower()
    assert "<script>alert" not in answer.text
    assert fleet.get(f"/plan.json?{query}").status_code == 422


def test_a_title_is_text(fleet: Browser) -> None:
    page = fleet.get("/plan?set=title%3D%22%3Cscript%3Ealert(1)%3C/script%3E%22").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_charts_have_the_band_and_are_kept_by_their_numbers(fleet: Browser) -> None:
    spec = fleet.get("/plan/charts/cpu_khs06_years.vl.json?scenario=baseline").json()
    marks = [
        layer["mark"]["type"] if isinstance(layer["mark"], dict) else layer["mark"] for layer in spec["layer"]
    ]
    assert marks == ["area", "line", "line", "line", "point"]
    first = fleet.get("/plan/charts/cpu_khs06_years.svg?scenario=baseline")
    assert first.headers["content-type"].startswith("image/svg+xml")
    again = fleet.get(
        "/plan/charts/cpu_khs06_years.svg?scenario=baseline", **{"if-none-match": first.headers["etag"]}
    )
    assert again.status_code == 304
    other = fleet.get("/plan/charts/cpu_khs06_years.svg?scenario=baseline&reco.speedup=2")
    assert other.headers["etag"] != first.headers["etag"]


def test_the_script_is_ours_and_under_its_digest(fleet: Browser) -> None:
    (script,) = re.findall(r'<script src="([^"]+)" defer></script>', fleet.get("/plan").text)
    answer = fleet.get(script)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert "<script" not in fleet.get("/").text


def test_without_nodes_the_page_plans_without_a_fleet(browser: Browser) -> None:
    twin = browser.get("/plan.json").json()
    assert twin["fleet_says"].startswith("no fleet: this service has no node with an estimate")
