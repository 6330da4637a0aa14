"""Our figures in the formats that others read. Pure: a snapshot in, text or bytes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from capacity.exports import apel, glue2, monit, prometheus, site_capacity, tables
from capacity.exports.classad import render as classad
from capacity.exports.mjf import files as mjf_files
from capacity.exports.model import SiteFigures, Snapshot

__all__ = ["FORMATS", "Format", "SiteFigures", "Snapshot", "classad", "mjf_files"]


class Format(NamedTuple):
    """One format.

    Attributes:
        says: what it is and who reads it.
        of: "sites" needs only sums; "nodes" the states of all nodes; "node" is about a single one.
        media_type: of HTTP.
        suffix: of a file.
        render: None for the formats of a single node, see `classad` and `mjf_files`.
    """

    says: str
    of: Literal["sites", "nodes", "node"]
    media_type: str
    suffix: str
    render: Callable[[Snapshot], str | bytes] | None


_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_CSV = "text/csv; charset=utf-8"

FORMATS: dict[str, Format] = {
    "site-capacity": Format(
        "CMS SiteSupport, SiteCapacity.json", "sites", _JSON, "json", site_capacity.render
    ),
    "apel": Format("APEL, section spec_updater of client.cfg", "nodes", _TEXT, "cfg", apel.render),
    "prometheus": Format(
        "Prometheus, text format",
        "sites",
        "text/plain; version=0.0.4; charset=utf-8",
        "prom",
        prometheus.render,
    ),
    "sites-csv": Format("CSV of sites, units in the header", "sites", _CSV, "csv", tables.sites_csv),
    "monit": Format("CERN MONIT, documents of sites and nodes", "nodes", _JSON, "json", monit.render),
    "glue2": Format("GLUE 2 execution environments, JSON", "nodes", _JSON, "json", glue2.render),
    "nodes-csv": Format("CSV of nodes, units in the header", "nodes", _CSV, "csv", tables.nodes_csv),
    "parquet": Format(
        "Parquet of nodes, units as metadata",
        "nodes",
        "application/vnd.apache.parquet",
        "parquet",
        tables.nodes_parquet,
    ),
    "classad": Format("HTCondor and glidein attributes of a node", "node", _TEXT, "classad", None),
    "mjf": Format("Machine/Job Features of a node, one file a key", "node", _JSON, "json", None),
}
"""Name → format."""
