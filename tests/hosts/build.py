"""Turns the compact description of a published host into a recording: ``python -m tests.hosts.build SPEC.toml DIR``.

A description (published/*.toml) names its source, the shape of the machine, one processor's lines of /proc/cpuinfo,
its caches, and what a job would see of control groups and environment. The recording made of it is a file tree
like the machine's own for what is the same on all CPUs, and answers for the rest. `base` takes another
description as the machine on which a slot was made.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from probes.recording_layout import ANSWERS, MANIFEST, RECORDING_VERSION, TREE
from profiles import cpulist

PUBLISHED = Path(__file__).parent / "published"
CPUS = "/sys/devices/system/cpu"
NODES = "/sys/devices/system/node"
KIB_PER_GIB = 1024 * 1024


def load(spec: Path) -> dict[str, Any]:
    """The description in a file, laid over that of its `base`; tables are merged, everything else replaced."""
    given = tomllib.loads(spec.read_text("utf-8"))
    if "base" not in given:
        return given
    merged = load(spec.parent / f"{given['base']}.toml")
    merged.pop("expect", None)  # what is expected of the machine is not what is expected of a slot on it
    for key, value in given.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


class Shape:
    """Which logical CPU is which thread of which core of which package."""

    def __init__(self, shape: dict[str, Any]) -> None:
        self.packages: int = shape["packages"]
        self.cores: int = shape["cores_per_package"]
        self.threads: int = shape["threads_per_core"]
        self.adjacent: bool = shape.get("siblings", "last") == "adjacent"
        nodes = self.packages * shape.get("nodes_per_package", 1)
        self.node_numbers: list[int] = shape.get("node_numbers", list(range(nodes)))
        self.memory_kib: int = shape["memory_gib"] * KIB_PER_GIB

    @property
    def total(self) -> int:
        return self.packages * self.cores * self.threads

    def cpus_of(self, core: int) -> list[int]:
        """Threads of a core, which is counted through all packages."""
        if self.adjacent:
            return [core * self.threads + thread for thread in range(self.threads)]
        return [thread * self.packages * self.cores + core for thread in range(self.threads)]

    def group(self, core: int, size: int) -> str:
        """CPUs of the group of `size` neighbouring cores that a core belongs to."""
        first = core - core % self.cores + (core % self.cores) // size * size
        last = min(first + size, first - first % self.cores + self.cores)
        return cpulist.text_of(cpu for one in range(first, last) for cpu in self.cpus_of(one))

    def places(self) -> Iterator[tuple[int, int]]:
        """(logical CPU, core) in the order of the CPUs."""
        yield from sorted(
            (cpu, core) for core in range(self.packages * self.cores) for cpu in self.cpus_of(core)
        )


def build(spec_path: Path, into: Path) -> Path:
    """Write the recording of a described host.

    Args:
        spec_path: the description.
        into: an empty or missing directory.

    Returns:
        `into`, ready for probes.replay.Recording.
    """
    spec = load(spec_path)
    shape = Shape(spec["shape"])
    tree = into / TREE
    answers = list(_answers(spec, shape))
    for path, text in {**dict(_files(spec, shape)), **spec.get("files", {})}.items():
        target = tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    for path in spec.get("directories", []):
        (tree / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    (into / ANSWERS).write_text("".join(json.dumps(line) + "\n" for line in answers), "utf-8")
    manifest = {"recording_version": RECORDING_VERSION, "agent_version": "0.1.0", "redacted": True}
    (into / MANIFEST).write_text(json.dumps({**manifest, "created_at": "2026-11-22T12:00:00Z"}), "utf-8")
    return into


def _answers(spec: dict[str, Any], shape: Shape) -> Iterator[dict[str, Any]]:
    def line(kind: str, args: list[Any], answer: Any) -> dict[str, Any]:
        return {"ask": kind, "args": args, "by": "made", "answer": answer}

    yield line("uname", [], ["Linux", "node", spec["kernel"], "#1 SMP", spec["machine"]])
    yield line("libc", [], spec.get("libc"))
    affinity = cpulist.parse(spec.get("affinity", f"0-{shape.total - 1}"))
    yield line("affinity", [], sorted(affinity or ()))
    yield line("identity", [], [1000, 1000, 1000])
    yield line("now", [], 1_795_348_800.0)
    for name in ("AS", "NOFILE", "NPROC", "CORE", "STACK"):
        yield line("limit", [name], spec.get("limits", {}).get(name, [None, None]))
    half = shape.memory_kib * 1024 // 2  # tmpfs is mounted with half of the memory unless told otherwise
    yield line("space", ["/dev/shm"], [half, half, shape.memory_kib // 8, shape.memory_kib // 8, False])
    yield line("try_write", ["/dev/shm", 4096], [True, None, None, 4096, 0.0001, 0.0001, True])
    for name, value in spec.get("env", {}).items():
        yield line("env", [name], value)
    for cpu, core in shape.places():
        for path, text in _siblings(spec, shape, cpu, core):
            yield line("file", [path, 65_536], {"text": text + "\n"})


def _siblings(spec: dict[str, Any], shape: Shape, cpu: int, core: int) -> Iterator[tuple[str, str]]:
    """The lists that differ from CPU to CPU: some thousands, so they are answers and not files."""
    here = f"{CPUS}/cpu{cpu}"
    yield f"{here}/topology/core_cpus_list", shape.group(core, 1)
    yield f"{here}/topology/package_cpus_list", shape.group(core, shape.cores)
    for index, cache in enumerate(spec.get("cache", [])):
        yield f"{here}/cache/index{index}/shared_cpu_list", shape.group(core, cache["cores"])


def _files(spec: dict[str, Any], shape: Shape) -> Iterator[tuple[str, str]]:
    yield "/proc/cpuinfo", _cpuinfo(spec, shape)
    free = shape.memory_kib * 9 // 10
    meminfo = {
        "MemTotal": shape.memory_kib,
        "MemFree": free,
        "MemAvailable": free,
        "SwapTotal": 0,
        "SwapFree": 0,
    }
    yield "/proc/meminfo", "".join(f"{name + ':':<16}{kib:>10} kB\n" for name, kib in meminfo.items())
    for name in ("online", "present", "possible"):
        yield f"{CPUS}/{name}", f"0-{shape.total - 1}\n"
    for path, text in _siblings(spec, shape, 0, 0):
        yield path, text + "\n"
    for index, cache in enumerate(spec.get("cache", [])):
        for name in ("level", "type", "size"):
            yield f"{CPUS}/cpu0/cache/index{index}/{name}", f"{cache[name]}\n"
    cores = shape.packages * shape.cores // len(shape.node_numbers)
    for position, number in enumerate(shape.node_numbers):
        members = [
            cpu for core in range(position * cores, (position + 1) * cores) for cpu in shape.cpus_of(core)
        ]
        kib = shape.memory_kib // len(shape.node_numbers)
        yield f"{NODES}/node{number}/cpulist", cpulist.text_of(members) + "\n"
        yield f"{NODES}/node{number}/meminfo", f"Node {number} MemTotal:       {kib} kB\n"
    for name, text in spec.get("cpufreq", {}).items():
        yield f"{CPUS}/cpufreq/policy0/{name}", f"{text}\n"
    for name, text in spec.get("vulnerabilities", {}).items():
        yield f"{CPUS}/vulnerabilities/{name}", f"{text}\n"


def _cpuinfo(spec: dict[str, Any], shape: Shape) -> str:
    """One paragraph per CPU as the kernel of that architecture writes it."""
    lines = []
    for cpu, core in shape.places():
        lines.append(f"processor\t: {cpu}")
        lines += [f"{name}\t: {value}" for name, value in spec["cpuinfo"].items()]
        if spec["machine"] == "x86_64":
            lines.append(f"physical id\t: {core // shape.cores}")
            lines.append(f"siblings\t: {shape.cores * shape.threads}")
            lines.append(f"core id\t: {core % shape.cores}")
            lines.append(f"cpu cores\t: {shape.cores}")
        lines.append("")
    lines += [f"{name}\t: {value}" for name, value in spec.get("cpuinfo_end", {}).items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tests.hosts.build SPEC.toml DIRECTORY")
    print(build(Path(sys.argv[1]), Path(sys.argv[2])))
