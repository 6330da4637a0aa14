"""Profile → a ClassAd fragment for HTCondor's startd cron: `Attr = value` lines, ended by a line with "-".

All names begin with CMSAgent_, so none of the machine's own attributes (Cpus, Memory, Microarch, GPUs_…) is
redefined. What is not known is left out: HTCondor reads a missing attribute as UNDEFINED, which is what it is.
"""

from __future__ import annotations

import math
import re

from agent.render.exit_maps import overall
from agent.render.plain import one_line, worst_first
from profiles.checks import Scalar, Status
from profiles.profile import CapabilityProfile

PREFIX = "CMSAgent_"

MAX_STRING = 512
"""Characters of one string: an ad is sent to the collector every few minutes by every slot."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")


def render(profile: CapabilityProfile) -> str:
    """The fragment, with the final "-" line."""
    problems = worst_first(profile.checks)
    verdict = overall(profile)
    attributes: dict[str, Scalar | None] = {
        "SchemaVersion": profile.schema_version,
        "Version": profile.agent.version,
        "ProfileId": profile.id,
        "NodeId": profile.node.id,
        "ProbedAt": int(profile.created_at.timestamp()),
        "Status": str(verdict),
        "Ok": verdict in (Status.OK, Status.WARNING),
        "Partial": profile.limits.partial,
        "PartialReason": profile.limits.reason,
        "Problems": " ".join(check.id for check in problems),
        "NumCritical": sum(check.status is Status.CRITICAL for check in problems),
        "NumWarning": sum(check.status is Status.WARNING for check in problems),
        "NumUnknown": sum(check.status is Status.UNKNOWN for check in problems),
        "Site": profile.site.name if profile.site else None,
        "ScopeKind": profile.scope.kind,
        "CoresGranted": profile.scope.cores_granted,
        "CoresPresent": profile.scope.cores_present,
        "DurationSeconds": profile.limits.duration_s,
    }
    for check in profile.checks:
        name = _NOT_IN_NAMES.sub("_", check.id)
        attributes[name] = str(check.status)
        attributes[f"{name}_Value"] = check.value
        if check in problems:
            attributes[f"{name}_Summary"] = check.summary
    lines = [
        f"{PREFIX}{name} = {text}"
        for name, value in attributes.items()
        if (text := _literal(value)) is not None
    ]
    return "\n".join([*lines, "-"]) + "\n"


def _literal(value: Scalar | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # ClassAd integers are 64 bits wide.
        return str(value) if -(2**63) <= value < 2**63 else f"{float(value)!r}"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    # A backslash is a plain character in the old syntax and an escape in the new one; startd cron takes both.
    text = one_line(value, MAX_STRING).replace("\\", "/").replace('"', '\\"')
    return f'"{text}"'
