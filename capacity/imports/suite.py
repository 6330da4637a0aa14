"""Reports of the HEP Benchmark Suite, json_version 2.x and 3.x: a full HEPscore23 or HS06 run is a measured truth.

Older and newer reports spell the same thing differently, write numbers as text with a unit, and say `not_available` or
-1 for what they do not know. Only what identifies hardware and result is taken: no addresses, no serial numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

from pydantic import ValidationError

from capacity.hs06.model import CpuDescription
from capacity.imports.model import Imported, ImportedScore
from capacity.imports.reading import Broken, at, bounded, documents_of, integer, moment, number, shown, text

WORKLOADS = 7
"""Of HEPscore23; a result over fewer of them is another benchmark."""

SCALING = 1018.0
"""HEPscore23 of the reference machine, a dual Gold 6326 with SMT (hep-score, hepscore-default.yaml)."""

_RECOMPUTED_WITHIN = (
    0.01  # ratios are rounded to four digits: 0.0003 % on published runs; 1 % is a changed file
)
_SPEC_BENCHMARKS = 7  # all_cpp of SPEC CPU2006
_SITE = re.compile(r"T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48}")
_TOO_FAST_PER_CPU = 200.0  # HS23; the fastest core of the HEPiX table has 37


def read(data: bytes) -> Imported:
    """Scores of one report, a list of reports, or one a line.

    Raises:
        BadInputError: it cannot be read at all.
    """
    scores: list[ImportedScore] = []
    problems: list[str] = []
    for index, report in enumerate(documents_of(data, "the Suite report"), 1):
        _read(report, index, scores, problems)
    return Imported(scores=tuple(scores), problems=bounded(problems))


def _read(report: object, index: int, scores: list[ImportedScore], problems: list[str]) -> None:
    if isinstance(report, Broken):
        problems.append(report.why)
        return
    name = text(at(report, "_id"), 120)
    who = f"report {name or index}"
    profiles = at(report, "profiles")
    version = str(at(report, "json_version") or "").lstrip("v")
    if not isinstance(profiles, dict) or at(report, "host") is None:
        problems.append(f"{who} has no host and profiles: it is not a report of the HEP Benchmark Suite")
        return
    if version.split(".")[0] not in ("2", "3"):
        problems.append(f"{who} has json_version {shown(version)}; 2.x and 3.x are read")
        return
    if name is None:
        problems.append(f"{who} has no _id, so that it could be counted twice: left out")
        return
    found = [
        _hepscore(profiles["hepscore"], report, who, problems) if "hepscore" in profiles else None,
        _hs06(profiles["hs06_32"], who, problems) if "hs06_32" in profiles else None,
    ]
    if "hs06_64" in profiles:
        problems.append(
            f"{who}: its HS06 is the 64-bit build, about 15 % higher than HS06 as defined: left out"
        )
    results = [one for one in found if one is not None]
    if not results and not any(problem.startswith(who) for problem in problems):
        problems.append(
            f"{who} holds neither HEPscore23 nor HS06 ({', '.join(map(str, list(profiles)[:5]))})"
        )
    for kind, total, loaded, ratios in results:
        score = _score(report, name, kind, total, loaded, ratios)
        if isinstance(score, str):
            problems.append(f"{who}: {score}")
        else:
            scores.append(score)


_Result = tuple[str, float, int | None, dict[str, float]]


def _hepscore(result: object, report: object, who: str, problems: list[str]) -> _Result | None:
    label = text(at(result, "settings", "name")) or text(at(result, "app_info", "name"))
    scaling = number(at(result, "settings", "scaling"))
    status = text(at(result, "status"))
    total = number(at(result, "score"))
    if label is None or label.lower() != "hepscore23":
        problems.append(f"{who}: its result is {shown(label)}, not HEPscore23: left out")
    elif scaling is not None and scaling != SCALING:
        problems.append(f"{who}: HEPscore23 is scaled to {SCALING:g}, this one to {scaling:g}: left out")
    elif (status is not None and status.lower() != "success") or not total:
        problems.append(f"{who}: the run did not succeed (status {shown(status)}, no score)")
    else:
        ratios = _ratios(at(result, "wl-scores"))
        wrong = _inconsistent(ratios, total)
        if wrong is None:
            loaded = integer(at(report, "suite", "flags", "ncores"))
            return ("HS23", total, loaded, ratios)
        problems.append(f"{who}: {wrong}: left out")
    return None


def _ratios(scores: object) -> dict[str, float]:
    """Workload → geometric mean of its results over their references."""
    found: dict[str, float] = {}
    if not isinstance(scores, Mapping):
        return found
    for workload, values in list(scores.items())[:50]:
        if not isinstance(values, Mapping):
            continue
        logs = []
        for name, value in values.items():
            got, reference = number(value), number(values.get(f"{name}_ref"))
            if got and reference:
                logs.append(math.log(got / reference))
        if logs:
            found[str(workload)[:80]] = math.exp(sum(logs) / len(logs))
    return found


def _inconsistent(ratios: Mapping[str, float], total: float) -> str | None:
    """Why the score cannot be that of these workloads; None if it can, or if the report does not list them."""
    if not ratios:
        return None
    if len(ratios) != WORKLOADS:
        return f"it has {len(ratios)} of the {WORKLOADS} workloads of HEPscore23"
    again = SCALING * math.exp(sum(map(math.log, ratios.values())) / WORKLOADS)
    if abs(again / total - 1) > _RECOMPUTED_WITHIN:
        return f"its workloads give {again:.1f}, its score says {total:.1f}"
    return None


def _hs06(result: object, who: str, problems: list[str]) -> _Result | None:
    total = number(at(result, "score"))
    copies = integer(at(result, "copies"))
    benchmarks = integer(at(result, "num_bmks"))
    if benchmarks != _SPEC_BENCHMARKS:
        problems.append(
            f"{who}: its HS06 ran {benchmarks if benchmarks is not None else 'an unknown number'} of the "
            f"{_SPEC_BENCHMARKS} benchmarks ({shown(at(result, 'bset'))}): left out"
        )
    elif not total or not copies:
        problems.append(f"{who}: its HS06 has no score or no number of copies: left out")
    else:
        return ("HS06", total, copies, {})
    return None


def _score(
    report: object, name: str, kind: str, total: float, loaded: int | None, ratios: dict[str, float]
) -> ImportedScore | str:
    cpu = _cpu(at(report, "host", "HW"))
    loaded = loaded or cpu.logical_cpus
    if loaded is None:
        return "it does not say how many CPUs were loaded: left out"
    if total / loaded > _TOO_FAST_PER_CPU:
        return f"{total:.0f} on {loaded} CPUs is no possible score: left out"
    site = text(at(report, "host", "tags", "site"), 64)
    version = text(at(report, "suite", "version"), 40) or "of unknown version"
    try:
        return ImportedScore.model_validate(
            {
                "report_id": f"{kind} {name}",
                "kind": kind,
                "total": total,
                "loaded_cpus": loaded,
                "cpu": cpu,
                "site": site if site and _SITE.fullmatch(site) else None,
                "hostname": text(at(report, "host", "hostname")),
                "measured_at": _when(report),
                "source": f"HEP Benchmark Suite {version}, report {name}",
                "ratios": ratios,
            }
        )
    except ValidationError as error:
        return f"{error.errors()[0]['msg']}: left out"


def _when(report: object) -> datetime | None:
    return moment(at(report, "_timestamp_end")) or moment(at(report, "_timestamp"))


def _cpu(hardware: object) -> CpuDescription:
    cpu = at(hardware, "CPU")
    threads = integer(at(cpu, "Threads_per_core"))
    sockets = integer(at(cpu, "Sockets"))
    cores_per_socket = integer(at(cpu, "Cores_per_socket"))
    memory_kb = number(at(hardware, "MEMORY", "Mem_Total"))
    max_mhz = number(at(cpu, "CPU_Max_Speed_MHz"))
    is_vm = at(hardware, "SYSTEM", "isVM")
    return CpuDescription(
        model_name=text(at(cpu, "CPU_Model")),
        arch=text(at(cpu, "Architecture"), 16),
        vendor=text(at(cpu, "Vendor_ID"), 64),
        x86_family=integer(at(cpu, "CPU_Family")),
        packages=sockets or None,
        physical_cores=sockets * cores_per_socket if sockets and cores_per_socket else None,
        # `CPU_num` since 3.x, `CPU` before.
        logical_cpus=integer(at(cpu, "CPU_num")) or integer(at(cpu, "CPU")) or None,
        threads_per_core=threads or None,
        max_clock_ghz=max_mhz / 1000 if max_mhz else None,
        memory_bytes=int(memory_kb * 1024) if memory_kb else None,
        numa_nodes=integer(at(cpu, "NUMA_nodes")) or None,
        virtualised=is_vm if isinstance(is_vm, bool) else None,
    )
