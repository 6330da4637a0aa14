"""The shipped table: what is read of it and what is left out."""

from __future__ import annotations

import csv
from importlib.resources import files

from capacity.hs06 import rows

HEADER = "cpu_model,sockets,physical_cores,logical_cpus,smt_on,clock_ghz,hs06_total,hs23_total,hs06_per_core_or_thread,arch,note,source"


def test_every_row_has_a_source_and_a_score() -> None:
    table, version = rows.shipped()
    assert len(table) > 400
    assert all(row.source and (row.hs23_total or row.hs06_total) for row in table)
    assert version.startswith("hepix-2530f79-")


def test_rows_are_cited_by_their_line_in_the_file() -> None:
    table, _ = rows.shipped()
    lines = files("capacity.hs06").joinpath("data", rows.TABLE).read_text("utf-8").splitlines()
    for row in table[:300:37]:
        (line,) = csv.DictReader([lines[0], lines[row.number - 1]])
        assert line["cpu_model"] == row.cpu_model
        assert float(line["hs23_total"] or line["hs06_total"]) in (row.hs23_total, row.hs06_total)


def test_per_core_is_what_the_table_prints() -> None:
    table, _ = rows.shipped()
    text = files("capacity.hs06").joinpath("data", rows.TABLE).read_text("utf-8")
    printed = {
        n: line["hs06_per_core_or_thread"] for n, line in enumerate(csv.DictReader(text.splitlines()), 2)
    }
    dedicated = [row for row in table if row.table == "HS23" and row.hs23_per_core]
    assert dedicated
    assert all(
        abs((row.hs23_per_core or 0) - float(printed[row.number])) <= 0.06
        or row.site == "WLCG accounting example"
        for row in dedicated
    )


def test_virtual_machines_and_contradictions_are_left_out_with_a_reason() -> None:
    table, _ = rows.shipped()
    left = {row.number: row.left_out for row in table if row.left_out}
    assert "virtual machine" in (left[57] or "")
    assert "one CPU per core" in (left[52] or "")


def test_a_row_without_cpus_or_score_is_passed_over_and_odd_numbers_are_absent() -> None:
    lines = [
        HEADER,
        "AMD EPYC 7302,2,32,,1,,,900,,x86_64,HS23; site=A,x",
        "AMD EPYC 7302,2,32,64,1,,,,,x86_64,HS23; site=A,x",
        "AMD EPYC 7302,two,32,64,1,nan,,900,,x86_64,HS23; site=A; ram_gib=inf,x",
        "AMD EPYC 7302,2,32,64,1,,,1e300,,x86_64,HS23; site=A,x",
    ]
    (row,) = rows.read(lines)
    assert row.number == 4
    assert (row.sockets, row.clock_ghz, row.memory_gib) == (None, None, None)


def test_memory_population_of_the_hs06_tables_is_kept() -> None:
    table, _ = rows.shipped()
    gold = [row for row in table if row.key == "intel xeon gold 6140" and row.dimms]
    assert any("12x16" in (row.dimms or "") for row in gold)
