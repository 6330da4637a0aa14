"""The talk's tables as they ship with the program."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

from computing_model.talk import Line


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Rows of one table below data/talk, without the printed totals."""
    text = (resources.files("computing_model") / "data" / "talk" / f"{name}.csv").read_text("utf-8")
    return tuple(
        row for row in csv.DictReader(text.splitlines()) if not next(iter(row.values())).startswith("TOTAL")
    )


def printed_total(name: str, scenario: str, column: str) -> float:
    """What the talk prints below a column: scenario "optimistic" or "weighted probable"."""
    text = (resources.files("computing_model") / "data" / "talk" / f"{name}.csv").read_text("utf-8")
    row = next(row for row in csv.DictReader(text.splitlines()) if row["item"] == f"TOTAL {scenario}")
    return float(row[column])


@cache
def probabilities() -> dict[str, float]:
    """Level → probability of success."""
    return {row["level"]: float(row["value"]) for row in rows("probability_levels")}


def lines(name: str, column: str) -> tuple[Line, ...]:
    """Lines of R&D that speak of a column, shares as positive fractions."""
    return tuple(
        Line(
            row["item"],
            abs(float(row[column])) / 100,
            probabilities()[row["probability"]],
            row.get("correlation_group") or None,
        )
        for row in rows(name)
        if row[column]
    )


def model_input(parameter: str, run: str) -> float:
    """One number of the talk's table of inputs; run is "run4" or "run5"."""
    return float(next(row[run] for row in rows("model_inputs") if row["parameter"] == parameter))


def event_size_mb(tier: str, pileup: int) -> float:
    """Printed size of an event, MB; pile-up 140 or 200."""
    return float(next(row[f"MB_PU{pileup}"] for row in rows("event_sizes") if row["tier"] == tier))
