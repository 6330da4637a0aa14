"""Assumptions in layers: later ones win, and whatever is wrong is told with its key and its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from computing_model.errors import ModelError
from computing_model.layers import assignments, described, load, named, shipped
from computing_model.numbers import leaves
from computing_model.outlook import outlook
from computing_model.provenance import provenance_of


def written(folder: Path, text: str, name: str = "mine.toml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_later_layers_win_and_are_remembered(tmp_path: Path) -> None:
    mine = written(tmp_path, 'extends = ["weighted-probable"]\ntitle = "Mine"\n[reco]\nreduction = 0.6\n')
    loaded = load([mine], {"reco.speedup": 1.5})
    assert loaded.layers == ("base", "weighted-probable", mine)
    assert loaded.parameters.reco.reduction == 0.6
    assert loaded.origins["reco.reduction"] == mine
    assert loaded.origins["reco.speedup"] == "flag"
    assert loaded.origins["sim.reduction"] == "weighted-probable"


def test_a_layer_may_stand_on_a_file_beside_it(tmp_path: Path) -> None:
    written(tmp_path, 'extends = ["baseline"]\n[reco]\nreduction = 0.1\n', "ground.toml")
    mine = written(tmp_path, 'extends = ["ground.toml"]\ntitle = "Top"\n')
    assert load([mine]).parameters.reco.reduction == 0.1


def test_a_curve_is_replaced_as_a_whole(tmp_path: Path) -> None:
    mine = written(
        tmp_path, 'extends = ["base"]\n[detector.phase2.time_hs06_s]\nreco_data = { 200 = 4000 }\n'
    )
    assert load([mine]).parameters.detector["phase2"].time_hs06_s.reco_data == {200: 4000.0}


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_layer_makes_a_plan_with_the_base(name: str) -> None:
    alone = name in ("base", "baseline", "weighted-probable", "optimistic", "cms-2017")
    made = outlook([name if alone else f"weighted-probable+{name}"])
    assert (made.scenarios[0].need("cpu_khs06_years") > 0).all()
    assert dict(described())[name]


@pytest.mark.parametrize("name", ["baseline", "weighted-probable+gpu-probable", "optimistic", "cms-2017"])
def test_every_number_has_a_source(name: str) -> None:
    parameters = named(name).parameters
    without = [key for key, _ in leaves(parameters) if provenance_of(key, parameters.provenance) is None]
    defaults = {
        "years",
        "schedule",
        "data",
        "simulation",
        "cpu",
        "gpu",
        "storage",
        "gen",
        "sim",
        "digi",
        "reco",
        "rnd",
    }
    assert [key for key in without if name != "cms-2017" or key.partition(".")[0] not in defaults] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[recoo]\nreduction = 0.5\n", "recoo: there is no such key; did you mean 'reco'?"),
        ("[reco]\nreducton = 0.5\n", "reco.reducton: there is no such key; did you mean 'reduction'?"),
        ("[reco]\nreduction = 1.5\n", "reco.reduction: Input should be less than 1"),
        ("[reco]\nreduction = nan\n", "reco.reduction"),
        ("[simulation.fast_chain]\nshare = -0.1\n", "simulation.fast_chain.share"),
        ("[run.run4]\nhlt_rate_hz = -1\n", "run.run4.hlt_rate_hz"),
        ("[run.run4]\nlast_year = 2026\n", "run.run4: last_year 2026 is before first_year 2027"),
        ("[run.run4]\nlast_year = 2033\n", "both take data in 2032"),
        ("[run.run4]\ndetector = 'phase3'\n", "run.run4.detector: there is no detector 'phase3'"),
        ("[mc.run4]\nruns = ['run6']\n", "mc.run4.runs: there is no run 'run6'"),
        ("[mc.run4]\noffset_events = -1\n", "mc.run4.offset_events"),
        ("[shutdown]\ncampaigns = ['x']\n", "shutdown.campaigns: there is no MC campaign 'x'"),
        ("[years]\nfirst = 2030\nlast = 2029\n", "years: last (2029) is before first (2030)"),
        ("[years]\nfirst = 2000\nlast = 2005\n", "no run takes data up to 2005"),
        ("[tier.AOD]\nsize_mb = { phase2 = 1 }\n", "tier.AOD.size_mb.phase2"),
        (
            "[tier.SIM]\ndata = false\nmc = true\nversions = [1]\ndisk_replicas = [1]\ntape_replicas = [0]\nsize_mb.phase2 = {140 = 1}\n",
            "tier.SIM.size_mb: no size for detector 'phase1'",
        ),
        ("[tier.AODD]\ndata = true\n", "did you mean 'AOD'?"),
        ("[gpu.kernel.x]\nstep = 'digi'\nshare = 0.1\nprobability = 1\n", "gpu.kernel.x.step"),
        ("[gpu.kernel.x]\nstep = 'sim'\nshare = 0.1\nprobability = 2\n", "gpu.kernel.x.probability"),
        ("reco = 5\n", "reco"),
        (
            "[[uncertain]]\nkind='success'\nname='x'\nkeys=['reco.reduction']\nprobability=1.5\nreduction=0.1\n",
            "probability",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    mine = written(tmp_path, 'extends = ["base"]\n' + text if "extends" not in text else text)
    with pytest.raises(ModelError) as refused:
        outlook([mine])
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_flag_may_set_one_point_of_a_curve_or_one_entry_of_a_list() -> None:
    key = "detector.phase2.time_hs06_s.reco_data"
    found = load(["baseline"], {f"{key}.140": 3000, "tier.AOD.disk_replicas.1": 0.5}).parameters
    assert found.detector["phase2"].time_hs06_s.reco_data == {140: 3000.0, 200: 4453.0}
    assert found.tier["AOD"].disk_replicas == (0.2, 0.5, 0.025)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("tier.AOD.disk_replicas.7", 1, "the list has 3 entries"),
        ("reco.speedup.fast", 2, "reco.speedup: Input should be a valid number"),
        ("title.x", 2, "title is a value, not a table"),
        ("reco.speedup", 1e-320, "beyond any number"),
        ("budget.cpu_khs06", 1e308, "beyond any number"),
        ("run.run4.livetime_s", 1e300, "beyond any number"),
    ],
)
def test_keys_and_values_of_flags_that_cannot_be(key: str, value: float, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        outlook(["baseline"], {key: value})


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is missing"):
        load([written(tmp_path, 'title = "Nothing"\n')])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.toml", b"\xff", "not UTF-8"),
        ("a.toml", b"x = [", "not TOML"),
        ("a.toml", b"#" * 1_100_000, "larger than"),
        ("a.toml", b'extends = "base"', "give a list"),
        ("a.toml", b'extends = ["a.toml"]', "in a circle"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelError, match=told):
        load([str(path)])


def test_layers_in_a_circle_are_told(tmp_path: Path) -> None:
    written(tmp_path, 'extends = ["b.toml"]', "a.toml")
    written(tmp_path, 'extends = ["a.toml"]', "b.toml")
    with pytest.raises(ModelError, match=r"circle: .*a\.toml → .*b\.toml → .*a\.toml"):
        load([str(tmp_path / "a.toml")])


def test_an_unknown_scenario_is_told_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean 'weighted-probable'"):
        load(["weighted-probably"])
    with pytest.raises(ModelError, match="No such file"):
        load(["nowhere.toml"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("reco.speedup=1.5", {"reco.speedup": 1.5}),
        ("title=My plan", {"title": "My plan"}),
        ("a=[1]", {"a": [1]}),
    ],
)
def test_assignments(text: str, found: dict[str, Any]) -> None:
    assert assignments([text]) == found
    with pytest.raises(ModelError, match="KEY=VALUE"):
        assignments([text.partition("=")[0]])
