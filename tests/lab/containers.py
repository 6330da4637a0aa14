"""Real Podman and real Docker, each with its own storage, and two images made on the spot.

Podman's storage is kept in the cache, so that images are imported once; dockerd gets a fresh one and its
own network namespace (it would switch on IP forwarding for the whole machine).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import portable
from tests.lab import LabUnavailableError, need_commands, need_root, skip_or_fail
from tests.lab.cache import artefact, cache_dir, debootstrap_root, locked
from tests.lab.engine import Engine, Images

DAEMON_START_S = 30
DAEMON_STOP_S = 20
CGROUPS = Path("/sys/fs/cgroup")
BUSYBOX_RECIPE = "1"

# Without CAP_SYS_RESOURCE (many virtual machines) an engine's default limits cannot be set: stay below.
NOFILE, NPROC = 20000, 32768


def debian_root() -> Path:
    """The bookworm tree behind the Debian image."""
    return debootstrap_root("bookworm")


def busybox_root() -> Path:
    """A tree that holds a static busybox and its links, and nothing else that could be run."""
    need_commands("busybox")

    def make(root: Path) -> None:
        for folder in ("bin", "etc", "tmp"):
            (root / folder).mkdir(parents=True)
        (root / "tmp").chmod(0o1777)
        shutil.copy("/bin/busybox", root / "bin/busybox")
        names = subprocess.run(
            ["busybox", "--list"], check=True, capture_output=True, text=True
        ).stdout.split()
        for name in set(names) - {"busybox"}:
            (root / "bin" / name).symlink_to("busybox")

    return artefact("root-busybox", BUSYBOX_RECIPE, make)


def tarball(root: Path) -> Path:
    """The tree as an archive that engines import."""

    def make(path: Path) -> None:
        command = ["tar", "-C", str(root), "--numeric-owner", "-cf", str(path), "."]
        subprocess.run(command, check=True, capture_output=True)

    return artefact(f"{root.name}-tar", "1", make)


@pytest.fixture(scope="session")
def portable_agent() -> portable.PortableAgent:
    """The agent of this interpreter, ready to be carried into containers."""
    return portable.build(cache_dir() / "portable")


@pytest.fixture(scope="session")
def podman(
    portable_agent: portable.PortableAgent, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Real podman with runc, storage in the lab's cache."""
    try:
        need_root()
        need_commands("podman", "runc", "conmon")
        with contextlib.ExitStack() as stack:
            # Podman mounts this on itself and leaves it; busy means that another worker still needs it.
            overlay = ["umount", f"{cache_dir()}/podman/overlay"]
            stack.callback(subprocess.run, overlay, check=False, capture_output=True)
            stack.callback(sweep_cgroups, "libpod_parent")
            yield _podman(portable_agent, tmp_path_factory.mktemp("podman"))
    except LabUnavailableError as reason:
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def podman_socket(podman: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Podman's Docker-compatible API: a ``unix://`` address for DOCKER_HOST."""
    folder = tmp_path_factory.mktemp("podman-api")
    socket = folder / "podman.sock"
    command = [*podman.command, "system", "service", "--time", "0", f"unix://{socket}"]
    try:
        with _daemon(command, {**os.environ, **podman.env}, folder / "log", ready=socket.exists):
            yield f"unix://{socket}"
    except LabUnavailableError as reason:
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def dockerd(
    portable_agent: portable.PortableAgent, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Real dockerd in its own network namespace."""
    try:
        need_root()
        need_commands("dockerd", "docker", "ip", "nsenter")
        folder = tmp_path_factory.mktemp("dockerd")
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, folder / "data", ignore_errors=True)
            stack.callback(sweep_cgroups, "docker")
            yield stack.enter_context(_dockerd(portable_agent, folder))
    except LabUnavailableError as reason:
        skip_or_fail(reason)


def _podman(agent: portable.PortableAgent, folder: Path) -> Engine:
    # Podman remembers in its storage where its runtime directories were: they have to stay the same.
    run = Path("/run/sitecap-lab-podman")
    storage, containers = folder / "storage.conf", folder / "containers.conf"
    storage.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{cache_dir()}/podman"\nrunroot = "{run}/storage"\n'
    )
    # crun refuses the hybrid of cgroup v1 and v2, runc does not; no systemd is asked for cgroups or logs.
    containers.write_text(
        f'[containers]\ndefault_ulimits = ["nofile={NOFILE}:{NOFILE}", "nproc={NPROC}:{NPROC}"]\n'
        f'[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n'
        f'events_logger = "file"\ntmp_dir = "{run}/tmp"\n'
    )
    env = {"CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_CONF": str(containers)}
    roots = debian_root(), busybox_root()
    images = Images(*(f"localhost/sitecap-lab/{root.name}:latest" for root in roots))
    engine = Engine("podman", ("podman",), env, images, agent)
    with locked("podman-images"):
        for root, image in zip(roots, (images.debian, images.busybox), strict=True):
            if engine.cli("image", "exists", image).returncode != 0:
                _checked(engine, "import", str(tarball(root)), image)
    return engine


@contextlib.contextmanager
def _dockerd(agent: portable.PortableAgent, folder: Path) -> Iterator[Engine]:
    url = f"unix://{folder}/docker.sock"
    config = folder / "daemon.json"
    config.write_text(
        json.dumps(
            {
                "iptables": False,
                "ip6tables": False,
                "bridge": "none",
                "storage-driver": "overlay2",
                "data-root": f"{folder}/data",
                "exec-root": f"{folder}/exec",
                "pidfile": f"{folder}/docker.pid",
                "hosts": [url],
                "default-ulimits": {"nofile": {"Name": "nofile", "Hard": NOFILE, "Soft": NOFILE}},
            }
        )
    )
    roots = debian_root(), busybox_root()
    images = Images(*(f"sitecap-lab/{root.name}:latest" for root in roots))
    # An own DOCKER_CONFIG: neither this user's credentials nor contexts play a part.
    env = {"DOCKER_HOST": url, "DOCKER_CONFIG": str(folder / "client")}
    engine = Engine("docker", ("docker",), env, images, agent, url=url)
    with network_namespace(f"sitecap-docker-{os.getpid()}") as namespace:
        # What dockerd mounts (and forgets, such as its network namespace) goes with its mount namespace.
        own = ["nsenter", f"--net={namespace}", "unshare", "--mount", "--propagation=slave"]
        command = [*own, "dockerd", "--config-file", str(config)]
        ready = lambda: engine.cli("version").returncode == 0  # noqa: E731
        with _daemon(command, dict(os.environ), folder / "log", ready=ready):
            for root, image in zip(roots, (images.debian, images.busybox), strict=True):
                _checked(engine, "import", str(tarball(root)), image)
            yield engine


@contextlib.contextmanager
def network_namespace(name: str) -> Iterator[Path]:
    """A network namespace of its own with ``lo`` up; the path is for ``nsenter --net=``."""
    subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True, capture_output=True)
        yield Path("/run/netns") / name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def _checked(engine: Engine, *args: str) -> None:
    done = engine.cli(*args)
    if done.returncode != 0:
        raise LabUnavailableError(f"{engine.name} {args[0]} failed: {done.stderr.strip()[-300:]}")


@contextlib.contextmanager
def _daemon(command: list[str], env: dict[str, str], log: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """A daemon from when it is ready until it has ended; its last words are in the reason if it fails."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + DAEMON_START_S
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                words = log.read_text(errors="replace").strip()[-300:]
                raise LabUnavailableError(f"{' '.join(command[:4])} does not start: {words}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(DAEMON_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def sweep_cgroups(name: str) -> None:
    """Remove the cgroup that an engine makes for all its containers.

    The kernel refuses to remove one that has a process, and an engine makes it anew when it is missing:
    so this is safe beside another worker's engine, or an engine that belongs to the machine.
    """
    for top in CGROUPS.glob(f"*/{name}"):
        # os.walk passes over what another worker removes at the same time.
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
