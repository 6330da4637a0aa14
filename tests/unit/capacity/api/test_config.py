"""The service's configuration: layers, origins, one sentence for what is wrong, no secret shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capacity.config import ConfigError, data_directory, database_url, load
from sitecap.layers import MAX_FILE_BYTES


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "capacity.toml"
    path.write_text(text)
    return path


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[server]\nport = 1\nworkers = 2\nheader_s = 3\n")
    environment = {"SITECAP_CAPACITY_SERVER__PORT": "4", "SITECAP_CAPACITY_SERVER__WORKERS": "5"}
    loaded = load({"server.port": 6}, environment, path)
    server = loaded.config.server
    assert (server.port, server.workers, server.header_s) == (6, 5, 3)
    origins = {value.key: value.origin for value in loaded.values}
    assert origins["server.port"] == "flag"
    assert origins["server.workers"] == "environment"
    assert origins["server.header_s"] == str(path)
    assert origins["server.body_s"] == "default"


def test_a_file_is_found_where_it_is_looked_for(tmp_path: Path) -> None:
    folder = tmp_path / "sitecap"
    folder.mkdir()
    written(folder, "[server]\nport = 7\n")
    assert load({}, {"XDG_CONFIG_HOME": str(tmp_path)}).config.server.port == 7
    other = written(tmp_path, "[server]\nport = 8\n")
    both = {"XDG_CONFIG_HOME": str(tmp_path), "SITECAP_CAPACITY_CONFIG": str(other)}
    assert load({}, both).config.server.port == 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[server]\nprot = 1\n", "did you mean 'server.port'"),
        ("[server]\nport = 99999\n", "server.port"),
        ("[server]\nport = 'x'\n", "server.port"),
        ("server = 3\n", "server"),
        ("[server\n", "not TOML"),
        ("[server]\ntls_key = 'x'\n", "belong together"),
        ("[limits]\nbody_bytes = 0\n", "limits.body_bytes"),
        ("[auth]\ntoken_cache_s = nan\n", "auth.token_cache_s"),
    ],
)
def test_what_is_wrong_is_told_with_key_and_place(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load({}, {}, path)
    assert told in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_variable_that_means_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SITECAP_CAPACITY_SERVER__PROT"):
        load({}, {"SITECAP_CAPACITY_SERVER__PROT": "1"})


@pytest.mark.parametrize("content", [b"\xff", b"x" * (MAX_FILE_BYTES + 1)])
def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "capacity.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load({}, {}, path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load({}, {}, tmp_path / "nothing.toml")


def test_the_database_s_password_is_never_shown() -> None:
    loaded = load({}, {"SITECAP_CAPACITY_DATABASE__URL": "postgresql://sitecap:hunter2@db/capacity"})
    assert "hunter2" not in repr(loaded)
    assert database_url(loaded.config, {}).endswith("hunter2@db/capacity")
    with pytest.raises(ConfigError) as refused:
        load({"database.url": ["postgresql://sitecap:hunter2@db/capacity"]}, {})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({"HOME": "/home/a b"}, "sqlite:////home/a%20b/.local/share/sitecap/capacity.db"),
        ({"XDG_DATA_HOME": "/data", "HOME": "/home/a"}, "sqlite:////data/sitecap/capacity.db"),
    ],
)
def test_the_embedded_database_has_its_place(environment: dict[str, str], path: str) -> None:
    assert database_url(load({}, environment).config, environment) == path


def test_without_a_home_somebody_must_say_where() -> None:
    config = load({}, {}).config
    with pytest.raises(ConfigError, match="data_directory"):
        data_directory(config, {})


@pytest.mark.parametrize(
    ("flags", "public"),
    [
        ({}, True),
        ({"server.host": "::1"}, True),
        ({"server.host": "localhost"}, True),
        ({"server.host": "0.0.0.0"}, False),
        ({"server.host": "capacity.example"}, False),
        ({"server.trusted_proxies": "127.0.0.1"}, False),
        ({"server.host": "0.0.0.0", "auth.public_read": True}, True),
        ({"auth.public_read": False}, False),
    ],
)
def test_anybody_reads_only_on_loopback_unless_told_otherwise(flags: dict[str, Any], public: bool) -> None:
    assert load(flags, {}).config.public_read is public


def test_an_issuer_may_not_be_there_twice() -> None:
    issuer = {"issuer": "https://a", "audience": ["b"], "grants": [{"scope": "x", "role": "read"}]}
    with pytest.raises(ConfigError, match="twice"):
        load({"auth.issuers": [issuer, issuer]}, {})
