"""Profile → the output of a monitoring plug-in: status line, performance data, then the problems in full.

Format of the Monitoring Plugins Development Guidelines: `text | 'label'=value[UOM];warn;crit;min;max`, and
long text on further lines. The text before the bar has at most 80 characters, where node-problem-detector cuts.
"""

from __future__ import annotations

import re

from agent.render.exit_maps import overall
from agent.render.plain import PROBLEMS, counts, number_text, one_line, worst_first
from profiles.checks import CheckResult, Status
from profiles.profile import CapabilityProfile

WIDTH = 80

_UNITS = {"s": "s", "B": "B", "B/core": "B", "%": "%"}
"""Units of ours that the guidelines have; every other value goes without one."""

_PER = re.compile(r"_per_[a-z]+$")

MAX_LONG_LINES = 60
"""Monitoring systems cut long text at 4 to 8 kB."""


def render(profile: CapabilityProfile) -> str:
    """The plug-in output, with a final newline."""
    performance = " ".join(filter(None, map(_performance, profile.checks)))
    first = _status_line(profile) + (f" | {performance}" if performance else "")
    return "\n".join([first, *_long_text(profile)]) + "\n"


def _status_line(profile: CapabilityProfile) -> str:
    problems = worst_first(profile.checks)
    if not problems:
        tail = (profile.limits.reason or "incomplete") if profile.limits.partial else f"{_tally(profile)}"
    elif len(problems) == 1:
        tail = f"{problems[0].id} {problems[0].summary}"
    else:
        start = f"SITECAP {overall(profile)} - {_tally(profile)}: "
        tail = f"{_tally(profile)}: {_codes([check.id for check in problems], WIDTH - len(start))}"
    return one_line(_no_bar(f"SITECAP {overall(profile)} - {tail}"), WIDTH)


def _codes(ids: list[str], width: int) -> str:
    """As many whole codes as fit, and how many did not: half a code would be the code of another check."""
    shown = " ".join(ids)
    left = 0
    while len(shown) > width and left < len(ids):
        left += 1
        shown = " ".join([*ids[: len(ids) - left], f"+{left}"])
    return shown


def _tally(profile: CapabilityProfile) -> str:
    found = counts(profile.checks)
    bad = [status for status in found if status in PROBLEMS]
    return ", ".join(
        f"{found[status]} {status.lower()}" for status in bad or [Status.OK] if status in found
    ) or ("nothing to check here" if profile.checks else "no checks")


def _performance(check: CheckResult) -> str | None:
    value = number_text(check.value)
    if value is None:
        return None
    unit = _UNITS.get(check.unit or "", "")
    smallest = "0" if unit in ("s", "B", "%") else ""
    largest = "100" if unit == "%" else ""
    return f"'{check.id}'={value}{unit};{_range(check, 'warn')};{_range(check, 'crit')};{smallest};{largest}"


def _range(check: CheckResult, severity: str) -> str:
    """The range that is fine: "N:" where less is bad, "N" where more is; empty without such a bound."""
    for threshold in check.thresholds:
        bound = number_text(threshold.value)
        if bound is None or not threshold.name.startswith(severity):
            continue
        if _PER.search(threshold.name) and "/" not in (check.unit or ""):
            continue  # a bound per core says nothing of a value that is of the whole node
        if "_below" in threshold.name:
            return f"{bound}:"
        if "_above" in threshold.name:
            return bound
    return ""


def _long_text(profile: CapabilityProfile) -> list[str]:
    lines = []
    if profile.limits.partial:
        lines.append(f"incomplete: {profile.limits.reason or 'no reason given'}")
    for check in worst_first(profile.checks):
        lines.append(f"{check.id} {check.status}: {check.summary}")
        if check.hint:
            lines.append(f"{check.id} fix: {check.hint}")
    if len(lines) > MAX_LONG_LINES:
        left = len(lines) - MAX_LONG_LINES
        lines = [*lines[:MAX_LONG_LINES], f"and {left} more lines; see agent probe"]
    return [one_line(_no_bar(line), 400) for line in lines]


def _no_bar(text: str) -> str:
    """A bar begins performance data, in the long text too, so none may come from a host file."""
    return text.replace("|", "/")
