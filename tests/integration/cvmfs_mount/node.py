"""A node with a real FUSE mount that has the attributes of CVMFS's client."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probes.answers import Json
from probes.cvmfs_mount import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.cvmfs import CvmfsFacts, NewestManifest
from profiles.facts.cvmfs_mount import CvmfsMountFacts
from tests.lab.cvmfs_mount import ATTRIBUTES, Broken, Tree, mounted

OK, WARNING, CRITICAL = Status.OK, Status.WARNING, Status.CRITICAL
UNKNOWN, SKIPPED = Status.UNKNOWN, Status.SKIPPED
NAME = "lab.example.org"
FILES: dict[str, bytes | Broken] = {
    "/cmsset_default.sh": b"# what every job sources\n",
    "/sw/env.sh": b"export SW=1\n" * 50,
    "/sw/el9/big.bin": bytes(range(256)) * 4096,
}
CONFIGURATION = """\
CVMFS_HTTP_PROXY="http://squid.example.org:3128;DIRECT"
CVMFS_FALLBACK_PROXY="http://backup.example.org:3126"
CVMFS_QUOTA_LIMIT=25000
CVMFS_CACHE_BASE={cache}
"""


class Elsewhere(LiveDoor):
    """This machine, with the CVMFS configuration of a test."""

    def __init__(self, configuration: Path) -> None:
        super().__init__()
        self._configuration = str(configuration)

    def ask(self, kind: str, args: list[Json]) -> Any:
        if args and isinstance(args[0], str) and args[0].startswith("/etc/cvmfs"):
            args = [self._configuration + args[0].removeprefix("/etc/cvmfs"), *args[1:]]
        return super().ask(kind, args)


@dataclass
class Node:
    """A worker node with a mount point and a configuration of CVMFS."""

    directory: Path

    def __post_init__(self) -> None:
        self.mount.mkdir(parents=True)
        self.etc.mkdir()
        self.configure(CONFIGURATION.format(cache=self.directory))

    @property
    def root(self) -> Path:
        return self.directory / "cvmfs"

    @property
    def mount(self) -> Path:
        return self.root / NAME

    @property
    def etc(self) -> Path:
        return self.directory / "etc-cvmfs"

    def configure(self, text: str) -> None:
        (self.etc / "default.local").write_text(text)

    def door(self) -> Elsewhere:
        return Elsewhere(self.etc)

    def settings(self, *repositories: str) -> Settings:
        return Settings.model_validate(
            {
                "cvmfs": {
                    "mount_path": str(self.root),
                    "repositories": repositories or (NAME,),
                    "test_paths": {NAME: "/cmsset_default.sh"},
                }
            }
        )

    def probed(self, *repositories: str) -> CvmfsMountFacts:
        facts = PROBE.gather(Host(self.door()), self.settings(*repositories))
        assert isinstance(facts, CvmfsMountFacts)
        return CvmfsMountFacts.model_validate_json(facts.model_dump_json())

    def verdicts(self, *repositories: str, **others: Any) -> dict[str, CheckResult]:
        facts = self.probed(*repositories)
        results = PROBE.judge(facts, Judging(PROBE, self.settings(*repositories), others))
        assert [result.id for result in results] == [check.id for check in PROBE.checks]
        return {result.id: result for result in results}


def over_http(revision: int, *, age_s: float, root_catalog: str = ATTRIBUTES["root_hash"]) -> CvmfsFacts:
    """What the probe cvmfs found: a newest verified revision."""
    newest = NewestManifest(
        repository=NAME,
        revision=revision,
        root_catalog=root_catalog,
        published_s=time.time() - age_s,
        ttl_s=240,
    )
    names = [name for name in CvmfsFacts.model_fields if name not in ("absent", "newest")]
    reasons = dict.fromkeys(names, "not asked in this test")
    return CvmfsFacts.model_validate({**dict.fromkeys(names), "newest": (newest,), "absent": reasons})


@contextmanager
def ended(node: Node) -> Iterator[None]:
    """The client has crashed, and the mount stays: "Transport endpoint is not connected"."""
    with mounted(node.mount, Tree(FILES)) as daemon:
        os.kill(daemon, signal.SIGKILL)
        while Path(f"/proc/{daemon}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
            time.sleep(0.01)
        yield
