"""HTCondor: attributes of a machine for its startd (STARTD_ATTRS, startd cron) or for a glidein's advertisement.

Our own names begin with CMSCapacity_. Beside them stand those that others already read: `ApelSpecs`, from which
htcondor-ce-apel takes the performance of a machine, and `MJF_…`, which CMS's monitoring divides by GLIDEIN_Cpus
(cms-htcondor-es, BenchmarkJobHS06).
"""

from __future__ import annotations

import math

from capacity.exports.model import iso, one_line, rounded
from capacity.fleet.model import NodeState

PREFIX = "CMSCapacity_"

_Value = bool | int | float | str | None


def render(node: NodeState) -> str:
    """`Name = value` lines; what is not known is left out, which HTCondor reads as UNDEFINED."""
    estimate = node.estimate
    ours: dict[str, _Value] = {
        "Site": node.site,
        "NodeId": node.node_id,
        "LastSeen": iso(node.last_seen_at),
        "CoresGranted": node.granted_cores,
        "Usable": node.usable,
        "UnusableReason": node.unusable_reason,
    }
    lines = [
        f"{PREFIX}{name} = {text}" for name, value in ours.items() if (text := literal(value)) is not None
    ]
    if estimate is None:
        return "\n".join(lines) + "\n"
    per_core = rounded(estimate.hs23_per_core)
    figures: dict[str, _Value] = {
        "HS23PerCore": per_core,
        "HS23PerCoreLow": rounded(estimate.low),
        "HS23PerCoreHigh": rounded(estimate.high),
        "HS23Granted": None if node.hs23_granted is None else rounded(node.hs23_granted),
        "Method": estimate.method.value,
        "Provisional": estimate.provisional,
        "Calibrated": estimate.calibrated,
        "CatalogueVersion": estimate.catalogue_version,
        "CalibrationVersion": estimate.calibration_version,
    }
    lines += [
        f"{PREFIX}{name} = {text}" for name, value in figures.items() if (text := literal(value)) is not None
    ]
    lines += [f"ApelSpecs = [ HEPscore23 = {per_core!r} ]", f"MJF_JOB_HS06_JOB = {per_core!r} * GLIDEIN_Cpus"]
    if estimate.hs23_node is not None and estimate.node_cores is not None:
        lines += [
            f"MJF_MACHINE_HS06 = {rounded(estimate.hs23_node)!r}",
            f"MJF_MACHINE_TOTAL_CPU = {estimate.node_cores}",
        ]
    return "\n".join(lines) + "\n"


def literal(value: _Value) -> str | None:
    """A value in ClassAd syntax; None if there is none."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value) if math.isfinite(value) else None
    # A backslash is a plain character in the old syntax and an escape in the new one.
    text = one_line(value).replace("\\", "/").replace('"', '\\"')
    return f'"{text}"'
