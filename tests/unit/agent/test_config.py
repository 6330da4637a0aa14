"""Configuration: three layers, the origin of each value, and one sentence for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.config import ConfigError, Loaded, check_against_catalogue, load, parse_assignment
from probes.answers import Json
from probes.host import Host
from probes.judging import Judging
from probes.settings import Settings
from probes.spec import Bound, Check, Probe
from profiles.base import Facts
from profiles.checks import CheckResult


def _write(folder: Path, text: str) -> Path:
    path = folder / "agent.toml"
    path.write_text(text)
    return path


def _load(text: str, folder: Path, *, flags: dict[str, Any] | None = None, **environment: str) -> Loaded:
    return load(flags or {}, {"HOME": str(folder / "home"), **environment}, _write(folder, text))


def _origin(loaded: Loaded, key: str) -> str:
    return next(value.origin for value in loaded.values if value.key == key)


def test_flags_beat_environment_beats_file_beats_default(tmp_path: Path) -> None:
    text = 'budget_s = 10\nlock_wait_s = 1\nsite_name = "T2_DE_File"\n'

    loaded = _load(text, tmp_path, flags={"budget_s": 30.0}, SITECAP_BUDGET_S="20", SITECAP_LOCK_WAIT_S="2")

    assert (loaded.config.budget_s, loaded.config.lock_wait_s) == (30.0, 2.0)
    assert loaded.config.site_name == "T2_DE_File"
    assert not loaded.config.identify
    assert _origin(loaded, "budget_s") == "flag"
    assert _origin(loaded, "lock_wait_s") == "environment"
    assert _origin(loaded, "site_name") == str(tmp_path / "agent.toml")
    assert _origin(loaded, "identify") == "default"


def test_two_underscores_in_a_variable_lead_into_a_table(tmp_path: Path) -> None:
    loaded = _load(
        "", tmp_path, SITECAP_DISK__SCRATCH_PATH="/scratch", SITECAP_NETWORK__CONNECT_TIMEOUT_S="1.5"
    )

    assert loaded.config.disk.scratch_path == "/scratch"
    assert loaded.config.network.connect_timeout_s == 1.5
    assert _origin(loaded, "disk.scratch_path") == "environment"
    assert _origin(loaded, "disk.write_test_bytes") == "default"


def test_text_that_looks_like_a_number_stays_text_where_text_is_wanted(tmp_path: Path) -> None:
    assert _load("", tmp_path, SITECAP_SITE_NAME="42").config.site_name == "42"


def test_a_table_that_is_a_setting_may_have_dots_in_its_keys(tmp_path: Path) -> None:
    loaded = _load('[cvmfs.test_paths]\n"cms.cern.ch" = "/x"\n', tmp_path)
    assert loaded.config.cvmfs.test_paths == {"cms.cern.ch": "/x"}


def test_a_threshold_may_come_from_the_environment(tmp_path: Path) -> None:
    config = _load("", tmp_path, SITECAP_THRESHOLDS__LIM_01__WARN_BELOW_FILES="10").config

    check_against_catalogue(config, _catalogue())
    assert config.thresholds == {"LIM-01": {"warn_below_files": 10}}


def test_the_user_s_file_is_found_before_the_machine_s(tmp_path: Path) -> None:
    place = tmp_path / ".config/sitecap/agent.toml"
    place.parent.mkdir(parents=True)
    place.write_text("budget_s = 7")

    assert load({}, {"HOME": str(tmp_path)}).config.budget_s == 7


def test_a_home_that_cannot_be_looked_into_holds_no_file() -> None:
    """As root's HOME does not for what its daemons start as other users; a name too long is refused to root, too."""
    home = f"/{'x' * 300}"
    with pytest.raises(OSError, match="File name too long"):
        Path(home).stat()

    assert load({}, {"HOME": home}).config.budget_s == 60


def test_the_variable_names_the_file(tmp_path: Path) -> None:
    path = _write(tmp_path, "budget_s = 8")

    assert load({}, {"HOME": "/", "SITECAP_CONFIG": str(path)}).config.budget_s == 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("budgets_s = 1", ["budgets_s", "did you mean 'budget_s'", "agent.toml"]),
        ("[disk]\nscratch_path = 'work'", ["disk.scratch_path", "must be an absolute path", "'work'"]),
        ("[disk]\nscratch_pth = '/x'", ["disk.scratch_pth", "disk.scratch_path"]),
        ("budget_s = 'long'", ["budget_s", "number", "'long'", "agent.toml"]),
        ("budget_s = -1", ["budget_s", "greater than 0", "-1"]),
        ("budget_s = nan", ["budget_s", "nan"]),
        ("disk = 3", ["disk", "agent.toml"]),
        ("site_profile = 'cloud'", ["site_profile", "no-outbound", "'cloud'"]),
        ("budget_s = ", ["not TOML", "agent.toml"]),
        ("thresholds = 1", ["thresholds", "1"]),
        ("[[network.endpoints]]\nname='x'\nhost='h'\nport=70000", ["network.endpoints", "port", "70000"]),
    ],
)
def test_a_mistake_is_one_sentence_with_place_and_remedy(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(text, tmp_path)

    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == [], message


def test_a_wrong_variable_is_named_as_the_user_wrote_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"SITECAP_DISK__SCRATCH_PTH.*did you mean"):
        _load("", tmp_path, SITECAP_DISK__SCRATCH_PTH="/x")


def test_a_value_where_a_table_is_expected_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"disk"):
        _load("disk = 3", tmp_path, SITECAP_DISK__SCRATCH_PATH="/x")


def test_a_missing_file_and_a_binary_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file"):
        load({}, {}, tmp_path / "none.toml")
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.toml: not UTF-8"):
        load({}, {}, path)
    with pytest.raises(ConfigError, match=r"directory"):
        load({}, {}, tmp_path)


class _NoFacts(Facts):
    size_bytes: int | None = None


def _gather(host: Host, settings: Settings) -> _NoFacts:
    return _NoFacts()


def _judge(facts: _NoFacts, judging: Judging) -> list[CheckResult]:
    return []


def _catalogue() -> dict[str, tuple[Probe, Check]]:
    bounds = (
        Bound(name="warn_below_files", default=65536, origin="test"),
        Bound(name="wanted_word", default="el9", origin="test"),
    )
    check = Check(id="LIM-01", title="t", rule="r", origin="o", hint="h", why="w", bounds=bounds)
    probe = Probe(
        name="limits",
        title="t",
        section="Slot",
        facts_model=_NoFacts,
        gather=_gather,
        judge=_judge,
        summarise=str,
        checks=(check,),
    )
    return {"LIM-01": (probe, check)}


def test_thresholds_that_the_catalogue_knows_are_taken(tmp_path: Path) -> None:
    text = '[thresholds.LIM-01]\nwarn_below_files = 100\nwanted_word = "el8"\n[skip_checks]\nLIM-01 = "why"\n'

    loaded = _load(text, tmp_path)

    check_against_catalogue(loaded.config, _catalogue())
    assert loaded.config.thresholds["LIM-01"] == {"warn_below_files": 100, "wanted_word": "el8"}
    assert _origin(loaded, "thresholds.LIM-01.warn_below_files") == str(tmp_path / "agent.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[thresholds.LIM-1]\nwarn_below_files = 1", ["LIM-1", "did you mean 'LIM-01'"]),
        ("[skip_checks]\nLIM-02 = 'why'", ["LIM-02", "did you mean 'LIM-01'"]),
        ("[thresholds.LIM-01]\nwarn_below_file = 1", ["warn_below_file", "did you mean 'warn_below_files'"]),
        (
            "[thresholds.LIM-01]\nwarn_below_files = 'x'",
            ["thresholds.LIM-01.warn_below_files", "number", "'x'"],
        ),
        ("[thresholds.LIM-01]\nwarn_below_files = true", ["number", "True"]),
        ("[thresholds.LIM-01]\nwarn_below_files = nan", ["number", "nan"]),
        ("[thresholds.LIM-01]\nwanted_word = 9", ["text", "9"]),
        ("[thresholds.LIM-01]\nwanted_word = true", ["text", "True"]),
    ],
)
def test_thresholds_are_held_against_the_catalogue(tmp_path: Path, text: str, words: list[str]) -> None:
    config = _load(text, tmp_path).config

    with pytest.raises(ConfigError) as caught:
        check_against_catalogue(config, _catalogue())

    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_every_value_has_an_origin_and_is_json(tmp_path: Path) -> None:
    values: list[Json] = [value.key for value in _load("", tmp_path).values]

    assert "disk.scratch_path" in values
    assert len(values) == len(set(map(str, values)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cvmfs.proxies=http://squid:3128;DIRECT", ("cvmfs.proxies", "http://squid:3128;DIRECT")),
        ("cvmfs.budget_s=5", ("cvmfs.budget_s", 5)),
        ('xrootd.local_urls=["root://a:1094"]', ("xrootd.local_urls", ["root://a:1094"])),
        ("site_name=", ("site_name", "")),
    ],
)
def test_a_setting_on_the_command_line(text: str, expected: tuple[str, object]) -> None:
    assert parse_assignment(text) == expected


@pytest.mark.parametrize("text", ["cvmfs.proxies", "=x", ""])
def test_a_setting_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        parse_assignment(text)


def test_variables_of_the_service_are_not_the_agents() -> None:
    loaded = load({}, {"SITECAP_CAPACITY_DATABASE__URL": "sqlite:////srv/capacity.db"})
    assert {value.origin for value in loaded.values} == {"default"}
