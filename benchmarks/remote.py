"""How long does remote access take to look at, and does the probe read as fast as the field's own tools?

    make bench-remote       or    python -m benchmarks.remote [--rounds N] [--json]

Real servers on loopback (those of the tests; as root, on Debian): a whole pass against a healthy site, the same with
every endpoint behind a wire that swallows all, the CPU of verifying one CVMFS chain, and throughputs beside `xrdcp` and
`curl` on the same file, in turn, in the same run. The peers' times include their start and connection, ours do not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.engines import to_toml
from probes.cvmfs.chain import verify_chain
from probes.cvmfs.keys import master_keys
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from probes.xrootd import PROBE as XROOTD
from tests.lab import LabUnavailableError
from tests.lab.cvmfs_repository import Repository
from tests.lab.links import FAR, FAR_6, linked
from tests.lab.site import REPOSITORY, running
from tests.lab.stratum1 import Stratum1
from tests.lab.xrootd import LFN, XrootdLab, give_away
from tests.lab.xrootd import running as xrootd_running

AGENT = [sys.executable, "-I", "-m", "agent", "probe"]
REMOTE = ["network", "siteconf", "credentials", "squid", "cvmfs", "xrootd", "webdav"]
FILE_BYTES = 256 * 1000 * 1000
TARGETS = {
    "healthy pass, wall s": ("at most", 5.0),
    "black-holed pass, wall s": ("at most", 60.0),
    "CVMFS chain, CPU ms": ("at most", 20.0),
    "XRootD read / xrdcp": ("at least", 0.8),
    "HTTP read / curl": ("at least", 0.8),
}
"""What the project promises."""


def healthy(rounds: int) -> dict[str, Any]:
    """Median wall seconds of a pass against a whole site, and what it said."""
    directory = Path(tempfile.mkdtemp(prefix="sitecap-bench-"))
    with contextlib.ExitStack() as held:
        held.callback(shutil.rmtree, directory, ignore_errors=True)
        site = held.enter_context(running(directory))
        command = [*site.inside, *AGENT, *REMOTE, "--config", str(site.configuration), "--json"]
        walls, code = [], 0
        for _ in range(rounds):
            began = time.perf_counter()
            code = subprocess.run(
                command, env=dict(site.environment), capture_output=True, check=False
            ).returncode
            walls.append(time.perf_counter() - began)
    return {"healthy pass, wall s": statistics.median(walls), "healthy pass, exit code": code}


def black_holed() -> dict[str, Any]:
    """Wall seconds of one pass of the whole agent where every host of the shipped profile swallows what it is sent."""
    shipped = Settings()
    hosts = {endpoint.host for endpoint in shipped.network.endpoints}
    urls = (*shipped.cvmfs.stratum_ones, *shipped.xrootd.redirectors, *shipped.squid.wpad_urls)
    hosts |= {url.split("//")[1].split("/")[0].split(":")[0] for url in urls}
    squid = "squid.example.org"
    told = {
        "cvmfs": {"proxies": f"http://{squid}:3128"},
        "squid": {"frontier_servers": [f"http://{squid}:8000/FrontierProd"]},
        "webdav": {"urls": [f"davs://{squid}:2880/store/file"]},
    }
    with tempfile.TemporaryDirectory() as directory, linked() as link:
        config = Path(directory, "agent.toml")
        config.write_text(to_toml(told))
        link.near.names(dict.fromkeys((*hosts, squid), (FAR, FAR_6)))
        link.swallow()
        began = time.perf_counter()
        done = link.near.run(*AGENT, "--json", "--quiet", "--config", str(config), limit_s=180)
        wall_s = time.perf_counter() - began
    profile = json.loads(done.stdout)
    return {
        "black-holed pass, wall s": wall_s,
        "black-holed pass, partial": profile["limits"]["partial"],
        "black-holed pass, slowest probes s": {
            run["name"]: run["duration_s"]
            for run in sorted(profile["limits"]["probes"], key=lambda run: -(run["duration_s"] or 0))[:4]
        },
    }


def chain(rounds: int) -> dict[str, Any]:
    """Median CPU milliseconds from three files' bytes to a verified chain."""
    repository = Repository(name=REPOSITORY)
    manifest, whitelist = repository.objects[".cvmfspublished"], repository.objects[".cvmfswhitelist"]
    certificate = repository.objects[repository.certificate_path]
    samples = []
    with tempfile.TemporaryDirectory() as directory:
        keys_path = repository.keys.write(Path(directory))
        keys = master_keys(Host(LiveDoor()), str(keys_path), REPOSITORY).keys
        for _ in range(rounds * 10):
            began = time.process_time()
            verify_chain(
                manifest, certificate, whitelist, repository=REPOSITORY, keys=keys, now_s=time.time()
            )
            samples.append((time.process_time() - began) * 1000)
    return {"CVMFS chain, CPU ms": statistics.median(samples)}


def rates(rounds: int) -> dict[str, Any]:
    """Bytes per second of the probes and of their peers on one file each, one after the other in every round."""
    with xrootd_running() as lab, tempfile.TemporaryDirectory() as directory:
        return {**_xrootd(lab, rounds), **_http(Path(directory), rounds)}


def _xrootd(lab: XrootdLab, rounds: int) -> dict[str, Any]:
    with lab.serving("plain") as server:
        path = server.local(LFN)
        path.write_bytes(_content())
        give_away(server.data)
        told = Settings.model_validate(
            {
                "siteconf": {"path": "/nonexistent", "test_lfn": LFN},
                "xrootd": {
                    "local_urls": [server.url],
                    "redirectors": [],
                    "read_bytes": FILE_BYTES,
                    "max_file_bytes": 0,
                },
            }
        )

        def ours() -> float:
            facts: Any = XROOTD.gather(Host(LiveDoor()), told)
            read = facts.doors[0].sequential
            return float(read.read_bytes / read.duration_s)

        def peer() -> float:
            return _timed(["xrdcp", "--nopbar", "--force", f"{server.url}/{LFN}", "/dev/null"])

        return _beside("XRootD read / xrdcp", ours, peer, rounds)


def _http(directory: Path, rounds: int) -> dict[str, Any]:
    if shutil.which("curl") is None:
        return {"HTTP read / curl": None}
    (directory / "file").write_bytes(_content())
    with Stratum1().serving() as server:
        server.content = lambda _path: (directory / "file").read_bytes()  # type: ignore[method-assign]
        url = f"{server.url}/file"

        def ours() -> float:
            drained = Host(LiveDoor()).drain(url, timeout_s=60, limit_bytes=FILE_BYTES)
            return FILE_BYTES / drained.duration_s

        return _beside(
            "HTTP read / curl", ours, lambda: _timed(["curl", "-s", "-o", "/dev/null", url]), rounds
        )


def _content() -> bytes:
    return bytes(range(256)) * (FILE_BYTES // 256)


def _timed(argv: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True)
    return FILE_BYTES / (time.perf_counter() - began)


def _beside(name: str, ours: Callable[[], float], peer: Callable[[], float], rounds: int) -> dict[str, Any]:
    pairs = [(ours(), peer()) for _ in range(rounds)]
    return {
        name: statistics.median(mine / theirs for mine, theirs in pairs),
        f"{name}, MB/s": [round(statistics.median(column) / 1e6) for column in zip(*pairs, strict=True)],
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    try:
        for part in (healthy, chain, rates):
            found |= part(options.rounds)
        found |= black_holed()
    except LabUnavailableError as reason:
        print(f"bench-remote: {reason}", file=sys.stderr)
        return 3
    if options.as_json:
        print(json.dumps(found, indent=1))
        return 0
    print(f"{options.rounds} rounds, medians, real servers on loopback\n")
    for name, value in found.items():
        word, bound = TARGETS.get(name, ("", None))
        shown = f"{value:.2f}" if isinstance(value, float) else value
        print(f"{name:<36} {shown}" + (f"  ({word} {bound:g})" if bound is not None else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
