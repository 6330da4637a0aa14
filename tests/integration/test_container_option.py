"""`agent probe --container`: the host and a real container of a real engine, side by side."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lab.apptainer import USER_ID, Apptainer
from tests.lab.cache import cache_dir
from tests.lab.engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("containers")]

PROBES = ("context", "cores", "memory", "container")


def agent(*args: str, env: Mapping[str, str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The agent's command line with a cache and a configuration folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "agent", "probe", *args],
        env=environment(env, tmp_path),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def environment(env: Mapping[str, str], tmp_path: Path) -> dict[str, str]:
    own = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "CONTAINER_"))
    }
    return {**kept, **own, **env}


def left_behind(engine: Engine) -> str:
    """The agent's containers that the engine knows, with their state."""
    form = "{{.Names}} {{.Status}} {{.CreatedAt}}"
    return engine.cli("ps", "--all", "--format", form, "--filter", "label=io.sitecap=probe").stdout


def assert_nothing_is_left(engine: Engine) -> None:
    """No container of the agent's stays. Podman ends its own cleaning up some moments after it has answered."""
    deadline = time.monotonic() + 30
    while (left := left_behind(engine)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == ""


def differences(document: Mapping[str, Any]) -> dict[str, Any]:
    return {row["what"]: row for row in document["differences"]}


@pytest.fixture(params=["podman", "docker"])
def served(request: pytest.FixtureRequest) -> tuple[Engine, dict[str, str]]:
    """An engine and the variable by which its socket is found."""
    if request.param == "podman":
        socket: str = request.getfixturevalue("podman_socket")
        return request.getfixturevalue("podman"), {"CONTAINER_HOST": socket}
    engine: Engine = request.getfixturevalue("dockerd")
    assert engine.url is not None
    return engine, {"DOCKER_HOST": engine.url}


def test_the_same_probes_run_inside(served: tuple[Engine, dict[str, str]], tmp_path: Path) -> None:
    engine, env = served

    done = agent(
        *PROBES, "--json", "--container", engine.name, engine.images.debian, env=env, tmp_path=tmp_path
    )

    assert done.returncode in (0, 1), done.stderr
    document = json.loads(done.stdout)
    assert document["container"]["facts"]["context"]["runtime"] == engine.name
    assert document["host"]["facts"]["context"]["runtime"] != engine.name
    assert (
        document["host"]["facts"]["cores"]["host_cpus"]
        == document["container"]["facts"]["cores"]["host_cpus"]
    )
    assert document["container"]["facts"]["disk"] is None
    capabilities = differences(document)["capabilities"]
    assert int(capabilities["container"]) < int(capabilities["host"])
    assert_nothing_is_left(engine)


def test_the_screen_shows_both_views(served: tuple[Engine, dict[str, str]], tmp_path: Path) -> None:
    engine, env = served

    done = agent(*PROBES, "--container", engine.name, engine.images.busybox, env=env, tmp_path=tmp_path)

    assert done.returncode in (0, 1), done.stderr
    runtime = next(line for line in done.stdout.splitlines() if "runtime around" in line)
    assert runtime.startswith("≠")
    assert runtime.split()[-1] == engine.name


def test_the_settings_go_along(served: tuple[Engine, dict[str, str]], tmp_path: Path) -> None:
    engine, env = served
    config = tmp_path / "agent.toml"
    config.write_text('site_name = "T2_XX_Lab"\n[skip_checks]\nCNT-03 = "no payloads in this test"\n')

    done = agent(
        "container", "--json", "--config", str(config), "--container", engine.name, engine.images.busybox,
        env=env, tmp_path=tmp_path,
    )  # fmt: skip

    assert done.returncode in (0, 1), done.stderr
    inside = json.loads(done.stdout)["container"]
    assert inside["site"]["name"] == "T2_XX_Lab"
    (check,) = [check for check in inside["checks"] if check["id"] == "CNT-03"]
    assert (check["status"], "no payloads in this test" in check["reason"]) == ("SKIPPED", True)


def test_a_missing_image_is_not_pulled(served: tuple[Engine, dict[str, str]], tmp_path: Path) -> None:
    engine, env = served

    done = agent("context", "--container", engine.name, "localhost/absent:1", env=env, tmp_path=tmp_path)

    assert done.returncode == 3
    assert f"pull it first: {engine.name} pull localhost/absent:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_look_leaves_no_container(
    served: tuple[Engine, dict[str, str]], tmp_path: Path
) -> None:
    engine, env = served
    command = [sys.executable, "-m", "agent", "probe", "--container", engine.name, engine.images.busybox]
    process = subprocess.Popen(
        command, env=environment(env, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while left_behind(engine) == "" and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode == 128 + signal.SIGTERM, said
    assert_nothing_is_left(engine)


def test_an_engine_that_is_not_there(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": f"unix://{tmp_path}/absent.sock"}

    done = agent("context", "--container", "docker", "busybox", env=env, tmp_path=tmp_path)

    assert done.returncode == 3
    assert f"docker does not answer at unix://{tmp_path}/absent.sock" in done.stderr
    assert "Traceback" not in done.stderr


def test_apptainer_by_its_command_line(apptainer: Apptainer, tmp_path: Path) -> None:
    """The lab's Apptainer lives in its own root, where the agent's files lie elsewhere: `apptainer` on PATH enters it."""
    places = {str(mount.source): f"/agent/{number}" for number, mount in enumerate(apptainer.agent.mounts)}
    entering = tmp_path / "bin/apptainer"
    entering.parent.mkdir()
    identity = ["setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups"]
    entering.write_text(
        f"#!{sys.executable}\nimport os, sys\nplaces = {places!r}\n"
        "def inside(word):\n"
        "    source, colon, rest = word.partition(':')\n"
        "    return places.get(os.path.realpath(source), source) + colon + rest if colon else word\n"
        f"os.execvp('nsenter', ['nsenter', '--target={apptainer.holder_pid}', '--mount', *{identity!r},"
        " 'env', 'HOME=/home/pilot', 'PATH=/usr/bin:/bin', 'apptainer', *map(inside, sys.argv[1:])])\n"
    )
    entering.chmod(entering.stat().st_mode | stat.S_IXUSR)
    # The same cache as the lab's, so that the staged copy is the one that the lab's root has.
    home = tmp_path / "xdg"
    home.mkdir()
    (home / "sitecap").symlink_to(cache_dir() / "portable")
    env = {"PATH": f"{entering.parent}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(home)}

    done = agent("context", "container", "--json", "--container", "apptainer", apptainer.image, env=env, tmp_path=tmp_path)  # fmt: skip

    assert done.returncode in (0, 1), done.stderr + done.stdout
    inside = json.loads(done.stdout)["container"]["facts"]
    assert inside["context"]["runtime"] == "apptainer"
    assert (inside["container"]["mode"], inside["container"]["no_new_privs"]) == ("unprivileged", True)
