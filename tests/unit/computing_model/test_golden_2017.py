"""The CMS model of 2017, expressed as assumptions of our engine, gives what that model gave."""

from __future__ import annotations

import csv
from importlib import resources

import numpy as np
import pytest

from computing_model.layers import load
from computing_model.plan import plan

GOLDEN = resources.files("computing_model") / "data" / "peer_resource_modeling_2017_golden.csv"


def golden() -> dict[int, dict[str, float]]:
    lines = [line for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]
    return {
        int(row.pop("year")): {key: float(value) for key, value in row.items()}
        for row in csv.DictReader(lines)
    }


@pytest.mark.parametrize("column", ["prompt", "nonprompt", "lhc_mc", "hllhc_mc", "analysis", "total"])
def test_every_column_and_year_within_one_per_cent(column: str) -> None:
    made = plan(load(["cms-2017"]).parameters)
    work = made.work
    ours = {
        "prompt": work.by_step["prompt"],
        "nonprompt": work.by_step["rereco"],
        "lhc_mc": work.by_campaign["lhc"],
        "hllhc_mc": work.by_campaign["hllhc"],
        "analysis": work.by_step["analysis"],
        "total": work.total_hs06_s,
    }[column]
    theirs = golden()
    assert made.years == tuple(theirs)
    # Printed to 0.01 THS06 s: of a small figure that is more than a per cent.
    np.testing.assert_allclose(
        made.shown(ours) / 1e12, [row[column] for row in theirs.values()], rtol=0.01, atol=0.00501
    )


def test_total_is_that_of_the_published_figure() -> None:
    made = plan(load(["cms-2017"]).parameters)
    published = [row["published_figure_total"] for row in golden().values()]
    np.testing.assert_allclose(made.shown(made.work.total_hs06_s) / 1e12, published, rtol=0.002)
