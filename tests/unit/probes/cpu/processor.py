"""Processors made of a few files, facts of a good node, and one verdict on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import archspec

from probes import cpu, isa, scram
from probes.host import Host
from probes.judging import Judging
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from profiles.checks import CheckResult
from profiles.facts.batch import BatchFacts
from profiles.facts.cpu import CpuFacts

TARGETS = Path(archspec.__file__).parent / "json/tests/targets"
"""Real /proc/cpuinfo files that archspec brings; a file is named after the target that archspec must detect."""
V3 = [flag for level in (1, 2, 3) for flag in isa.LEVELS[level]]
SYSFS_CPUS = "sys/devices/system/cpu"


def machine(tmp_path: Path, files: dict[str, str | bytes], uname: str = "x86_64") -> Host:
    """A recorded machine of some files."""
    for path, content in files.items():
        target = tmp_path / "root" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "root").mkdir(exist_ok=True)
    answers = [
        {"ask": "uname", "args": [], "answer": ["Linux", "n", "6", "", uname]},
        {"ask": "libc", "args": [], "answer": "glibc 2.28"},
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in answers))
    (tmp_path / "recording.json").write_text('{"recording_version": "1.0"}')
    return Host(ReplayDoor(Recording(tmp_path), "cpu"))


def facts(**known: Any) -> CpuFacts:
    """Facts of a good x86 node with changes; every field that is None has a reason."""
    fields: dict[str, Any] = {
        "machine": "x86_64",
        "condor_arch": "X86_64",
        "vendor": "AuthenticAMD",
        "model_name": "AMD EPYC 7763 64-Core Processor",
        "flags": tuple(V3),
        "x86_64_level": 3,
        "archspec_name": "x86_64_v3",
        "packages": 2,
        "physical_cores": 128,
        "threads_per_core": 2,
        "governors": ("performance",),
        "frequency_driver": "acpi-cpufreq",
        "virtualised": False,
        "mitigations": {"meltdown": "Not affected"},
        "libc": "glibc 2.34",
        "scram_architectures": scram.runnable("x86_64", 3, (2, 34)),
        "scram_architectures_in_containers": scram.runnable("x86_64", 3),
        **known,
    }
    return CpuFacts(
        **fields, absent={name: "not asked" for name in CpuFacts.model_fields if fields.get(name) is None}
    )


def verdict(check_id: str, about: CpuFacts, batch: BatchFacts | None = None, **settings: Any) -> CheckResult:
    known = {} if batch is None else {"batch": batch}
    results = cpu.judge(about, Judging(cpu.PROBE, Settings(**settings), known))
    assert [result.id for result in results] == [check.id for check in cpu.PROBE.checks]
    return next(result for result in results if result.id == check_id)
