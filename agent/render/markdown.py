"""Profile → Markdown to paste into a ticket: problems first, then what was found, then how it was asked."""

from __future__ import annotations

import re

from agent.render.exit_maps import overall
from agent.render.plain import cores_text, counts_text, one_line, worst_first
from agent.render.summaries import summaries
from profiles.checks import CheckResult
from profiles.profile import CapabilityProfile

_SPECIAL = re.compile(r"[\\`*\[\]<>#!|~@&]|(?<![^\W_])_|_(?![^\W_])")


def escape(text: str) -> str:
    """Text that shows as itself: no markup, no HTML, no table bar, no link, no mention of a user or an issue.

    Character references and not backslashes, because @ and # have none in the trackers' dialects. An underscore
    within a word is no markup.
    """
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", one_line(text)).replace("://", "&#58;//")


def render(profile: CapabilityProfile) -> str:
    """The Markdown text, with a final newline."""
    lines = [
        f"## sitecap: {overall(profile)} ({counts_text(profile.checks)})",
        "",
        f"{escape(cores_text(profile))}"
        + (f", {escape(profile.site.name)}" if profile.site else "")
        + f", {profile.created_at:%Y-%m-%d %H:%M} UTC, sitecap {escape(profile.agent.version)}",
        "",
    ]
    if profile.limits.partial:
        lines += [f"**Incomplete:** {escape(profile.limits.reason or 'no reason given')}", ""]
    lines += ["### Problems", "", *_problems(profile), "", "### Found", "", *_found(profile), ""]
    lines += [
        "<details><summary>All checks</summary>",
        "",
        "| check | verdict | what is so |",
        "|---|---|---|",
        *(f"| {check.id} | {check.status} | {escape(check.summary)} |" for check in profile.checks),
        "",
        "</details>",
        "",
        f"Profile {profile.id}, schema {profile.schema_version}, {profile.limits.duration_s:.2f} s.",
    ]
    return "\n".join(lines) + "\n"


def _problems(profile: CapabilityProfile) -> list[str]:
    problems = worst_first(profile.checks)
    if not problems:
        return ["None."]
    return [line for check in problems for line in _problem(check)]


def _problem(check: CheckResult) -> list[str]:
    lines = [f"- **{check.id} {check.status}**: {escape(check.summary)}"]
    if check.hint:
        lines.append(f"  - fix: {escape(check.hint)}")
    lines += [
        f"  - bound: {escape(bound.name)} = {escape(str(bound.value))} ({escape(bound.origin)})"
        for bound in check.thresholds
    ]
    lines += [f"  - seen: {escape(one_line(seen, 300))}" for seen in check.evidence[:8]]
    if len(check.evidence) > 8:
        lines.append(f"  - and {len(check.evidence) - 8} more in the profile")
    return lines


def _found(profile: CapabilityProfile) -> list[str]:
    return [
        "| probe | verdict | found |",
        "|---|---|---|",
        *(f"| {item.name} | {item.status} | {escape(item.text)} |" for item in summaries(profile)),
    ]
