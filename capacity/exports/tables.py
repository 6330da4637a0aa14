"""Nodes and sites as tables: CSV with units in the header, Parquet with units beside each column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, NamedTuple

from capacity.exports.model import SiteFigures, Snapshot, iso, one_line, rounded
from capacity.fleet.model import NodeState


class Column(NamedTuple):
    """One column.

    Attributes:
        name: without the unit.
        unit: "" for names, counts are "1".
        kind: str, int, float, bool or time.
        value: of a row; None = not known.
    """

    name: str
    unit: str
    kind: str
    value: Callable[[Any], Any]


def _estimate(name: str) -> Callable[[NodeState], Any]:
    return lambda node: getattr(node.estimate, name) if node.estimate is not None else None


def _cpu(name: str) -> Callable[[NodeState], Any]:
    return lambda node: getattr(node.evidence.cpu, name) if node.evidence is not None else None


NODE_COLUMNS = (
    Column("site", "", "str", lambda node: node.site),
    Column("node_id", "", "str", lambda node: node.node_id),
    Column("hostname", "", "str", lambda node: node.hostname),
    Column("first_seen", "UTC", "time", lambda node: node.first_seen_at),
    Column("last_seen", "UTC", "time", lambda node: node.last_seen_at),
    Column("cpu_model", "", "str", _cpu("model_name")),
    Column("arch", "", "str", _cpu("arch")),
    Column("microarchitecture", "", "str", _cpu("microarchitecture")),
    Column("packages", "1", "int", _cpu("packages")),
    Column("physical_cores", "1", "int", _cpu("physical_cores")),
    Column("logical_cpus", "1", "int", _cpu("logical_cpus")),
    Column("memory", "B", "int", _cpu("memory_bytes")),
    Column("virtualised", "", "bool", _cpu("virtualised")),
    Column("granted_cores", "logical CPUs", "float", lambda node: node.granted_cores),
    Column("hs23_per_core", "HS23/logical CPU", "float", _estimate("hs23_per_core")),
    Column("hs23_per_core_low", "HS23/logical CPU", "float", _estimate("low")),
    Column("hs23_per_core_high", "HS23/logical CPU", "float", _estimate("high")),
    Column("sigma", "1", "float", _estimate("sigma")),
    Column("hs23_granted", "HS23", "float", lambda node: node.hs23_granted),
    Column("method", "", "str", lambda node: node.estimate.method.value if node.estimate else None),
    Column("provisional", "", "bool", _estimate("provisional")),
    Column("calibrated", "", "bool", _estimate("calibrated")),
    Column("catalogue_version", "", "str", _estimate("catalogue_version")),
    Column("calibration_version", "", "str", _estimate("calibration_version")),
    Column("usable", "", "bool", lambda node: node.usable),
    Column("unusable_reason", "", "str", lambda node: node.unusable_reason),
    Column("stale", "", "bool", lambda node: node.stale),
    Column("gpus", "1", "int", lambda node: len(node.gpus)),
    Column("findings", "1", "int", lambda node: len(node.findings)),
)


def _roll(name: str) -> Callable[[SiteFigures], Any]:
    return lambda site: getattr(site.roll, name)


def _interval(name: str, end: str) -> Callable[[SiteFigures], Any]:
    def value(site: SiteFigures) -> Any:  # noqa: ANN401 - a cell
        interval = getattr(site.roll, name)
        return None if interval is None else getattr(interval, end)

    return value


SITE_COLUMNS = (
    Column("site", "", "str", lambda site: site.info.name),
    Column("federation", "", "str", lambda site: site.info.federation),
    Column("country", "", "str", lambda site: site.info.country),
    Column("tier", "1", "int", lambda site: site.info.tier),
    *(Column(name, "1", "int", _roll(name)) for name in (
        "nodes", "stale_nodes", "unusable_nodes", "unverified_nodes", "pending_nodes",
    )),
    *(Column(name, "logical CPUs", "float", _roll(name)) for name in (
        "granted_cores", "usable_cores", "unusable_cores",
    )),
    *(Column(f"{name}{suffix}", unit, "float", _interval(name, end))
      for name, unit in (("hs23", "HS23"), ("hs23_usable", "HS23"), ("hs23_per_core", "HS23/logical CPU"))
      for suffix, end in (("", "value"), ("_low", "low"), ("_high", "high"))),
    Column("constant_10", "HS23", "float", _roll("constant_10_hs23")),
    Column("pledge", "HS23", "float", _roll("pledge_hs23")),
    Column("pledge_year", "1", "int", _roll("pledge_year")),
    Column("provisional_share", "1", "float", _roll("provisional_share")),
    Column("last_seen", "UTC", "time", _roll("last_seen_at")),
)  # fmt: skip


def nodes_csv(snapshot: Snapshot) -> str:
    """One line a node."""
    return _csv(NODE_COLUMNS, snapshot.nodes)


def sites_csv(snapshot: Snapshot) -> str:
    """One line a site."""
    return _csv(SITE_COLUMNS, snapshot.sites)


def nodes_parquet(snapshot: Snapshot) -> bytes:
    """One row a node; the unit is in the metadata of each column."""
    import pyarrow as pa  # noqa: PLC0415 - takes a second, and only this format needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = {
        "str": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema(
        [pa.field(one.name, types[one.kind], metadata={"unit": one.unit}) for one in NODE_COLUMNS],
        metadata={"producer": "sitecap", "at": iso(snapshot.at)},
    )
    columns = [
        pa.array([one.value(node) for node in snapshot.nodes], types[one.kind]) for one in NODE_COLUMNS
    ]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def _csv(columns: tuple[Column, ...], rows: tuple[Any, ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow([f"{one.name} [{one.unit}]" if one.unit else one.name for one in columns])
    for row in rows:
        writer.writerow([_cell(one, row) for one in columns])
    return out.getvalue()


def _cell(column: Column, row: object) -> str:
    value = column.value(row)
    if value is None:
        return ""
    if column.kind == "time":
        return iso(value)
    if column.kind == "bool":
        return "true" if value else "false"
    if column.kind == "float":
        return repr(rounded(value, 6))
    text = one_line(str(value))
    # A spreadsheet takes a cell that begins with one of these for a formula and runs it.
    return f"'{text}" if column.kind == "str" and text[:1] in ("=", "+", "-", "@") else text
