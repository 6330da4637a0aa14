"""Profile → one self-contained HTML page: verdict, problems, the node drawn, what was found, checks, facts.

It loads nothing, runs no script, and forbids both by a content security policy of its own; text from the node
is escaped.
"""

from __future__ import annotations

from html import escape
from typing import Any

from agent.render.exit_maps import overall
from agent.render.html_routes import ways
from agent.render.html_style import STYLE
from agent.render.plain import cores_text, counts_text, number_text, one_line, worst_first
from agent.render.summaries import summaries
from agent.render.topology import topology
from agent.render.topology_svg import draw
from profiles.checks import CheckResult, Status
from profiles.profile import CapabilityProfile

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

MAX_ITEMS = 200
"""Longest list that is written out in the table of facts; the profile itself has all of it."""


def render(profile: CapabilityProfile) -> str:
    """The page, with a final newline."""
    verdict = overall(profile)
    site = f"{profile.site.name}, " if profile.site else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>sitecap: {verdict}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>sitecap: {_verdict(verdict)}</h1>\n"
        f'<p class="dim">{_text(site + cores_text(profile))}; {_text(counts_text(profile.checks))}; '
        f"{profile.created_at:%Y-%m-%d %H:%M} UTC</p>\n"
        f"{_partial(profile)}{_problems(profile)}{_drawing(profile)}{_found(profile)}{ways(profile)}{_checks(profile)}{_facts(profile)}"
        f'<p class="dim">Profile <code>{_text(profile.id)}</code>, schema {_text(profile.schema_version)}, '
        f"sitecap {_text(profile.agent.version)}, {number_text(round(profile.limits.duration_s, 2))} s.</p>\n"
        "</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)


def _verdict(status: Status) -> str:
    return f'<span class="verdict {status.lower()}">{status}</span>'


def _partial(profile: CapabilityProfile) -> str:
    if not profile.limits.partial:
        return ""
    return f"<p><strong>Incomplete:</strong> {_text(profile.limits.reason or 'no reason given')}</p>\n"


def _problems(profile: CapabilityProfile) -> str:
    problems = worst_first(profile.checks)
    body = "".join(map(_problem, problems)) or "<p>None.</p>\n"
    return f"<h2>Problems</h2>\n{body}"


def _problem(check: CheckResult) -> str:
    lines = [f"<p>{_verdict(check.status)} <code>{check.id}</code> {_text(check.summary)}</p>"]
    if check.hint:
        lines.append(f"<p><strong>Fix:</strong> {_text(check.hint)}</p>")
    lines += [
        f'<p class="dim">Bound: <code>{_text(bound.name)}</code> = {_text(str(bound.value))} '
        f"({_text(bound.origin)})</p>"
        for bound in check.thresholds
    ]
    if check.evidence:
        seen = "".join(f"<li><code>{_text(line)}</code></li>" for line in check.evidence)
        lines.append(f"<details><summary>Seen</summary><ul>{seen}</ul></details>")
    return f'<article class="problem {check.status.lower()}-edge">\n' + "\n".join(lines) + "\n</article>\n"


def _drawing(profile: CapabilityProfile) -> str:
    node = topology(profile)
    if node is None:
        return ""
    return f"<h2>The node</h2>\n<figure>{draw(node)}<figcaption>{_text(node.caption)}</figcaption></figure>\n"


def _found(profile: CapabilityProfile) -> str:
    rows = "".join(
        f"<tr><td>{_text(item.name)}</td><td>{_verdict(item.status)}</td><td>{_text(item.text)}</td></tr>\n"
        for item in summaries(profile)
    )
    return f"<h2>Found</h2>\n<table><tr><th>Probe</th><th>Verdict</th><th>Found</th></tr>\n{rows}</table>\n"


def _checks(profile: CapabilityProfile) -> str:
    rows = "".join(
        f"<tr><td><code>{check.id}</code></td><td>{_verdict(check.status)}</td><td>{_text(check.summary)}</td></tr>\n"
        for check in profile.checks
    )
    return (
        f"<h2>Checks</h2>\n<details><summary>{_text(counts_text(profile.checks))}</summary>"
        f"<table><tr><th>Check</th><th>Verdict</th><th>What is so</th></tr>\n{rows}</table></details>\n"
    )


def _facts(profile: CapabilityProfile) -> str:
    parts = profile.facts.model_dump(mode="json", exclude_none=True)
    body = "".join(
        f"<details><summary>{_text(name)}</summary>{_value(part)}</details>\n"
        for name, part in parts.items()
        if part
    )
    return f"<h2>Facts</h2>\n{body}" if body else ""


def _value(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        rows = "".join(
            f"<tr><td>{_text(str(key))}</td><td>{_value(item)}</td></tr>\n" for key, item in value.items()
        )
        return f"<table>{rows}</table>" if rows else ""
    if isinstance(value, list):
        if all(not isinstance(item, dict | list) for item in value):
            more = f" … {len(value)} in all" if len(value) > MAX_ITEMS else ""
            return _text(", ".join(map(str, value[:MAX_ITEMS])) + more)
        more = f"<li>… {len(value)} in all</li>" if len(value) > MAX_ITEMS else ""
        return f"<ol>{''.join(f'<li>{_value(item)}</li>' for item in value[:MAX_ITEMS])}{more}</ol>"
    return _text(str(value))
