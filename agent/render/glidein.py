"""Profile → otrb XML, the result of a validation script in glideinWMS (`OSGTestResult`, version 4.3.1).

The layout is that which glideinWMS writes by error_gen.sh: status OK or ERROR, metrics, and for an error the
metric `failure` with one of five classes, and a detail. Only CRITICAL and an unfinished run are errors, as for
the exit status.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from agent.render.exit_maps import exit_status, overall
from agent.render.plain import number_text, one_line, worst_first
from profiles.checks import CheckResult, Status
from profiles.profile import CapabilityProfile

VERSION = "4.3.1"

TEST_ID = "sitecap_probe"

MAX_TEXT = 1000
"""Characters of one metric or line of detail; the factory carries all of it home in the glidein's log."""

CLASSES = ("WN_Resource", "VO_Proxy", "Corruption", "Network", "Config")
"""Classes of failure that glideinWMS knows."""

_BY_AREA = {"NET": "Network", "SQD": "Network", "CRD": "VO_Proxy", "CTX": "Config", "CFG": "Config"}
_BY_CHECK = {
    "DSK-05": "Corruption",
    "CTX-04": "WN_Resource",
    "CTX-05": "WN_Resource",
    "CTX-06": "WN_Resource",
}


def failure_class(check: CheckResult) -> str:
    """The class of failure that a check stands for; all that is not better known is the node's fault."""
    return _BY_CHECK.get(check.id) or _BY_AREA.get(check.id.partition("-")[0], "WN_Resource")


def render(profile: CapabilityProfile) -> str:
    """The XML document, with a final newline."""
    failed = exit_status(profile, "glidein") != 0
    root = ET.Element("OSGTestResult", id=TEST_ID, version=VERSION)
    result = ET.SubElement(root, "result")
    ET.SubElement(result, "status").text = "ERROR" if failed else "OK"
    problems = worst_first(profile.checks)
    metrics: list[tuple[str, str | None]] = []
    if failed:
        critical = [check for check in problems if check.status is Status.CRITICAL]
        metrics.append(("failure", failure_class(critical[0]) if critical else "WN_Resource"))
    metrics += [
        ("verdict", str(overall(profile))),
        ("profile", profile.id),
        ("cores_granted", number_text(profile.scope.cores_granted)),
        ("cores_present", number_text(profile.scope.cores_present)),
        *((check.id, str(check.status)) for check in profile.checks),
    ]
    when = profile.created_at.isoformat(timespec="seconds")
    for name, value in metrics:
        if value is not None:
            ET.SubElement(result, "metric", name=name, ts=when, uri="local").text = one_line(value, MAX_TEXT)
    lines = [f"{check.id} {check.status}: {check.summary}" for check in problems]
    if profile.limits.partial:
        lines.insert(0, f"incomplete: {profile.limits.reason}")
    if lines:
        ET.SubElement(root, "detail").text = (
            "\n" + "".join(f"    {one_line(line, MAX_TEXT)}\n" for line in lines) + "  "
        )
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
