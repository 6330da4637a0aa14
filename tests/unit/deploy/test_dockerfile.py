"""What the images promise and a build would show only after minutes, or never."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
SCRIPTS = sorted((REPOSITORY / "deploy").rglob("*.sh"))


def stages() -> dict[str, list[str]]:
    """Stage → its instructions, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in joined.splitlines():
        if match := re.match(r"FROM .* AS (\S+)$", line):
            lines = found.setdefault(match[1], [])
        if line and not line.startswith("#"):
            lines.append(line)
    return found


def test_every_package_of_the_wheel_reaches_the_build() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    packages = set(settings["tool"]["scikit-build"]["wheel"]["packages"])
    let_through = {
        line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }

    lines = stages()["kernels"] + stages()["wheel"]
    copied = {word for line in lines if line.startswith("COPY ") for word in line.split()[1:]}
    assert packages <= copied
    assert packages <= let_through


def test_the_bases_are_pinned_by_digest_and_can_be_replaced() -> None:
    defaults = re.findall(r"^ARG (PYTHON|BUILDER)=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert [name for name, _ in defaults] == ["PYTHON", "BUILDER"]
    assert all(re.fullmatch(r"[^@]+:[^@]+@sha256:[0-9a-f]{64}", image) for _, image in defaults)

    others = {line.split()[-3] for lines in stages().values() for line in lines if line.startswith("FROM ")}
    assert others <= {"${PYTHON}", "${BUILDER}", *stages()}


@pytest.mark.parametrize("stage", ["agent", "service"])
def test_a_last_stage_runs_nothing_and_is_no_root(stage: str) -> None:
    """Without RUN no emulator is needed for another architecture, and no compiler can be left behind."""
    lines = stages()[stage]
    assert lines[0] == f"FROM python AS {stage}"
    assert not [line for line in lines if line.startswith(("RUN ", "ADD "))]
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_scripts_are_plain_sh(script: Path) -> None:
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_image_or_no_engine_costs_one_sentence(tmp_path: Path) -> None:
    build = REPOSITORY / "deploy/image/build.sh"
    dirname = shutil.which("dirname")
    assert dirname
    (tmp_path / "dirname").symlink_to(dirname)

    wrong = subprocess.run([build, "pilot"], capture_output=True, text=True, check=False)
    none = subprocess.run(
        ["/bin/sh", build, "agent"], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )

    for done, word in ((wrong, "agent or service"), (none, "podman")):
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert word in done.stderr
