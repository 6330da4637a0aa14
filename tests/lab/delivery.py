"""Real `agent submit` processes that share a spool, and are killed at random while the service is killed, too."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from agent.delivery.places import spool_of
from agent.delivery.settings import DeliverySettings
from agent.delivery.spool import Spool
from capacity.store.database import Database
from capacity.store.tables import ProfileRow
from tests.lab.service import Service

ROOT = Path(__file__).resolve().parents[2]
_LINES = 50
"""Profiles of one file that is handed in by name."""


@dataclass
class Site:
    """A directory with a token and a spool, and agents that use them.

    Attributes:
        directory: of all that.
        url: of the service.
        token: to hand in with.
        settings: more SITECAP_DELIVERY__ variables.
    """

    directory: Path
    url: str
    token: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def spool(self) -> Spool:
        return spool_of(
            DeliverySettings(spool_directory=str(self.directory / "spool"), spool_max_bytes=2**40)
        )

    @property
    def environment(self) -> dict[str, str]:
        token_file = self.directory / "token"
        if not token_file.exists():
            token_file.write_text(self.token)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SITECAP_")}
        ours = {
            "URL": self.url,
            "TOKEN_FILE": str(token_file),
            "SPOOL_DIRECTORY": str(self.directory / "spool"),
            "SPOOL_MAX_BYTES": str(2**40),
            "PROXY": "",
            **self.settings,
        }
        return {
            **kept,
            "HOME": str(self.directory),
            **{f"SITECAP_DELIVERY__{name}": value for name, value in ours.items()},
        }

    def submit(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `agent submit` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "agent", "submit", *arguments],
            env={**self.environment, **more},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def start(self, log: Path, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Begin to run `agent submit`."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "agent", "submit", *arguments],
                env=self.environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )


class Fire:
    """A drain by agents that are killed, from a service that is killed.

    Args:
        site: with an empty spool.
        service: runs.
        documents: each is spooled beforehand or handed in by name; half of them so, half of them so.
        kills: of agents, with SIGKILL.
        service_kills: of the service, with SIGKILL; it is started again each time.
        seed: of the moments.
    """

    def __init__(
        self,
        site: Site,
        service: Service,
        documents: Sequence[bytes],
        *,
        kills: int,
        service_kills: int,
        seed: int,
    ) -> None:
        self._site = site
        self._service = service
        self._kills = kills
        self._every = max(1, kills // max(1, service_kills))
        self._service_kills = service_kills
        self._chance = random.Random(seed)
        self._log = site.directory / "agents.log"
        self.counts: Counter[str] = Counter()
        half = len(documents) // 2
        for document in documents[:half]:
            site.spool.put(document)
        self._files: list[Path] = []
        for start in range(half, len(documents), _LINES):
            path = site.directory / f"job-{start:06}.jsonl"
            path.write_bytes(b"\n".join(documents[start : start + _LINES]) + b"\n")
            self._files.append(path)

    def run(self) -> None:
        """Kill as often as is wanted, then let the last agent finish.

        Raises:
            AssertionError: the last agent does not bring everything through.
        """
        running = [self._begin(), self._begin()]
        while self.counts["agents killed"] < self._kills:
            place = self._chance.randrange(2)
            victim = running[place]
            self._wait_for_work(victim)
            time.sleep(self._chance.uniform(0, 0.1))
            ended = victim.poll()
            victim.kill()
            victim.wait()
            running[place] = self._begin()
            if ended is not None:
                self.counts["ended before the kill"] += 1
                continue
            self.counts["agents killed"] += 1
            if (
                self.counts["agents killed"] % self._every == 0
                and self.counts["services killed"] < self._service_kills
            ):
                self._service.kill()
                self.counts["services killed"] += 1
                self._service.start()
        for one in running:
            one.kill()
            one.wait()
        self.counts["waiting after the last kill"] = len(self._site.spool.waiting())
        last = self._site.submit(*self._files, "--timeout", "500")
        assert last.returncode == 0, last.stdout + last.stderr[-2000:]

    def _begin(self) -> subprocess.Popen[bytes]:
        """One agent in two is given a file; one whose agent was killed comes again at the end."""
        return self._site.start(self._log, *self._chance.sample(self._files, self._chance.randrange(2)))

    def _wait_for_work(self, agent: subprocess.Popen[bytes]) -> None:
        """Until this agent has the spool in hand: one that is killed while it loads has nothing to lose."""
        spool = str(self._site.directory / "spool")
        while agent.poll() is None:
            if any(target.startswith(spool) for target in _open_files(agent.pid)):
                return
            time.sleep(0.005)


def _open_files(pid: int) -> list[str]:
    try:
        return [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def stored_ids(service: Service) -> list[str]:
    """Every row of the service's profiles."""
    database = Database(service.database_url)
    try:
        with database.reading() as session:
            return list(session.scalars(select(ProfileRow.id)))
    finally:
        database.close()
