"""A real `capacity serve` in a process of its own: started, asked over a socket, killed."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from capacity.service import tokens
from capacity.service.principal import Role
from capacity.store.database import Database
from tests.lab.waiting import HungError, until

ROOT = Path(__file__).resolve().parents[2]
_START_S = 90


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """A service on loopback.

    Attributes:
        directory: for its log and, with SQLite, its database.
        database: URL; None = embedded.
        arguments: more of the command line.
        settings: more SITECAP_CAPACITY_ variables.
        ca_file: to verify it by, if it speaks TLS.
        port: 0 = any free one, and then the same at each start.
    """

    directory: Path
    database: str | None = None
    arguments: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    ca_file: Path | None = None
    port: int = 0
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.ca_file else 'http'}://localhost:{self.port}"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.directory}/capacity.db"

    @property
    def log(self) -> str:
        return (self.directory / "service.log").read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> str:
        """Start it and wait until it is ready; what it printed.

        Raises:
            HungError: it ended, or it does not come up.
        """
        command = [
            sys.executable,
            "-m",
            "capacity",
            "serve",
            "--port",
            str(self.port),
            "--data",
            str(self.directory),
        ]
        if self.database is not None:
            command += ["--database", self.database]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SITECAP_")}
        with (self.directory / "service.log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, *self.arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env={**kept, **{f"SITECAP_CAPACITY_{name}": value for name, value in self.settings.items()}},
            )
        stdout = self._process.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], _START_S)
        first = stdout.readline() if ready else ""
        found = re.search(r"https?://\S+:(\d+)", first)
        if found is None:
            self.kill()
            raise HungError(f"capacity serve did not start: {first} {self.log[-800:]}")
        self.port = int(found[1])
        until("capacity serve", self._ready, limit_s=_START_S, logs=self.directory)
        return first

    def _ready(self) -> bool:
        try:
            return self.ask("GET", "/readyz").status == 200
        except OSError:
            return False

    def ask(
        self, method: str, path: str, token: str | None = None, body: bytes | None = None, **headers: str
    ) -> Answer:
        """One request on a connection of its own.

        Raises:
            OSError: no connection, or it broke.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        connection = self.connect()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is not open yet."""
        if self.ca_file is None:
            return http.client.HTTPConnection("localhost", self.port, timeout=60)
        context = ssl.create_default_context(cafile=str(self.ca_file))
        return http.client.HTTPSConnection("localhost", self.port, timeout=60, context=context)

    def token(self, role: Role = Role.SUBMIT, site: str | None = None) -> str:
        """A new token for it."""
        database = Database(self.database_url)
        try:
            return tokens.create(database, role=role, site=site, now=datetime.now(UTC)).text
        finally:
            database.close()

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        status = process.wait(timeout=_START_S)
        if process.stdout is not None:
            process.stdout.close()
        return status
