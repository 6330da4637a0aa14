"""The outlook in each format says the same."""

from __future__ import annotations

import csv
import io
import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from computing_model.acceptance import table
from computing_model.compare import compared
from computing_model.errors import ModelError
from computing_model.layers import load
from computing_model.outlook import Outlook, outlook
from computing_model.published import beside
from computing_model.render import FORMATS, acceptance, bands, comparison, plots, published, solution, tornado
from computing_model.sensitivity import fit
from computing_model.sensitivity import tornado as tornado_of
from computing_model.supply import Fleet
from computing_model.uncertainty import bands as bands_of

FLEET = Fleet(
    2026.5, (3000.0, 2700.0, 3300.0), (2400.0, 2100.0, 2700.0), {"H100": 2}, 0.25, "12 nodes in a test"
)


@pytest.fixture(scope="module")
def made() -> Outlook:
    return outlook(["baseline", "weighted-probable+gpu-probable"], fleet=FLEET, pledges_khs06={2023: 2600.0})


def test_json_has_inputs_hash_sources_and_needs(made: Outlook) -> None:
    document = json.loads(FORMATS["json"](made))
    first, second = document["scenarios"]
    assert first["inputs_sha256"] == made.scenarios[0].digest
    assert first["inputs"]["run"]["run4"]["hlt_rate_hz"] == 5000
    assert first["sources"]["run.run4"]["status"] == "published"
    assert first["cpu_khs06_years"] == pytest.approx(made.scenarios[0].need("cpu_khs06_years"))
    steps = np.sum(list(second["cpu_khs06_years_by_step"].values()), axis=0)
    assert steps == pytest.approx(second["cpu_khs06_years"])
    assert second["gpu_cpu_equivalent_khs06_years"][-1] > 0
    assert document["fleet"]["projected_nominal_khs06"][:6] == [None] * 5 + [3000.0]
    assert document["pledged_cpu_khs06"] == {"2023": 2600.0}
    assert first["first_year_short_of_flat_budget"]["cpu_khs06_years"] == 2027


def test_csv_has_units_in_its_header_and_the_same_numbers(made: Outlook) -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](made))))
    assert len(rows) == len(made.years) * 2
    row = next(row for row in rows if row["scenario"] == "baseline" and row["year"] == "2029")
    index = made.years.index(2029)
    for column, value in (
        ("cpu_khs06_years", made.scenarios[0].need("cpu_khs06_years")[index]),
        ("disk_AOD_pb", made.scenarios[0].disk_by_tier["AOD"][index]),
        ("flat_budget_middle_cpu_khs06", made.supply.cpu_khs06.middle[index]),
        ("fleet_usable_khs06", 2400 * 1.15**3),
    ):
        assert float(row[column]) == pytest.approx(value, rel=1e-6)
    assert row["pledged_cpu_khs06"] == ""
    known = ("_khs06_years", "_khs06", "_pb", "_gbit_s", "_events", "scenario", "year", "sha256", "_gpus")
    assert all(column.endswith(known) for column in row)


def test_the_table_marks_what_is_short_and_keeps_gpus_apart(made: Outlook) -> None:
    text = FORMATS["table"](made)
    assert "21,093!" in text
    assert "Baseline, CPU: the flat budget falls short first in 2027" in text
    assert "the fleet falls short first in 2027" in text
    assert (
        "fleet (12 nodes in a test): 3,000.0 kHS06-equivalent (2,700.0 to 3,300.0, 68 %), of it usable 2,400.0"
        in text
    )
    assert "25% of it stand on a provisional calibration" in text
    assert "never in a CPU column: 2 × H100" in text
    assert "GPU layer" in text
    assert "-12,187" in text  # the gap of 2029
    assert text.count("Gbit/s") >= 3
    assert "no fleet: why" in FORMATS["table"](outlook(["baseline"], fleet_missing="why"))


def test_markdown_has_tables_and_sources(made: Outlook) -> None:
    text = FORMATS["markdown"](made)
    assert text.count("| 2029 |") == 3
    assert "| `detector.phase2.time_hs06_s.reco_data` | calibrated |" in text


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.mark.slow
def test_the_report_is_one_file_that_fetches_nothing(made: Outlook) -> None:
    page = Page()
    page.feed(FORMATS["html"](made))
    assert page.tags.count("svg") == 6
    assert "script" not in page.tags
    assert all(link.startswith("#") for link in page.links)


def test_what_a_layer_says_is_text_and_not_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # the tables say it as well, and sooner
    mine = tmp_path / "x.toml"
    mine.write_text('extends = ["baseline"]\ntitle = "<script>alert(1)</script>"\n')
    assert "<script" not in FORMATS["html"](outlook([str(mine)]))


@pytest.mark.slow
def test_plots_are_written_and_are_the_same_again(made: Outlook, tmp_path: Path) -> None:
    written = plots.write(made, tmp_path / "a")
    assert len(written) == 3 + 3 + 3 * 2
    (first,) = (path for path in written if path.name == "need-disk_pb.svg")
    assert first.read_text() == plots.svg_of(lambda axes: plots.need(axes, made, "disk_pb"))


def test_plots_never_claim_to_be_of_cms(made: Outlook) -> None:
    for draw in (
        lambda axes: plots.need(axes, made, "disk_pb"),
        lambda axes: plots.gap(axes, made, "disk_pb"),
    ):
        with plots._style() as figure_of:
            axes = figure_of().add_subplot()
            draw(axes)
            assert axes.get_title(loc="left").startswith("Planning study, sitecap")


def test_tornado_and_bands_are_drawn() -> None:
    parameters = load(["weighted-probable", "uncertain"]).parameters
    tower, found = tornado_of(parameters, "cpu_khs06_years", 2034), bands_of(parameters, 200)
    for draw in (
        lambda axes: plots.tornado(axes, tower),
        lambda axes: plots.bands(axes, found, "cpu_khs06_years"),
    ):
        assert plots.svg_of(draw).count("<path") > 20
    assert "Reconstruction code and core libraries" in tornado.text_of(tower)
    assert "RAW event size" not in tornado.text_of(tower)  # it changes no CPU
    text = bands.text_of(found)
    assert "200 samples, seed 1" in text
    assert text.count("2034") == 3


def test_without_matplotlib_the_report_says_so_and_has_its_tables(
    made: Outlook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = FORMATS["html"](made)
    assert "extra &#x27;analysis&#x27;" in text
    assert "<table>" in text
    with pytest.raises(ModelError, match="need matplotlib"):
        plots.write(made, tmp_path)


def test_a_comparison_names_what_differs() -> None:
    text = comparison.text_of(compared(outlook(["baseline", "weighted-probable"])))
    assert "reco.reduction" in text
    assert "tier.RAW" not in text
    same = comparison.text_of(compared(outlook(["baseline", "baseline"])))
    assert "no number differs" in same


def test_the_other_texts() -> None:
    assert "33 of 41 follow" in acceptance.text_of(table())
    assert "Baseline, full years of Run 4: 21,093 and 21,103" in published.text_of(beside())
    found = fit(load(["baseline"]).parameters, "reco.speedup", "cpu_khs06_years", 2031, "middle", None)
    assert "it fits with reco.speedup = 3.947 (now 1)" in solution.text_of(found)
