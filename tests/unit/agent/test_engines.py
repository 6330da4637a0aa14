"""Where an engine is looked for, what is said when something is missing, and how settings travel."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import engine_api, engines
from agent.config import Config, load
from agent.engines import EngineError, probe_in_container, to_toml
from probes.settings import Endpoint, NetworkSettings


def test_podman_looks_where_its_own_command_line_does() -> None:
    env = {"XDG_RUNTIME_DIR": "/run/user/1000"}
    assert engine_api.addresses("podman", env) == [
        "unix:///run/user/1000/podman/podman.sock",
        "unix:///run/podman/podman.sock",
    ]


def test_a_named_engine_is_the_only_one() -> None:
    env = {"DOCKER_HOST": "unix:///tmp/mine.sock", "CONTAINER_HOST": "unix:///tmp/pod.sock"}
    assert engine_api.addresses("docker", env) == ["unix:///tmp/mine.sock"]
    assert engine_api.addresses("podman", env) == ["unix:///tmp/pod.sock"]


def test_docker_host_may_serve_podman() -> None:
    assert engine_api.addresses("podman", {"DOCKER_HOST": "unix:///d.sock"})[-1] == "unix:///d.sock"
    assert engine_api.addresses("docker", {}) == ["unix:///var/run/docker.sock"]


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:2375", "ssh://node"])
def test_an_engine_elsewhere_cannot_mount_our_files(address: str) -> None:
    with pytest.raises(EngineError, match="not a socket of this machine"):
        engine_api.addresses("docker", {"DOCKER_HOST": address})


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EngineError, match="docker, podman, apptainer"):
        probe_in_container("rkt", "image")


def apptainer_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "bin/apptainer"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_apptainer_pulls_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apptainer_that_runs(tmp_path, monkeypatch, f"touch {tmp_path}/was-started")
    with pytest.raises(EngineError, match="pull it first: apptainer pull docker://alma"):
        probe_in_container("apptainer", "docker://alma", cache_dir=tmp_path / "cache")
    assert not (tmp_path / "was-started").exists()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "echo INFO >&2; echo 'FATAL:   no such image' >&2; exit 255",
            r"status 255\): FATAL:   no such image$",
        ),
        ("echo hello", "is no profile: the profile is not JSON"),
        ("exec head -c 9000000 /dev/zero", "printed more than"),
        ("sleep 60", "within 2 s and was killed"),
    ],
)
def test_a_container_that_gives_no_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    apptainer_that_runs(tmp_path, monkeypatch, script)
    with pytest.raises(EngineError, match=sentence) as caught:
        probe_in_container("apptainer", "image.sif", cache_dir=tmp_path / "cache", timeout_s=2)
    assert "\n" not in str(caught.value)


def test_an_open_cache_directory_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(EngineError, match="mode 0700"):
        probe_in_container("apptainer", "image.sif", cache_dir=tmp_path)


def test_the_cache_follows_the_specification(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert engines.default_cache_dir() == tmp_path / ".cache/sitecap"
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch/cache")
    assert engines.default_cache_dir() == Path("/scratch/cache/sitecap")


def test_the_configuration_survives_the_journey(tmp_path: Path) -> None:
    config = Config(
        site_name="T2_XX_Lab",
        thresholds={"CNT-08": {"warn_below_bytes": 7}},
        skip_checks={"GPU-01": 'says "no"\n— never'},
        network=NetworkSettings(endpoints=(Endpoint(name="a", host="b.example.org", port=1, tls=True),)),
    )
    path = tmp_path / "agent.toml"
    path.write_text(to_toml(config.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    assert load({}, {}, path).config == config


plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(plain, values, max_size=4))
def test_any_table_can_be_written_as_toml(table: dict[str, object]) -> None:
    assert tomllib.loads(to_toml(table)) == table


def test_without_the_extra_it_says_which_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(EngineError, match=r"pip install 'sitecap\[docker\]'"):
        probe_in_container("docker", "image", cache_dir=tmp_path / "cache")
