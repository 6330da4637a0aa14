"""Profiles of the synthetic fleet: whole documents, as large as real ones, that the contract accepts."""

from __future__ import annotations

import copy
import functools
import gzip
import hashlib
import math
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Literal

import orjson

from capacity.demo.gpu_payloads import on_gpus
from capacity.demo.truth import DemoNode
from capacity.fleet import gates

EVENTS_PER_S_PER_HS23 = {"catracks": 2.9, "clue": 0.72, "eseeding": 130.0, "hgcalml": 1.5, "mkfit": 6.9, "pflow": 7.0, "pixeltrack": 5.5,
                         "vertexing": 4.1}  # fmt: skip
"""Throughput per HS23 of the machine that the payloads were recorded on, some 30 HS23 per CPU; only the demo's truth."""

REPEAT_SPREAD = 0.01


Detail = Literal["whole", "short"]
SHORT_FACTS = ("context", "cores", "cpu", "memory", "gpu")
SHORT_CHECKS = frozenset(name for rule in gates.RULES for name in (*rule.check_ids, *rule.instead))
"""With those that faults of the demo are told by: what decides whether a node is usable, so that a fleet looks like one."""


def documents(node: DemoNode, at: datetime, seed: int, detail: Detail = "whole") -> Iterator[bytes]:
    """One profile for each slot of the node, as JSON.

    Args:
        node: the machine and its truth.
        at: when the profiles were written, with a time zone.
        seed: of the fleet; together with node, slot and moment it fixes the profile's id.
        detail: whole: as large as `agent probe` and `agent bench` together (some 117 kB); short: what an estimate needs
            (some 26 kB), as `agent probe context cores cpu memory gpu` gives it, with throughputs.
    """
    for slot in range(len(node.slots)):
        profile = _profile(node, slot, at, seed)
        yield orjson.dumps(profile if detail == "whole" else _short(profile))


def _short(profile: dict[str, Any]) -> dict[str, Any]:
    payloads = [
        {**one, "physics": {"right": True}, "event_set": None, "remarks": []} for one in profile["payloads"]
    ]
    return {
        **profile,
        "facts": {name: profile["facts"][name] for name in SHORT_FACTS},
        "checks": [
            one for one in profile["checks"] if one["id"] in SHORT_CHECKS or one["status"] == "CRITICAL"
        ],
        "payloads": payloads,
    }


@functools.cache
def _frame() -> dict[str, Any]:
    packed = resources.files("capacity.demo").joinpath("data/profile.json.gz").read_bytes()
    frame: dict[str, Any] = orjson.loads(gzip.decompress(packed))
    return frame


def _profile(node: DemoNode, slot: int, at: datetime, seed: int) -> dict[str, Any]:
    rng = random.Random(f"{seed} {node.site} {node.number} {slot} {at.isoformat()}")  # noqa: S311
    frame = _frame()
    cores, cpu = node.slots[slot], node.cpu
    whole = cores == cpu.logical_cpus
    key = hashlib.sha256(f"{seed}\0{node.site}\0{node.number}".encode()).hexdigest()
    facts = frame["facts"]
    first = sum(node.slots[:slot])
    return {
        **frame,
        "id": _uuid7(at, rng),
        "created_at": at.astimezone(UTC).isoformat(),
        "site": {"name": node.site, "source": "configuration"},
        "node": {"id": key[:32], "id_basis": ["host name"], "hostname": None, "boot_key": key[32:64]},
        "scope": {
            "kind": "node" if whole else "slot",
            "cores_granted": float(cores),
            "cores_present": cpu.logical_cpus,
        },
        "facts": {
            **facts,
            "cpu": _cpu(facts["cpu"], node),
            "cores": _cores(facts["cores"], cores, first, cpu.logical_cpus),
            "memory": {**facts["memory"], "host_bytes": cpu.logical_cpus * 4 * 1024**3},
            "gpu": _gpu(facts["gpu"], node),
        },
        "checks": _checks(frame["checks"], node),
        "payloads": _payloads(frame["payloads"], node, cores, rng),
    }


def _uuid7(at: datetime, rng: random.Random) -> str:
    """UUID version 7 (RFC 9562) with the moment and the generator's bits."""
    value = (int(at.timestamp() * 1000) & (2**48 - 1)) << 80 | 0x7 << 76
    value |= rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    return str(uuid.UUID(int=value))


def _cpu(frame: dict[str, Any], node: DemoNode) -> dict[str, Any]:
    cpu = node.cpu
    threads = max(1, cpu.logical_cpus // max(1, cpu.physical_cores))
    vendor = {"aarch64": "ARM", "ppc64le": "IBM"}.get(
        cpu.arch, "AuthenticAMD" if "AMD" in cpu.model_name else "GenuineIntel"
    )
    return {
        **frame,
        "machine": cpu.arch,
        "vendor": vendor,
        "model_name": cpu.model_name,
        "family": None,
        "model": None,
        "stepping": None,
        "archspec_name": None,
        "online_cpus": cpu.logical_cpus,
        "packages": cpu.packages,
        "physical_cores": cpu.physical_cores,
        "threads_per_core": threads,
        "virtualised": node.virtual,
        "absent": {
            **frame["absent"],
            **dict.fromkeys(("family", "model", "stepping", "archspec_name"), "not part of the demo"),
        },
    }


def _cores(frame: dict[str, Any], cores: int, first: int, present: int) -> dict[str, Any]:
    cpus = f"{first}-{first + cores - 1}"
    return {
        **frame,
        "host_cpus": present,
        "enforced_cores": float(cores),
        "effective_cores": float(cores),
        "limited_by": "host" if cores == present else "cpuset",
        "why": f"{cores} of {present} CPUs are granted.",
        "sources": [
            {"name": "host", "kind": "host", "cores": float(present), "cpus": f"0-{present - 1}"},
            {"name": "cpuset", "kind": "enforced", "cores": float(cores), "cpus": cpus},
        ],
    }


def _gpu(frame: dict[str, Any], node: DemoNode) -> dict[str, Any]:
    if not node.gpus:
        return frame
    devices = [
        {
            "index": index,
            "name": gpu.name,
            "compute_capability": gpu.compute_capability,
            "memory_total_bytes": 80 * 1024**3,
            "uuid_hash": hashlib.sha256(f"{node.site} {node.number} {index}".encode()).hexdigest()[:8],
        }
        for index, gpu in enumerate(node.gpus)
    ]
    return {**frame, "nvml": {"status": "ok", "driver_version": "570.86.10", "devices": devices}}


def _checks(frame: list[dict[str, Any]], node: DemoNode) -> list[dict[str, Any]]:
    wrong = dict(node.fault.checks) if node.fault else {}
    return [
        {
            **check,
            "status": "CRITICAL",
            "summary": wrong[check["id"]],
            "hint": "See the check catalogue.",
            "reason": None,
        }
        if check["id"] in wrong
        else check
        for check in frame
    ]


def _payloads(
    frame: list[dict[str, Any]], node: DemoNode, cores: int, rng: random.Random
) -> list[dict[str, Any]]:
    on_cpus = [_payload(one, node, cores, rng) for one in frame]
    if cores < node.cpu.logical_cpus:
        return on_cpus
    kernels = [(one, EVENTS_PER_S_PER_HS23[one["kernel"]]) for one in on_cpus]
    return [*on_cpus, *(found for one, rate in kernels for found in on_gpus(node, one, rate, rng))]


def _payload(frame: dict[str, Any], node: DemoNode, cores: int, rng: random.Random) -> dict[str, Any]:
    kernel = frame["kernel"]
    per_core = node.hs23 / node.cpu.logical_cpus
    rate = EVENTS_PER_S_PER_HS23[kernel] * per_core * cores * node.kernel_bias[kernel]
    rate *= math.exp(rng.gauss(0, REPEAT_SPREAD))
    return {
        **copy.copy(frame),
        "device": node.cpu.model_name,
        "copies": cores,
        "cpus": None,
        "events_per_s": rate,
        "events_per_s_low": rate * (1 - REPEAT_SPREAD),
        "events_per_s_high": rate * (1 + REPEAT_SPREAD),
        "baseline_events_per_s": rate * frame["baseline_events_per_s"] / frame["events_per_s"],
        "one_copy_events_per_s": rate / cores * 1.1,
        "variants": [],
        # Slots of a batch node run beside other jobs: the node is full, whoever looks.
        "during": {**frame["during"], "others_cpus": float(node.cpu.logical_cpus - cores)},
        "after": {**frame["after"], "throttled": bool(node.fault and node.fault.throttled) or None},
    }
