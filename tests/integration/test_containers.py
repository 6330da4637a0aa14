"""The agent inside real Podman and Docker containers: what it finds granted is what was granted."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import docker
import pytest

from profiles.facts.container import SeccompMode
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.lab.asking import Question
from tests.lab.engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("containers")]

CGROUPS = "/sys/fs/cgroup"
MIB = 1024 * 1024
LIMITS: dict[str, Any] = {"cpus": 0.5, "memory": "256m", "cpuset": "1", "pids": 100}
HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=54321:54321"]
# Not --privileged: a machine without CAP_SYS_RESOURCE cannot hand it on.
POWERFUL = ["--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined"]


@pytest.fixture(params=["podman", "dockerd"])
def engine(request: pytest.FixtureRequest) -> Engine:
    running: Engine = request.getfixturevalue(request.param)
    return running


def file(path: str) -> Question:
    return ("file", [path, 65_536])


# -- what the host door sees: the ground that the probes stand on ----------------------------------------


def test_the_limits_of_a_container_can_be_read_inside_it(engine: Engine) -> None:
    questions = [
        ("stat", [f"{CGROUPS}/cgroup.controllers", True]),
        ("affinity", []),
        *(file(f"{CGROUPS}/{name}") for name in ("cpu.max", "memory.max", "pids.max")),
        file(f"{CGROUPS}/cpu/cpu.cfs_quota_us"),
        file(f"{CGROUPS}/cpu/cpu.cfs_period_us"),
        file(f"{CGROUPS}/memory/memory.limit_in_bytes"),
        file(f"{CGROUPS}/pids/pids.max"),
    ]

    unified, affinity, *files = engine.ask(engine.images.busybox, questions, **LIMITS)

    assert affinity == [1]
    limits = [text.strip() for text in files if isinstance(text, str)]
    if "error" in unified:
        assert limits == ["50000", "100000", str(256 * MIB), "100"]
    else:
        assert limits == ["50000 100000", str(256 * MIB), "100"]


def test_memory_of_the_whole_machine_shines_through(engine: Engine) -> None:
    """The trap: /proc/meminfo knows nothing of the limit, so a probe must not believe it."""
    (inside,) = engine.ask(engine.images.busybox, [file("/proc/meminfo")], memory="256m")

    total_kib = next(int(line.split()[1]) for line in inside.splitlines() if line.startswith("MemTotal:"))
    assert total_kib * 1024 > 256 * MIB


def test_each_engine_leaves_its_mark(podman: Engine, dockerd: Engine) -> None:
    marks: list[Question] = [
        ("stat", ["/run/.containerenv", True]),
        ("stat", ["/.dockerenv", True]),
        ("env", ["container"]),
    ]

    (podmans, no_docker, container) = podman.ask(podman.images.busybox, marks)
    (no_podman, dockers, unset) = dockerd.ask(dockerd.images.busybox, marks)

    assert (podmans[0], no_docker, container) == ("file", {"error": "ENOENT"}, "podman")
    assert (no_podman, dockers[0], unset) == ({"error": "ENOENT"}, "file", None)


def test_a_hardened_container_of_a_random_user_answers_too(engine: Engine) -> None:
    questions: list[Question] = [
        ("identity", []),
        ("try_write", ["/", 4096]),
        file("/proc/self/status"),
        ("dir", ["/sys/class/net"]),
        ("connect", ["192.0.2.1", 80, 0.5]),
    ]

    identity, write, status, interfaces, connect = engine.ask(engine.images.debian, questions, extra=HARDENED)

    assert identity == [54321, 54321, 54321]
    assert write[:2] == [False, "EROFS"]
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (lines["CapEff"], lines["NoNewPrivs"]) == ("0000000000000000", "1")
    assert "lo" in interfaces
    assert not connect[0]


def test_a_quota_throttles(engine: Engine) -> None:
    """The limit is the kernel's, not a number in a file: a container that burns is held back."""
    command = [
        "sh",
        "-c",
        "timeout 2 sh -c 'while :; do :; done'; cat /sys/fs/cgroup/cpu/cpu.stat /sys/fs/cgroup/cpu.stat",
    ]
    done = engine.run(engine.images.busybox, command, cpus=0.25)

    counters = dict(line.split() for line in done.stdout.splitlines())
    assert int(counters["nr_throttled"]) > 0


# -- what the agent makes of it ---------------------------------------------------------------------------


def profile_inside(engine: Engine, image: str, *probes: str, **options: Any) -> CapabilityProfile:
    done = engine.run_agent(image, ["probe", "--json", *probes], **options)
    assert done.returncode in (0, 1), done.stderr + done.stdout
    return read_profile(done.stdout.encode())


def test_the_profile_says_what_was_granted(engine: Engine) -> None:
    facts = profile_inside(
        engine, engine.images.busybox, "context", "cores", "memory", "limits", **LIMITS
    ).facts

    assert facts.context is not None
    assert facts.context.runtime == {"podman": "podman", "docker": "docker"}[engine.name]
    assert facts.cores is not None
    assert facts.cores.effective_cores == 0.5
    assert facts.memory is not None
    assert facts.memory.effective_bytes == 256 * MIB
    assert facts.limits is not None
    assert min(level.limit for level in facts.limits.pids) == 100


def test_without_limits_it_is_the_machine_that_is_granted(engine: Engine) -> None:
    facts = profile_inside(engine, engine.images.busybox, "cores", "memory").facts

    assert facts.cores is not None
    assert facts.cores.effective_cores == len(os.sched_getaffinity(0))
    assert facts.memory is not None
    assert facts.memory.effective_bytes is not None
    assert facts.memory.effective_bytes > 256 * MIB


def test_a_hardened_container_is_told_from_a_powerful_one(engine: Engine) -> None:
    image = engine.images.debian
    hardened = profile_inside(engine, image, "container", extra=[*HARDENED, "--tmpfs=/tmp"]).facts.container
    powerful = profile_inside(engine, image, "container", extra=POWERFUL).facts.container

    assert hardened is not None
    assert powerful is not None
    assert (hardened.no_new_privs, hardened.effective_capabilities) == (True, ())
    assert powerful.no_new_privs is False
    assert "sys_admin" in (powerful.effective_capabilities or ())
    assert (hardened.seccomp, powerful.seccomp) == (SeccompMode.FILTER, SeccompMode.DISABLED)
    # Docker's filter refuses unshare() without CAP_SYS_ADMIN, Podman's lets it pass.
    assert hardened.user_namespaces_work is (engine.name == "podman")
    assert powerful.user_namespaces_work is True


# -- the API ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["podman_socket", "dockerd"])
def client(request: pytest.FixtureRequest) -> Iterator[docker.DockerClient]:
    """The engine's API as the package ``docker`` sees it."""
    running: Engine | str = request.getfixturevalue(request.param)
    api = docker.DockerClient(base_url=running if isinstance(running, str) else running.url, timeout=60)
    yield api
    api.close()


def test_the_carried_python_runs_through_the_api(
    client: docker.DockerClient, podman: Engine, dockerd: Engine
) -> None:
    components = {part["Name"] for part in client.version()["Components"]}
    engine = podman if "Podman Engine" in components else dockerd
    volumes = {str(mount.source): {"bind": mount.target, "mode": "ro"} for mount in engine.agent.mounts}

    output = client.containers.run(
        engine.images.busybox,
        [*engine.agent.python, "platform", "--terse"],
        volumes=volumes,
        network_mode="none",
        remove=True,
    )

    assert output.startswith(b"Linux-")


# -- nothing stays behind ----------------------------------------------------------------------------------


def test_a_container_that_outstays_its_time_is_removed(engine: Engine) -> None:
    impatient = replace(engine, timeout_s=3)
    with pytest.raises(subprocess.TimeoutExpired):
        impatient.run(engine.images.busybox, ["sleep", "600"], extra=["--label=lab=outstays"])
    assert engine.cli("ps", "--all", "--quiet", "--filter", "label=lab=outstays").stdout == ""
