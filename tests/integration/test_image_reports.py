"""The agent's image where it goes on running or hands in: the daemon as a container's first process, jobs, a pod."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from capacity.service.principal import Role
from tests.lab.container import STRICT, Container, started
from tests.lab.delivery import stored_ids
from tests.lab.engine import Engine
from tests.lab.foreign import REPOSITORY
from tests.lab.service import Service
from tests.lab.waiting import until

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.xdist_group("image")]

MANIFEST = REPOSITORY / "deploy/podman/sitecap-agent.yaml"
USER_ID = 10001
LIMIT_S = 120
PATIENCE_S = 20
"""Of the engine with a first process that was asked to end, before it is killed; Kubernetes waits 30 s."""

QUICK = {"SITECAP_SITE_PROFILE": "no-outbound", "SITECAP_SITE_NAME": "T2_XX_Lab", "SITECAP_DAEMON__SPREAD_S": "0"}  # fmt: skip
ZOMBIES = (
    "import glob, json\n"
    "found = []\n"
    "for path in glob.glob('/proc/[0-9]*/stat'):\n"
    "    try: stat = open(path).read()\n"
    "    except OSError: continue\n"
    "    found += [stat] if stat.rpartition(')')[2].split()[0] == 'Z' else []\n"
    "print(json.dumps(found))"
)


def settings_of(**settings: str) -> list[str]:
    return [f"--env={name}={value}" for name, value in {**QUICK, **settings}.items()]


# -- the daemon --------------------------------------------------------------------------------------------


def test_the_daemon_answers_in_the_strictest_container_and_ends_when_it_is_told(
    podman: Engine, agent_image: str
) -> None:
    """It is the first process, which the kernel protects from signals that it does not handle, and inherits orphans."""
    confined = [*STRICT, "--user=54321:54321", "--memory=128m", "--pids-limit=64"]
    with started(podman, agent_image, ["daemon"], *confined, *settings_of()) as daemon:
        pages = "http://127.0.0.1:9617"
        daemon.until("the first look", lambda: daemon.status_of(f"{pages}/readyz") == 200, LIMIT_S)

        assert [daemon.status_of(f"{pages}/{page}") for page in ("healthz", "metrics")] == [200, 200]
        daemon.until("no zombie", lambda: daemon.python(ZOMBIES) == [], LIMIT_S)
        assert daemon.stop(PATIENCE_S) == 0, daemon.log
        assert "SIGTERM: the daemon ends" in daemon.log


# -- a service of this machine -------------------------------------------------------------------------------


@dataclass
class Site:
    """What a node keeps for its containers, and the service that they hand in to.

    Attributes:
        directory: of the token and the spool.
        service: may be running or not.
    """

    directory: Path
    service: Service

    def __post_init__(self) -> None:
        for folder in (self.spool, self.settings):
            folder.mkdir(mode=0o750, parents=True)
            os.chown(folder, USER_ID, USER_ID)
        token = self.settings / "token"
        token.write_text(self.service.token(Role.SUBMIT))
        token.chmod(0o400)
        os.chown(token, USER_ID, USER_ID)

    @property
    def spool(self) -> Path:
        return self.directory / "spool"

    @property
    def settings(self) -> Path:
        return self.directory / "settings"

    @property
    def delivery(self) -> dict[str, str]:
        return {
            "SITECAP_DELIVERY__URL": self.service.url,
            "SITECAP_DELIVERY__TOKEN_FILE": "/etc/sitecap-agent/token",
            "SITECAP_DELIVERY__SPOOL_DIRECTORY": "/var/spool/sitecap",
            "SITECAP_DELIVERY__BACKOFF_MAX_S": "1",
        }

    def waiting(self) -> list[str]:
        """Ids of the profiles in the spool; an agent may take one away meanwhile."""
        ids = []
        for path in self.spool.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):
                ids.append(json.loads(path.read_text())["id"])
        return ids

    def job(self, engine: Engine, image: str, *argv: str) -> Any:
        """A container that does one thing and ends, with this site's token and spool."""
        mounts = [f"--volume={self.spool}:/var/spool/sitecap", f"--volume={self.settings}:/etc/sitecap-agent:ro"]  # fmt: skip
        return engine.run(
            image, argv, network="host", extra=[*STRICT, *mounts, *settings_of(**self.delivery)]
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    directory = tmp_path / "service"
    directory.mkdir()
    service = Service(directory)
    # Once, for its address and its database.
    service.start()
    yield Site(tmp_path / "site", service)
    service.kill()


def test_jobs_hand_in_what_an_earlier_one_could_not(podman: Engine, agent_image: str, site: Site) -> None:
    site.service.kill()
    away = site.job(podman, agent_image, "pilot", "--bench=none", "--budget=20s")
    waiting = site.waiting()

    site.service.start()
    there = site.job(podman, agent_image, "submit", "--json")
    pilot = site.job(podman, agent_image, "pilot", "--bench=none", "--budget=60s")

    assert (away.returncode, len(waiting)) == (4, 1), away.stdout + away.stderr
    assert there.returncode == 0, there.stdout + there.stderr
    assert json.loads(there.stdout)["delivered"] == 1
    assert pilot.returncode == 0, pilot.stdout + pilot.stderr
    stored = stored_ids(site.service)
    assert len(stored) == len(set(stored)) == 2
    assert set(waiting) < set(stored)
    assert site.waiting() == []


# -- a pod: the manifest as it is shipped, with this test's addresses ---------------------------------------------


class Pod:
    """The shipped pod, which podman keeps alive.

    Args:
        engine: that runs it.
        image: of the agent.
        site: whose service it reports to.
        file: for the manifest.
    """

    def __init__(self, engine: Engine, image: str, site: Site, file: Path) -> None:
        manifest = yaml.safe_load(MANIFEST.read_text())
        name = manifest["metadata"]["name"] = f"sitecap-pod-{os.getpid()}"
        (agent,) = manifest["spec"]["containers"]
        agent |= {"image": image, "imagePullPolicy": "Never"}
        ours = {**QUICK, **site.delivery, "SITECAP_DAEMON__PORT": "0"}
        assert {one["name"] for one in agent["env"]} <= ours.keys()
        agent["env"] = [{"name": key, "value": value} for key, value in ours.items()]
        places = {"/var/spool/sitecap": site.spool, "/etc/sitecap-agent": site.settings}
        for volume in manifest["spec"]["volumes"]:
            if path := volume.get("hostPath"):
                path["path"] = str(places.pop(path["path"]))
            else:
                volume["name"] += f"-{os.getpid()}"
                agent["volumeMounts"][0]["name"] = volume["name"]
        assert not places
        file.write_text(yaml.safe_dump(manifest))
        self._engine = engine
        self._file = file
        self.container = Container(engine, f"{name}-agent")

    def __enter__(self) -> Self:
        done = self._engine.cli("play", "kube", str(self._file))
        assert done.returncode == 0, done.stderr
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.cli("play", "kube", "--down", str(self._file))

    def kill(self) -> None:
        """kill -9 of the agent; podman starts it again."""
        state = self._engine.cli("inspect", "--format", "{{.State.Pid}}", self.container.name)
        os.kill(int(state.stdout), signal.SIGKILL)


def test_a_pod_reports_every_profile_once_to_a_service_that_is_killed(
    podman: Engine, agent_image: str, site: Site, tmp_path: Path
) -> None:
    """The agent is killed while the service is away, and the service while the agent lives; podman brings it back."""
    seen: set[str] = set()

    def waiting(number: int) -> bool:
        ids = site.waiting()
        seen.update(ids)
        return len(ids) >= number

    site.service.kill()
    with Pod(podman, agent_image, site, tmp_path / "pod.yaml") as pod:
        until("the first agent's profile in the spool", lambda: waiting(1), limit_s=LIMIT_S)
        pod.kill()
        until("the second agent's profile beside it", lambda: waiting(2), limit_s=LIMIT_S)
        site.service.start()
        until("an empty spool", lambda: not site.waiting(), limit_s=LIMIT_S)
        site.service.kill()
        pod.kill()
        until("the third agent's profile in the spool", lambda: waiting(1), limit_s=LIMIT_S)
    site.service.start()
    last = site.job(podman, agent_image, "submit")

    assert last.returncode == 0, last.stdout + last.stderr
    counts = Counter(stored_ids(site.service))
    assert seen <= counts.keys()
    assert len(seen) >= 3
    assert set(counts.values()) == {1}
    assert not (site.spool / "lost.jsonl").exists()
    assert not list(site.spool.glob("set-aside/*"))
