"""Real `agent submit` processes that share a spool, and are killed at random while the service is killed, too."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sqlalchemy import select

from agent.delivery.places import spool_of
from agent.delivery.settings import DeliverySettings
from agent.delivery.spool import Spool
from capacity.store.database import Database
from capacity.store.tables import ProfileRow
from tests.lab.service import Service
from tests.lab.waiting import until

ROOT = Path(__file__).resolve().parents[2]
_LINES = 20
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
        documents: half of them are in the spool beforehand, the others are handed in by name, a few a file.
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
        self._service_kills = service_kills
        self._chance = random.Random(seed)
        self._patience_s = 0.2
        self.log = site.directory / "agents.log"
        self.counts: Counter[str] = Counter()
        self._total = len(documents)
        half = len(documents) // 2
        for document in documents[:half]:
            site.spool.put(document)
        self._files: list[Path] = []
        for start in range(half, len(documents), _LINES):
            path = site.directory / f"job-{start:06}.jsonl"
            path.write_bytes(b"\n".join(documents[start : start + _LINES]) + b"\n")
            self._files.append(path)
        self._named: set[Path] = set()

    def run(self) -> None:
        """Kill as often as is wanted, two agents being at work all the time, then let the last one finish.

        Raises:
            AssertionError: the last agent does not bring everything through.
        """
        with Warm(self._site, self.log) as warm:
            running = [self._begin(warm), self._begin(warm)]
            while self.counts["agents killed"] < self._kills:
                place = self._chance.randrange(2)
                time.sleep(self._chance.uniform(0, self._patience_s))
                killed = warm.kill(running[place])
                running[place] = self._begin(warm)
                if not killed:
                    self.counts["agents that had ended"] += 1
                    continue
                self.counts["agents killed"] += 1
                self._keep_pace()
                if self._service_is_due():
                    self._service.kill()
                    self.counts["services killed"] += 1
                    self._service.start()
            for one in running:
                warm.kill(one)
        self.counts["crashes"] = self.log.read_text(errors="replace").count("crashed: ")
        self.counts["waiting after the last kill"] = len(self._site.spool.waiting())
        last = self._site.submit(*self._files, "--timeout", "500")
        assert last.returncode == 0, last.stdout + last.stderr[-2000:]

    def _begin(self, warm: Warm) -> int:
        """An agent that drains, or one that is given the next file; one whose agent was killed comes again at the end."""
        unnamed = [path for path in self._files if path not in self._named]
        if not unnamed or self._chance.random() < 0.5:
            return warm.submit()
        self._named.add(unnamed[0])
        return warm.submit(unnamed[0])

    def _keep_pace(self) -> None:
        """So that something is left for the last kill: the less there is for those to come, the less time they get."""
        left = len(self._site.spool.waiting()) / self._total * 2
        wanted = 1 - self.counts["agents killed"] / self._kills
        self._patience_s = min(0.5, max(0.005, self._patience_s * (1.25 if left > wanted else 0.8)))

    def _service_is_due(self) -> bool:
        wanted = self.counts["agents killed"] * self._service_kills // self._kills
        return self.counts["services killed"] < wanted


class Warm:
    """Agents that need not load; see `tests.lab.warm_agent`.

    Args:
        site: whose settings they have.
        log: of all they say.
    """

    def __init__(self, site: Site, log: Path) -> None:
        self._site = site
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.warm_agent"],
                env=self._site.environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def submit(self, *arguments: str | Path) -> int:
        """Begin `agent submit`; its process id."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(["submit", "--timeout", "300", *map(str, arguments)]) + "\n")
        stdin.flush()
        return int(stdout.readline())

    def kill(self, pid: int) -> bool:
        """kill -9, and wait until it is gone; whether it was still there."""
        parent = Path(f"/proc/{pid}/stat")
        try:
            # Its number may have been given to another process.
            if int(parent.read_text().rpartition(")")[2].split()[1]) != self._process.pid:
                return False
            os.kill(pid, signal.SIGKILL)
        except (OSError, IndexError):
            return False
        until("end of an agent", lambda: not parent.exists(), limit_s=60)
        return True


def stored_ids(service: Service) -> list[str]:
    """Every row of the service's profiles."""
    database = Database(service.database_url)
    try:
        with database.reading() as session:
            return list(session.scalars(select(ProfileRow.id)))
    finally:
        database.close()
