"""The context and the disk probe inside real containers: what runs them, and what they may write."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from profiles.facts.context import ContextFacts, Runtime
from profiles.facts.disk import DiskFacts
from tests.lab.apptainer import Apptainer
from tests.lab.asking import code_command
from tests.lab.engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("containers")]

GATHER = """
import json
from probes import context, disk
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
host, settings = Host(LiveDoor()), Settings()
found = [probe.PROBE.gather(host, settings).model_dump(mode="json") for probe in (context, disk)]
print(json.dumps(found))
"""


@pytest.fixture(params=["podman", "dockerd"])
def engine(request: pytest.FixtureRequest) -> Engine:
    running: Engine = request.getfixturevalue(request.param)
    return running


def both(done: subprocess.CompletedProcess[str]) -> tuple[ContextFacts, DiskFacts]:
    assert done.returncode == 0, done.stderr
    context, disk = json.loads(done.stdout)
    return ContextFacts(**context), DiskFacts(**disk)


def inside(engine: Engine, image: str, **options: Any) -> tuple[ContextFacts, DiskFacts]:
    extra = [*engine.agent_options(), *options.pop("extra", ())]
    return both(engine.run(image, code_command(engine.agent, GATHER), extra=extra, **options))


def test_the_engine_that_runs_the_container_is_named(engine: Engine) -> None:
    context, _ = inside(engine, engine.images.debian)
    assert context.runtime is (Runtime.PODMAN if engine.name == "podman" else Runtime.DOCKER)
    assert context.os_id == "debian"
    assert (context.libc or "").startswith("glibc 2.")


def test_an_image_without_a_c_library_has_none(engine: Engine) -> None:
    """The carried interpreter has one of its own; that is not what a job in this image finds."""
    context, _ = inside(engine, engine.images.busybox)
    assert context.runtime is not Runtime.NONE
    assert context.libc is None
    assert context.agent_libc is not None


def test_a_small_tmp_of_a_container_is_seen_full(engine: Engine) -> None:
    options = ["--tmpfs=/tmp:size=1m", "--env=TMPDIR=/tmp"]
    _, disk = inside(engine, engine.images.debian, extra=options)
    assert disk.scratch is not None
    assert (disk.scratch.path, disk.scratch.filesystem_type) == ("/tmp", "tmpfs")
    assert disk.scratch.total_bytes == 1024 * 1024
    assert disk.scratch_write is not None
    assert disk.scratch_write.error_name == "ENOSPC"
    assert disk.tmp_write is not None
    assert disk.tmp_write.verified


def test_a_read_only_container_has_nowhere_to_write(engine: Engine) -> None:
    options = ["--read-only", "--env=TMPDIR=/usr"]
    _, disk = inside(engine, engine.images.debian, extra=options)
    assert disk.scratch_write is not None
    assert disk.scratch_write.error_name == "EROFS"


def test_a_payload_of_a_pilot_is_in_apptainer(apptainer: Apptainer) -> None:
    env = {"GLIDEIN_CMSSite": "T2_XX_Lab"}
    command = code_command(apptainer.agent, GATHER)
    context, disk = both(apptainer.run(command, extra=apptainer.agent_options(), env=env))
    assert context.runtime is Runtime.APPTAINER
    assert [(name.source.value, name.name) for name in context.site_names] == [
        ("GLIDEIN_CMSSite", "T2_XX_Lab")
    ]
    assert disk.tmp_write is not None
    assert disk.tmp_write.verified
