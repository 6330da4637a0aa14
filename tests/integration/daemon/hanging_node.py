"""A loop on a node where CVMFS, XRootD and (by the caller's LD_LIBRARY_PATH) NVML hang; prints figures as JSON.

A program of its own, because the dynamic loader reads its path once; arguments: a directory and the number of rounds.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from agent.config import Config
from agent.select import choose
from probes.registry import all_probes
from tests.lab.fuse_hang import hanging
from tests.unit.agent.daemon.turning import Turning


def now() -> dict[str, int]:
    gc.collect()
    tasks = os.listdir("/proc/self/task")
    status = Path("/proc/self/status").read_text().splitlines()
    return {
        "threads": len(tasks),
        "children": sum(len(Path(f"/proc/self/task/{task}/children").read_text().split()) for task in tasks),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "resident_kib": next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")),
    }


def soak(directory: Path, rounds: int) -> dict[str, Any]:
    mount, notes = directory / "cvmfs", directory / "notes"
    mount.mkdir()
    notes.mkdir()
    with (
        socket.create_server(("127.0.0.1", 0), backlog=256) as blackhole,
        hanging(mount, takes_requests=True),
    ):
        # The kernel takes connections, and nobody ever says a word on them.
        url = f"root://127.0.0.1:{blackhole.getsockname()[1]}"
        config = Config.model_validate(
            {
                "daemon": {"period_s": 3600, "network_period_s": 3600, "spread_s": 0, "jitter": 0},
                "cvmfs": {"mount_path": str(mount)},
                "xrootd": {"local_urls": [url], "redirectors": [url], "request_timeout_s": 1, "budget_s": 4},
            }
        )
        chosen = choose(all_probes(), ["memory", "gpu", "cvmfs_mount", "xrootd"])
        turning = Turning(notes, chosen, config)
        turning.until(lambda: turning.loop.figures.looks.get("xrootd", 0) >= 1, hours=2)
        # The stuck child has its note, and what is loaded once is loaded.
        before, stuck = now(), json.loads((notes / "stuck-cvmfs_mount.json").read_text())
        turning.until(lambda: turning.loop.figures.looks["memory"] >= rounds, hours=24)
        assert turning.loop.profile is not None
        gpu = turning.loop.profile.facts.gpu
        return {
            "before": before,
            "after": now(),
            "looks": turning.loop.figures.looks,
            "stuck": sorted(turning.loop.figures.stuck),
            "same_child": stuck == json.loads((notes / "stuck-cvmfs_mount.json").read_text()),
            "nvml": None if gpu is None or gpu.nvml is None else gpu.nvml.status,
            "statuses": turning.shown(),
        }


if __name__ == "__main__":
    print(json.dumps(soak(Path(sys.argv[1]), int(sys.argv[2]))))
