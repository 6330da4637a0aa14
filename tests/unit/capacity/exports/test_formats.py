"""Exports, read back by programs that know the format: a field that moved or a quote that broke out would show."""

from __future__ import annotations

import configparser
import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from capacity.exports import (
    FORMATS,
    SiteFigures,
    Snapshot,
    apel,
    classad,
    glue2,
    mjf_files,
    monit,
    site_capacity,
    tables,
)
from capacity.exports.prometheus import render as prometheus
from capacity.fleet.model import NodeState, Pledge, SiteInfo
from capacity.fleet.rollup import roll
from probes.claims import mjf as mjf_reader
from probes.claims.classad import parse as parse_classad
from probes.host import Host
from probes.live import LiveDoor
from tests.unit.capacity.fleet.states import estimate, state, total_of
from tests.unit.capacity.looks import check

AT = datetime(2026, 11, 20, 12, 7, 30, tzinfo=UTC)
EVIL = 'a"b\\c\n[spec_updater]\nx = 1\r\n# HELP ✓ =cmd()'

SCAP_KEYS = {
    "name", "wlcg_federation_name", "wlcg_federation_fraction", "hs06_pledge", "hs06_per_core", "core_usable", "core_max_used",
    "core_production", "core_cpu_intensive", "core_io_intensive", "disk_pledge", "disk_usable", "disk_experiment_use",
    "tape_pledge", "tape_usable", "when", "who",
}  # fmt: skip
"""Of CMSCompOps/MonitoringScripts, capacity/capacity_admin.py."""


def snapshot(*nodes: NodeState, shared: bool = False, pledge_hs23: float | None = 1500.4) -> Snapshot:
    sites = []
    for name in sorted({node.site for node in nodes}):
        pledges = (
            [Pledge(federation="Latvia", year=2026, cpu_hs23=pledge_hs23, source="test")]
            if pledge_hs23
            else []
        )
        rolled = roll("site", name, [total_of(node, "key") for node in nodes if node.site == name], pledges)
        info = SiteInfo(name=name, federation="Latvia", country="LV", tier=2)
        sites.append(SiteFigures(info, rolled, shares_federation=shared))
    return Snapshot(AT, tuple(sites), nodes)


def broken(**said: Any) -> NodeState:
    return state(checks=[check("CVM-13", "CRITICAL", "not mounted")], **said)


def test_site_capacity_has_the_keys_of_cms_and_no_invented_zeros() -> None:
    (entry,) = json.loads(site_capacity.render(snapshot(state(cores=8), broken(cores=16, slot="b"))))

    assert {key for key in entry if not key.startswith("sitecap_")} <= SCAP_KEYS
    assert entry["hs06_per_core"] == 12.5
    assert entry["hs06_pledge"] == 1500
    assert entry["core_usable"] == 8, "a node without CVMFS has cores, but none that can be used"
    assert entry["wlcg_federation_fraction"] == 1.0
    assert datetime.strptime(entry["when"], "%Y-%b-%d %H:%M:%S").replace(tzinfo=UTC) == AT
    assert not {"disk_pledge", "tape_usable", "core_max_used"} & entry.keys()
    assert entry["sitecap_hs06_per_core_low"] < 12.5 < entry["sitecap_hs06_per_core_high"]


def test_a_site_without_figure_keeps_what_it_has() -> None:
    nothing = state(cores=None)

    assert json.loads(site_capacity.render(snapshot(nothing))) == []
    assert json.loads(monit.render(snapshot(nothing)))[0]["path"] == "nodecapacity"
    assert apel.render(snapshot(nothing)) == ""


def test_a_share_of_a_federation_is_not_guessed() -> None:
    (entry,) = json.loads(site_capacity.render(snapshot(state(), shared=True, pledge_hs23=None)))

    assert "wlcg_federation_fraction" not in entry
    assert "hs06_pledge" not in entry


def test_monit_documents() -> None:
    site, node = json.loads(monit.render(snapshot(state())))

    for one in (site, node):
        assert set(one) == {"producer", "type", "path", "timestamp", "type_prefix", "data"}
        assert one["timestamp"] == int(datetime(2026, 11, 20, 12, 7, 30, tzinfo=UTC).timestamp()) * 1000
        assert not {"producer", "type", "_id", "timestamp"} & one["data"].keys(), "reserved by CMSMonitoring"
        assert all(isinstance(value, str | int | float | bool | None) for value in one["data"].values()), (
            "flat"
        )
    assert site["data"]["hs06_per_core"] == 12.5
    assert node["data"]["method"] == "catalogue"


def test_apel_weights_by_capacity_as_wlcg_does() -> None:
    """Example 2 of HEPiX's accounting migration: 10.32 and 11.6 HS23 per core, 12 % and 88 % of the capacity → 11.45."""
    old = state(estimate(10.32), cores=None, present=None)
    old = old.model_copy(update={"hs23_granted": 76_647.0})
    new = old.model_copy(update={"estimate": estimate(11.6), "hs23_granted": 635_383.0 - 76_647.0})
    factor = apel.factor_of([old, new])

    assert factor == pytest.approx(11.45, abs=0.005)
    assert apel.service_level(factor) == "{HEPscore23: 11.45}"
    assert apel.factor_of([old.model_copy(update={"stale": True})]) is None


def test_apel_is_a_section_of_client_cfg() -> None:
    text = apel.render(snapshot(state(estimate(provisional=True))))
    config = configparser.ConfigParser()
    config.read_string(text)

    assert config["spec_updater"]["site_name"] == "T2_LV_Example"
    assert config["spec_updater"]["manual_spec1"].split(",") == ["CE_NAME", "HEPscore23", "12.50"]
    assert "100% of it hangs on a provisional calibration" in text


def test_classad_is_read_back() -> None:
    text = classad(state(cores=8, slot="slot1"))
    ad = parse_classad(text)

    assert ad.text("CMSCapacity_Site") == "T2_LV_Example"
    assert 'CMSCapacity_Method = "catalogue"' in text
    assert "CMSCapacity_HS23PerCore = 12.5\n" in text
    assert "ApelSpecs = [ HEPscore23 = 12.5 ]\n" in text
    assert "MJF_JOB_HS06_JOB = 12.5 * GLIDEIN_Cpus\n" in text
    assert "MJF_MACHINE" not in text, "only a part of the machine was seen"
    assert "MJF_MACHINE_HS06 = 800.0\n" in classad(state(estimate(hs23_node=800.0, node_cores=64), cores=64))


def test_classad_values_cannot_break_out() -> None:
    node = state().model_copy(update={"unusable_reason": EVIL})
    lines = classad(node).splitlines()

    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]* = .+", line) for line in lines)
    reason = next(line for line in lines if "UnusableReason" in line)
    assert reason.count('"') - reason.count('\\"') == 2


def test_without_an_estimate_an_ad_says_only_what_is_known() -> None:
    text = classad(state().model_copy(update={"estimate": None}))

    assert "HS23" not in text
    assert "CMSCapacity_CoresGranted = 8.0" in text


def test_mjf_is_read_back_by_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, content in mjf_files(state(cores=8, slot="slot1")).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    monkeypatch.setenv("JOBFEATURES", str(tmp_path / "jobfeatures"))
    claim = mjf_reader.read(Host(LiveDoor()))

    assert claim is not None
    assert claim.cores == 8.0
    assert claim.problems == ()
    assert (tmp_path / "jobfeatures/hs06_job").read_text() == "100.0\n"


def test_mjf_speaks_for_the_machine_only_if_all_of_it_was_seen() -> None:
    whole = mjf_files(state(estimate(hs23_node=800.0, node_cores=64, provisional=True), cores=64))

    assert whole["machinefeatures/hs06"] == "800.0\n"
    assert whole["machinefeatures/total_cpu"] == "64\n"
    assert whole["machinefeatures/sitecap_provisional"] == "true\n"
    assert not any(path.startswith("machinefeatures") for path in mjf_files(state(cores=8, slot="a")))
    assert all(re.fullmatch(r"(machine|job)features/[a-z0-9_]+", path) for path in whole)


def test_glue2_groups_like_nodes() -> None:
    other = state(estimate(20.0), model="AMD EPYC 7702 64-Core Processor", node="b" * 32)
    found = json.loads(glue2.render(snapshot(state(), state(node="a" * 32), other)))["ExecutionEnvironment"]

    assert sorted(one["TotalInstances"] for one in found) == [1, 2]
    xeon = next(one for one in found if one["TotalInstances"] == 2)
    assert (xeon["LogicalCPUs"], xeon["PhysicalCPUs"], xeon["CPUMultiplicity"]) == (
        64,
        2,
        "multicpu-multicore",
    )
    assert xeon["Platform"] == "amd64"
    assert xeon["Benchmark"][0]["Type"] == "hepscore23"
    assert xeon["Benchmark"][0]["Value"] == 12.5
    assert len({one["ID"] for one in found}) == 2


def test_csv_has_units_and_no_formulas() -> None:
    evil = state().model_copy(update={"hostname": "=cmd()", "unusable_reason": EVIL})
    rows = list(csv.DictReader(io.StringIO(tables.nodes_csv(snapshot(evil)), newline="")))

    assert len(rows) == 1
    assert rows[0]["hs23_per_core [HS23/logical CPU]"] == "12.5"
    assert rows[0]["hostname"] == "'=cmd()"
    assert rows[0]["last_seen [UTC]"] == "2026-11-20T12:00:00Z"
    assert rows[0]["provisional"] == "false"
    assert rows[0]["memory [B]"] == ""


def test_csv_of_sites() -> None:
    (row,) = csv.DictReader(io.StringIO(tables.sites_csv(snapshot(state(), broken(slot="b"))), newline=""))

    assert (row["site"], row["tier [1]"], row["nodes [1]"], row["unusable_nodes [1]"]) == (
        "T2_LV_Example",
        "2",
        "2",
        "1",
    )
    assert (row["hs23 [HS23]"], row["hs23_usable [HS23]"], row["constant_10 [HS23]"]) == (
        "200.0",
        "100.0",
        "160.0",
    )
    assert row["pledge [HS23]"] == "1500.4"


def test_parquet_is_read_back_with_types_and_units() -> None:
    table = pq.read_table(
        io.BytesIO(tables.nodes_parquet(snapshot(state(), state(node="a" * 32, cores=None))))
    )

    assert table.num_rows == 2
    assert table.column("hs23_granted").to_pylist() == [100.0, None]
    assert table.schema.field("hs23_per_core").metadata == {b"unit": b"HS23/logical CPU"}
    assert str(table.schema.field("last_seen").type) == "timestamp[us, tz=UTC]"
    assert table.schema.metadata[b"at"] == b"2026-11-20T12:07:30Z"
    assert pq.read_table(io.BytesIO(tables.nodes_parquet(snapshot()))).num_rows == 0


def test_prometheus_is_read_back() -> None:
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(prometheus(snapshot(state(), broken(slot="b"))))
        for sample in family.samples
    }

    assert found["sitecap_site_capacity_hs23", "T2_LV_Example"] == 200.0
    assert found["sitecap_site_usable_hs23", "T2_LV_Example"] == 100.0
    assert found["sitecap_site_nodes", "T2_LV_Example", "unusable"] == 1.0
    assert found["sitecap_site_pledge_hs23", "T2_LV_Example"] == 1500.4


def test_prometheus_leaves_out_what_is_not_known() -> None:
    text = prometheus(snapshot(state(cores=None), pledge_hs23=None))

    assert "sitecap_site_pledge_hs23{" not in text
    assert "sitecap_site_hs23_per_core{" not in text


@given(st.text(max_size=60))
def test_any_text_of_a_node_stays_in_its_place(text: str) -> None:
    node = state().model_copy(update={"hostname": text or None, "unusable_reason": text})
    whole = snapshot(node)

    assert len(list(csv.DictReader(io.StringIO(tables.nodes_csv(whole), newline="")))) == 1
    assert len(json.loads(monit.render(whole))) == 2
    assert len(classad(node).splitlines()) == len(
        classad(state().model_copy(update={"unusable_reason": "x"})).splitlines()
    )
    assert pq.read_table(io.BytesIO(tables.nodes_parquet(whole))).num_rows == 1


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.render is not None])
def test_every_format_renders_an_empty_fleet_the_same_each_time(name: str) -> None:
    render = FORMATS[name].render
    assert render is not None

    assert render(snapshot()) == render(snapshot())
