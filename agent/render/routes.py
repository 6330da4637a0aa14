"""The route table: one row a way to a service, one column a step, the first broken step named below it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.render.printable import printable
from profiles.base import Facts
from profiles.facts.routes import Route, Step

MAX_ROWS = 64
"""Rows shown of one probe: 8 proxies × 8 servers; the profile has them all."""


def routes_of(facts: Facts | None) -> tuple[Route, ...]:
    """The routes that a probe's facts hold, none if it has no such thing."""
    routes = getattr(facts, "routes", None)
    return tuple(route for route in routes or () if isinstance(route, Route))


def route_table(routes: Sequence[Route], width: int) -> list[str]:
    """Lines of the tables, one table for each thing asked for; none is wider than `width` but for what is broken.

    A cell is the milliseconds of the step, `ok` where it has none, `FAIL`, or `-` where it was not reached. Where names
    are too long for `width` columns, rows are numbered and the names stand below; where even that is too wide, each
    route is a line of its own with the steps that it took.
    """
    shown = routes[:MAX_ROWS]
    out: list[str] = []
    for subject in dict.fromkeys(route.subject for route in shown):
        rows = [route for route in shown if route.subject == subject]
        out += [
            title(rows),
            *(_named(rows, width) or _numbered(rows, width) or _narrow(rows)),
        ]
    if len(routes) > MAX_ROWS:
        out.append(f"and {len(routes) - MAX_ROWS} more routes in the profile")
    return out


def title(rows: Sequence[Route]) -> str:
    """What the ways lead to, with the unit of the cells if any has a time."""
    timed = any(step.duration_s is not None for route in rows for step in route.steps)
    return printable(rows[0].subject) + (", each step in ms" if timed else "")


def _named(rows: Sequence[Route], width: int) -> list[str] | None:
    labels = [[printable(route.target), printable(route.via)] for route in rows]
    table = _table(["from", "via"], labels, rows, width, gap="  ")
    if table is None:
        return None
    return [
        table[0],
        *(line for row, route in zip(table[1:], rows, strict=True) for line in (row, *why(route))),
    ]


def _numbered(rows: Sequence[Route], width: int) -> list[str] | None:
    table = _table(["way"], [[str(number)] for number in range(1, len(rows) + 1)], rows, width, gap=" ")
    if table is None:
        return None
    for number, route in enumerate(rows, 1):
        table += [f"{number} = {printable(route.target)} via {printable(route.via)}", *why(route)]
    return table


def _table(
    heads: list[str], labels: Sequence[list[str]], rows: Sequence[Route], width: int, *, gap: str
) -> list[str] | None:
    """Aligned lines, None if they are wider than `width`."""
    steps, lines_of_cells = grid(rows)
    table = [
        [*heads, *steps],
        *([*label, *cells] for label, cells in zip(labels, lines_of_cells, strict=True)),
    ]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = [
        gap.join(f"{cell:<{size}}" for cell, size in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return lines if max(map(len, lines)) <= width else None


def grid(rows: Sequence[Route]) -> tuple[list[str], list[list[str]]]:
    """The columns of all steps in their order, and a line of cells for each route."""
    steps = list(dict.fromkeys(step.name for route in rows for step in route.steps))
    lines = []
    for route in rows:
        taken = {step.name: step for step in route.steps}
        lines.append([cell(taken.get(name)) for name in steps])
    return steps, lines


def cell(step: Step | None) -> str:
    """What stands in one cell."""
    if step is None or step.outcome == "not reached":
        return "-"
    if step.outcome == "failed":
        return "FAIL"
    if step.outcome == "not tried":
        return "skip"
    return "ok" if step.duration_s is None else f"{step.duration_s * 1000:.0f}"


def _narrow(rows: Sequence[Route]) -> list[str]:
    out = []
    for route in rows:
        took = ", ".join(f"{step.name} {cell(step)}" for step in route.steps if step.outcome != "not reached")
        out += [f"{printable(route.target)} via {printable(route.via)}: {took}", *why(route)]
    return out


def why(route: Route) -> list[str]:
    """The sentence on the first broken step, nothing if none is broken."""
    broken = route.broken
    if broken is None:
        return []
    fault = f" ({printable(broken.fault)})" if broken.fault else ""
    return [f"  broken at {broken.name}{fault}: {printable(broken.detail or 'no reason is given')}"]
