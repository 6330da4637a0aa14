"""How large are the images, and how soon does the agent in one show its first check?

    python -m benchmarks.image [--engine podman] [--rounds N] [--json] [IMAGE ...]

IMAGEs are what `make image` made: sitecap-agent and sitecap-capacity. Sizes: what lies on the disk, how much of it is
the base image, and what goes over the network (layers compressed by gzip, as a registry keeps them).

The start is measured for images whose name has "agent" in it, in a container with a read-only root, no capability and no
network: seconds from the command line of the engine, and from when the engine says that the process in the container
was started, to the first verdict on a check. Cold: the kernel's caches of files were emptied just before (root only),
so that the interpreter and the libraries come from the disk. Warm: they were not.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

IMAGES = ("sitecap-agent", "sitecap-capacity")
HARDENED = ("--read-only", "--cap-drop=ALL", "--network=none", "--security-opt=no-new-privileges")
FIRST_CHECK = re.compile(rb"^  (ok|warn|FAIL|skip) ")
TARGET_S = 1.0
"""Cold start to the first check, in the container."""
MIB = 2**20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", nargs="*", default=IMAGES)
    parser.add_argument("--engine", default="podman")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = {image: sizes(asked.engine, image) for image in asked.images}
    started = {
        image: {
            kind: [first_check_s(asked.engine, image, cold=kind == "cold") for _ in range(asked.rounds)]
            for kind in ("cold", "warm")
            if kind == "warm" or os.geteuid() == 0
        }
        for image in asked.images
        if "agent" in image
    }
    if asked.json:
        print(json.dumps({"sizes_bytes": found, "first_check_s": started}, indent=1))
        return
    print(f"{'image':<40} {'on disk':>9} {'of it base':>11} {'gzip':>9}   MiB")
    for image, size in found.items():
        print(
            f"{image:<40} {size['disk'] / MIB:>9.0f} {size['base'] / MIB:>11.0f} {size['compressed'] / MIB:>9.0f}"
        )
    print(f"\n{'first check, seconds, median (range)':<52} {'from the engine':>24} {'in the container':>24}")
    for image, kinds in started.items():
        for kind, samples in kinds.items():
            print(
                f"{image + ', ' + kind:<52} {_shown([whole for whole, _ in samples]):>24}"
                f" {_shown([inside for _, inside in samples]):>24}"
            )
    print(f"goal: {TARGET_S:g} s in the container, cold; load of this machine: {os.getloadavg()[0]:.1f}")


def sizes(engine: str, image: str) -> dict[str, int]:
    """Bytes of an image: on the disk, those of its base, and compressed."""
    history = _asked(engine, "history", "--format=json", "--no-trunc", image)
    (inspected,) = _asked(engine, "image", "inspect", image)
    # The newest first; what the Dockerfile's last stage copied comes before the base's.
    own = sum(
        _bytes(layer)
        for layer in history
        if "/opt/sitecap" in layer["CreatedBy"] or "/data" in layer["CreatedBy"]
    )
    return {
        "disk": inspected["Size"],
        "base": inspected["Size"] - own,
        "compressed": _compressed_bytes(engine, image),
    }


def first_check_s(engine: str, image: str, *, cold: bool) -> tuple[float, float]:
    """Seconds to the first verdict: since the engine was called, and since it started the process.

    Raises:
        RuntimeError: the agent ended without one.
    """
    name = f"sitecap-bench-{os.getpid()}"
    if cold:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    try:
        began_s = time.time()
        with subprocess.Popen(
            [engine, "run", f"--name={name}", *HARDENED, image, "probe", "--site-profile=no-outbound"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if FIRST_CHECK.match(line):
                    seen_s = time.time()
                    break
            else:
                raise RuntimeError(f"{image}: no check on the screen: {process.communicate()[1]!r:.300}")
            process.communicate()
        (state,) = _asked(engine, "inspect", name)
        return seen_s - began_s, seen_s - _moment_s(state["State"]["StartedAt"])
    finally:
        subprocess.run([engine, "rm", "--force", name], check=False, capture_output=True)


def _moment_s(text: str) -> float:
    """Seconds since 1970; nanoseconds are more than Python reads."""
    return dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text)).timestamp()


def _compressed_bytes(engine: str, image: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tar"
        subprocess.run([engine, "save", f"--output={path}", image], check=True, capture_output=True)
        total = 0
        with tarfile.open(path) as archive:
            for member in archive:
                # Not the links that stand for layers in an older layout of the archive.
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    total += len(gzip.compress(content.read(), compresslevel=6))
        return total


def _bytes(layer: dict[str, Any]) -> int:
    return int(layer.get("size", layer.get("Size", 0)))


def _asked(engine: str, *words: str) -> Any:  # noqa: ANN401 - JSON of the engine
    done = subprocess.run([engine, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(
            f"benchmarks.image: {engine} {words[0]}: {done.stderr.strip()}; make the images first: make image"
        )
    return json.loads(done.stdout)


def _shown(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


if __name__ == "__main__":
    main()
