"""Facts of the context probe, made up or gathered from a made-up host, and its verdicts on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from probes.context import PROBE
from probes.judging import Judging
from probes.settings import Settings
from profiles.base import Facts
from profiles.checks import CheckResult
from profiles.facts.batch import BatchFacts, ClaimSource, SlotClaim
from profiles.facts.context import ContextFacts, Runtime
from tests.unit.probes.slot_hosts import host

UNAME: tuple[str, list[Any], Any] = (
    "uname",
    [],
    ["Linux", "wn7", "5.14.0-427.el9.x86_64", "#1 SMP", "x86_64"],
)


def gathered(directory: Path, *, settings: Settings | None = None, **more: Any) -> ContextFacts:
    """What the probe finds on a host that these files and answers make."""
    more["answers"] = [*more.get("answers", []), UNAME]
    facts = PROBE.gather(host(directory, **more), settings or Settings())
    assert isinstance(facts, ContextFacts)
    return facts


def facts_with(**changes: Any) -> ContextFacts:
    """Facts of a sound node, some of them changed."""
    values: dict[str, Any] = {
        "runtime": Runtime.NONE, "os_id": "almalinux", "os_version": "9.4", "os_pretty_name": "AlmaLinux 9.4",
        "kernel_release": "5.14.0", "libc": "glibc 2.34", "libc_source": "ldd --version",
        "agent_libc": "glibc 2.34", "load_1min": 1.0, "load_5min": 1.0, "load_15min": 1.0, "pressure": None,
        "name_is_qualified": True, "name_resolves": True, "name_is_loopback_only": False,
        "address_names_host": True, **changes,
    }  # fmt: skip
    return ContextFacts(
        **values, absent={name: "not said" for name, value in values.items() if value is None}
    )


def verdict(
    check_id: str, facts: ContextFacts, settings: Settings | None = None, **others: Facts
) -> CheckResult:
    """The result of one check of the probe."""
    results = PROBE.judge(facts, Judging(PROBE, settings or Settings(), others))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return next(result for result in results if result.id == check_id)


def slot(ends_in_s: float | None, *claims: SlotClaim) -> BatchFacts:
    """A batch slot that ends so many seconds from now, and what others claim of it."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    values: dict[str, Any] = {
        "batch_system": None, "slot_name": None, "pilot": None, "node_name": None, "ends_at": None,
        "ends_at_source": None,
    }  # fmt: skip
    if ends_in_s is not None:
        values |= {"ends_at": now + timedelta(seconds=ends_in_s), "ends_at_source": ClaimSource.SLURM}
    absent = {name: "not said" for name, value in values.items() if value is None}
    return BatchFacts(observed_at=now, claims=claims, absent=absent, **values)
