"""Batch slot and pilot: who says that we run in a slot, what it is called there, and when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from probes.claims import read_all
from probes.errors import HostError
from probes.host import Host
from probes.judging import Judging
from probes.private_text import PrivateText
from probes.settings import Settings
from probes.spec import Check, Probe
from profiles.checks import CheckResult
from profiles.facts.batch import BatchFacts, ClaimSource, SlotClaim

BATCH_SYSTEMS: Final = (
    ClaimSource.HTCONDOR,
    ClaimSource.SLURM,
    ClaimSource.PBS,
    ClaimSource.LSF,
    ClaimSource.SGE,
    ClaimSource.KUBERNETES,
)
"""Who starts jobs on nodes. ARC and MJF only describe them, and a glidein is a job itself."""

CHECKS: Final[tuple[Check, ...]] = ()


def gather(host: Host, settings: Settings) -> BatchFacts:
    """Read every claim; the profile's own fields are picked from them, none is believed more."""
    private = PrivateText(host)
    claims = tuple(_without_user(claim, private) for claim in read_all(host, settings, ask_controller=True))
    absent: dict[str, str] = {}
    systems = [claim for claim in claims if claim.source in BATCH_SYSTEMS]
    pilot = ClaimSource.GLIDEIN if any(_is_of_glidein(claim) for claim in claims) else None
    slot_name = next((claim.slot_name for claim in systems if claim.slot_name), None)
    node_name = next((claim.node_name for claim in systems if claim.node_name), None)
    end, end_source = _earliest_end(claims)
    if not systems:
        absent["batch_system"] = "no variable of a batch system is set"
    if pilot is None:
        absent["pilot"] = "neither a variable nor an attribute of the slot is that of a glideinWMS pilot"
    silent = "the batch system does not say" if systems else "not in a batch slot"
    for name, value in (("slot_name", slot_name), ("node_name", node_name)):
        if value is None:
            absent[name] = silent
    if end is None:
        absent["ends_at"] = absent["ends_at_source"] = (
            "no source says when the slot ends" if claims else "not in a batch slot"
        )
    return BatchFacts(
        observed_at=_now(host, absent),
        claims=claims,
        batch_system=systems[0].source if systems else None,
        slot_name=slot_name,
        pilot=pilot,
        node_name=node_name,
        ends_at=end,
        ends_at_source=end_source,
        absent=absent,
    )


def judge(facts: BatchFacts, judging: Judging) -> list[CheckResult]:  # noqa: ARG001 - the contract of a probe
    """No verdicts of its own: claims are held against what the kernel enforces where that is judged."""
    return []


def summarise(facts: BatchFacts) -> str:
    """Batch system, slot and time left, e.g. "htcondor slot1_2, glidein, 12.3 h left"."""
    if not facts.claims:
        return "not in a batch slot"
    system = facts.batch_system.value if facts.batch_system else facts.claims[0].source.value
    words = [f"{system} {facts.slot_name}" if facts.slot_name else system]
    if facts.pilot is not None:
        words.append(facts.pilot.value)
    if facts.ends_at is not None and facts.observed_at is not None:
        left_s = (facts.ends_at - facts.observed_at).total_seconds()
        words.append(f"{left_s / 3600:.1f} h left")
    return ", ".join(words)[:60]


def _now(host: Host, absent: dict[str, str]) -> datetime | None:
    try:
        return host.now()
    except (HostError, ValueError, OverflowError, OSError) as error:
        absent["observed_at"] = f"the clock does not answer: {error}"[:256]
        return None


def _is_of_glidein(claim: SlotClaim) -> bool:
    """A payload may not see the pilot's variables, but its slot names the site: only glideins advertise that."""
    return claim.source == ClaimSource.GLIDEIN or (
        claim.source == ClaimSource.HTCONDOR and claim.site_name is not None
    )


def _earliest_end(claims: Iterable[SlotClaim]) -> tuple[datetime | None, ClaimSource | None]:
    ends = [(claim.ends_at, claim.source) for claim in claims if claim.ends_at is not None]
    return min(ends, key=lambda item: item[0], default=(None, None))


def _without_user(claim: SlotClaim, private: PrivateText) -> SlotClaim:
    directory = claim.scratch_directory
    return claim.model_copy(
        update={
            "scratch_directory": None if directory is None else private.hide(directory),
            "evidence": tuple(private.hide(text) for text in claim.evidence),
            "problems": tuple(private.hide(text) for text in claim.problems),
        }
    )


PROBE = Probe(
    name="batch",
    title="Batch slot and pilot that we run in",
    section="Slot",
    facts_model=BatchFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=10.0,
)
