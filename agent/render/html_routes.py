"""The route tables on the HTML page: ways to services, step by step, what is broken first."""

from __future__ import annotations

from html import escape

from agent.render.plain import one_line
from agent.render.routes import MAX_ROWS, grid, routes_of, title, why
from profiles.facts.routes import Route
from profiles.node_facts import NodeFacts
from profiles.profile import CapabilityProfile


def ways(profile: CapabilityProfile) -> str:
    """The section, empty if no probe took any way."""
    tables = []
    for name in NodeFacts.model_fields:
        routes = routes_of(getattr(profile.facts, name))[:MAX_ROWS]
        for subject in dict.fromkeys(route.subject for route in routes):
            rows = [route for route in routes if route.subject == subject]
            tables.append(f"<h3>{_text(name)}: {_text(title(rows))}</h3>\n{_table(rows)}")
    return f"<h2>Ways</h2>\n{''.join(tables)}" if tables else ""


def _table(rows: list[Route]) -> str:
    steps, lines = grid(rows)
    head = "".join(f"<th>{_text(word)}</th>" for word in ("from", "via", *steps))
    body = []
    for route, cells in zip(rows, lines, strict=True):
        names = f"<td>{_text(route.target)}</td><td>{_text(route.via)}</td>"
        body.append(f"<tr>{names}{''.join(map(_cell, cells))}</tr>\n")
        body += [
            f'<tr><td class="dim" colspan="{len(steps) + 2}">{_text(line.strip())}</td></tr>\n'
            for line in why(route)
        ]
    return f"<table><tr>{head}</tr>\n{''.join(body)}</table>\n"


def _cell(text: str) -> str:
    return (
        f'<td><span class="verdict critical">{text}</span></td>'
        if text == "FAIL"
        else f"<td>{_text(text)}</td>"
    )


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)
