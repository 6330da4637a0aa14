"""Small profiles for tests of the service: one look at one slot, with just what a test wants to say."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from profiles.profile import CapabilityProfile

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NODE = "5f0c8e7a9b1d2c3e4f5a6b7c8d9e0f10"
BOOT = "b00700000000000000000000000000b1"
_numbers = itertools.count(1)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def check(
    name: str, status: str = "OK", summary: str = "as it should be", hint: str | None = None
) -> dict[str, Any]:
    reason = "not asked here" if status in ("SKIPPED", "UNKNOWN") else None
    return {"id": name, "status": status, "probe": "test", "summary": summary, "hint": hint, "reason": reason}


def payload(
    kernel: str = "clue", events_per_s: float = 100.0, copies: int = 8, **changes: Any
) -> dict[str, Any]:
    return {
        "kernel": kernel,
        "version": "1",
        "backend": "cpu",
        "device": "a CPU",
        "copies": copies,
        "threads_per_copy": 1,
        "events": 1000,
        "events_per_s": events_per_s,
        "physics": {"right": True},
        **changes,
    }


def gpu_payload(place: str = "cuda:0", events_per_s: float = 100.0, **run: Any) -> dict[str, Any]:
    """`clue` on one A100 as `agent bench --device` tells it; one of 64 loaded CPUs does 5 events/s."""
    return payload(
        events_per_s=events_per_s,
        copies=1,
        backend="cuda",
        device="NVIDIA A100",
        device_run={
            "place": place,
            "code": {"form": "cubin", "architecture": "sm_80", "origin": "wheel", "compiler": "NVRTC 12.9"},
            "events_in_flight": 8,
            "host_threads": 2,
            "first_result_s": 0.8,
            "kernel_only": {"events_per_s": 2 * events_per_s, "passes": 3},
            "host_idle": {"events_per_s": events_per_s, "passes": 3},
            "cpus": {
                "variant": "x86_64_v3",
                "copies": 64,
                "events_per_s": 320.0,
                "low": 310.0,
                "high": 330.0,
            },
            "worth_cpus": events_per_s / 5.0,
            **run,
        },
    )


def document(
    at: datetime = NOW,
    *,
    cores: float | None = 8.0,
    present: int | None = 64,
    cpus: str | None = None,
    slot: str | None = None,
    batch: str | None = None,
    model: str | None = "Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz",
    site: str | None = "T2_LV_Example",
    node: str = NODE,
    boot: str | None = BOOT,
    hostname: str | None = None,
    checks: list[dict[str, Any]] | None = None,
    payloads: list[dict[str, Any]] | None = None,
    number: int | None = None,
    gpus: tuple[str, ...] = (),
    **cpu: Any,
) -> dict[str, Any]:
    """A profile as JSON values; `present` CPUs of which `cores` are granted, on the CPUs `cpus`."""
    kind = "slot" if cores is not None and present is not None and cores < present else "node"
    facts: dict[str, Any] = {
        "cpu": {
            "machine": "x86_64",
            "model_name": model,
            "online_cpus": present,
            "packages": 2,
            "physical_cores": None if present is None else present // 2,
            "threads_per_core": 2,
            **cpu,
        },
        "cores": {
            "host_cpus": present,
            "enforced_cores": cores,
            "claimed_cores": None,
            "effective_cores": cores,
            "limited_by": "cpuset",
            "why": "for a test",
            "cgroup_version": "v2",
            "sources": [{"name": "cpuset", "kind": "enforced", "cores": cores, "cpus": cpus}],
        },
    }
    for part in facts.values():
        part["absent"] = {name: "not in this test" for name, value in part.items() if value is None}
    if slot is not None or batch is not None:
        facts["batch"] = {
            "observed_at": at.isoformat(),
            "batch_system": batch or "htcondor",
            "slot_name": slot,
            "pilot": None,
            "node_name": None,
            "ends_at": None,
            "ends_at_source": None,
            "absent": dict.fromkeys(
                ("slot_name", "pilot", "node_name", "ends_at", "ends_at_source"), "a test"
            ),
        }
    if gpus:
        facts["gpu"] = {
            "pci": None,
            "kernel_module_version": None,
            "slot_of": None,
            "absent": dict.fromkeys(("pci", "kernel_module_version", "slot_of"), "a test"),
            "nvml": {
                "status": "ok",
                "devices": [
                    {"index": i, "name": "NVIDIA A100", "uuid_hash": name} for i, name in enumerate(gpus)
                ],
            },
        }
    identifier = next(_numbers) if number is None else number
    return {
        "schema_version": "1.4",
        "id": f"01a20476-b5f2-7501-b5c7-{identifier:012x}",
        "created_at": at.isoformat(),
        "agent": {"version": "0.1.0"},
        "site": None if site is None else {"name": site, "source": "test"},
        "node": {"id": node, "id_basis": ["host name"], "hostname": hostname, "boot_key": boot},
        "scope": {"kind": kind, "cores_granted": cores, "cores_present": present},
        "facts": facts,
        "checks": [check("CVM-13"), check("CVM-01")] if checks is None else checks,
        "payloads": payloads or [],
        "limits": {"budget_s": 60.0, "duration_s": 1.0, "partial": False},
    }


def look(at: datetime = NOW, **said: Any) -> CapabilityProfile:
    """The same as a profile."""
    return CapabilityProfile.model_validate(document(at, **said))
