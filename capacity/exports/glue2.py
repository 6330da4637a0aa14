"""GLUE 2 (GFD.147) as JSON: one ExecutionEnvironment for all like nodes of a site, with its Benchmark."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from capacity.exports.model import Snapshot, iso, one_line, rounded
from capacity.fleet.model import NodeState
from capacity.hs06.model import CpuDescription

_PLATFORM = {"x86_64": "amd64", "aarch64": "aarch64", "ppc64le": "powerpc"}
_VALIDITY_S = 86_400

_Key = tuple[str, str | None, str | None, int | None, int | None]


def render(snapshot: Snapshot) -> str:
    """The environments of all sites; nodes without an estimate have one without a benchmark."""
    groups: dict[_Key, list[NodeState]] = defaultdict(list)
    for node in snapshot.nodes:
        if node.evidence is not None:
            cpu = node.evidence.cpu
            groups[node.site, cpu.model_name, cpu.arch, cpu.logical_cpus, cpu.memory_bytes].append(node)
    environments = [
        _environment(number, nodes, snapshot)
        for number, (_, nodes) in enumerate(sorted(groups.items(), key=lambda item: str(item[0])), 1)
    ]
    return json.dumps({"ExecutionEnvironment": environments}, indent=1) + "\n"


def _environment(number: int, nodes: Sequence[NodeState], snapshot: Snapshot) -> dict[str, Any]:
    first = nodes[0]
    assert first.evidence is not None
    cpu = first.evidence.cpu
    identity = f"urn:sitecap:{first.site}:{number}"
    found = {
        "ID": identity,
        "CreationTime": iso(snapshot.at),
        "Validity": _VALIDITY_S,
        "Platform": _PLATFORM.get(cpu.arch or "", "UNDEFINEDVALUE"),
        "VirtualMachine": cpu.virtualised,
        "TotalInstances": len(nodes),
        "UnavailableInstances": sum(node.usable is False for node in nodes),
        "PhysicalCPUs": cpu.packages,
        "LogicalCPUs": cpu.logical_cpus,
        "CPUMultiplicity": _multiplicity(cpu),
        "CPUVendor": cpu.vendor,
        "CPUModel": one_line(cpu.model_name) if cpu.model_name else None,
        "CPUClockSpeed": round(cpu.clock_ghz * 1000) if cpu.clock_ghz else None,
        "MainMemorySize": cpu.memory_bytes // 1024**2 if cpu.memory_bytes else None,
        "Benchmark": _benchmarks(identity, nodes),
        "Associations": {"ComputingManagerID": f"urn:sitecap:{first.site}"},
    }
    return {name: value for name, value in found.items() if value is not None}


def _benchmarks(identity: str, nodes: Sequence[NodeState]) -> list[dict[str, Any]]:
    """HS23 of one logical CPU, the mean of the group."""
    scores = [node.estimate.hs23_per_core for node in nodes if node.estimate is not None]
    if not scores:
        return []
    provisional = any(node.estimate is not None and node.estimate.provisional for node in nodes)
    return [
        {
            "ID": f"{identity}:hepscore23",
            "Type": "hepscore23",
            "Value": rounded(sum(scores) / len(scores)),
            "OtherInfo": ["unit=HS23 per logical CPU", f"provisional={str(provisional).lower()}"],
        }
    ]


def _multiplicity(cpu: CpuDescription) -> str | None:
    if cpu.packages is None or cpu.physical_cores is None:
        return None
    sockets = "multicpu" if cpu.packages > 1 else "singlecpu"
    return f"{sockets}-{'multicore' if cpu.physical_cores > cpu.packages else 'singlecore'}"
