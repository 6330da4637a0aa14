"""The catalogue of published scores: search a CPU model, see the rows and where each comes from."""

from __future__ import annotations

from pydantic import Field

from capacity.hs06.catalogue import Catalogue
from capacity.hs06.cpu_name import normalise
from capacity.service.views.common import View

PAGE_ROWS = 100


class CatalogueRow(View):
    """One published score."""

    number: int = Field(description="line of the shipped table, by which derivations cite it")
    cpu_model: str
    key: str = Field(description="the model as it is looked up")
    arch: str
    sockets: int | None
    physical_cores: int | None
    logical_cpus: int
    smt_on: bool | None
    clock_ghz: float | None
    hs23_total: float | None
    hs06_total: float | None
    hs23_per_core: float | None = Field(description="HS23 total / logical CPUs")
    memory_gib: float | None
    runs: int
    table: str
    site: str
    source: str
    left_out: str | None = Field(description="why it does not count; null = it counts")


class CatalogueView(View):
    """Everything the page of the catalogue shows."""

    version: str
    search: str
    key: str | None = Field(description="what the search is looked up as; null = nothing was asked for")
    rows_total: int = Field(description="rows of the whole catalogue")
    found: int
    page: int
    pages: int
    rows: tuple[CatalogueRow, ...]


def catalogue_view(catalogue: Catalogue, search: str, page: int) -> CatalogueView:
    """Rows whose model has all words of the search in its name, or that are looked up under the same key.

    Args:
        catalogue: the rows.
        search: a CPU model or part of one, such as /proc/cpuinfo prints it; empty = all rows.
        page: from 1; one beyond the last shows the last.
    """
    wanted = search.strip()
    key = normalise(wanted) if wanted else None
    words = wanted.lower().split()
    hits = [
        row
        for row in catalogue.rows
        if (key and row.key == key) or all(word in row.cpu_model.lower() for word in words)
    ]
    hits.sort(key=lambda row: (row.key != key, row.key, row.smt_on is not True, row.number))
    pages = max(-(-len(hits) // PAGE_ROWS), 1)
    shown = min(page, pages)
    start = (shown - 1) * PAGE_ROWS
    return CatalogueView(
        version=catalogue.version,
        search=wanted,
        key=key,
        rows_total=len(catalogue.rows),
        found=len(hits),
        page=shown,
        pages=pages,
        rows=tuple(
            CatalogueRow.model_validate(row, from_attributes=True) for row in hits[start : start + PAGE_ROWS]
        ),
    )
