"""Hand-made nodes, sites and roll-ups for the tests of the pages. The figures mean nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from capacity.fleet.model import CheckView, Gate, Interval, NodeState, Pledge, Roll, SiteInfo, SlotView
from capacity.hs06.model import CpuDescription, Estimate, Finding, Method, NodeEvidence, Rung
from capacity.service.ingest import accept
from capacity.store import nodes, sites
from capacity.store.database import Database
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.unit.capacity.documents import EVERYWHERE
from tests.unit.capacity.documents import profile as minimal

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[2] / "profiles" / "examples" / "good"
XSS = '<script>alert("x")</script><img src=x onerror=alert(1)>'


def estimate(**changes: object) -> Estimate:
    given: dict[str, object] = {
        "hs23_per_core": 14.2,
        "low": 12.4,
        "high": 16.3,
        "scope_cores": 8.0,
        "hs23_scope": 113.6,
        "node_cores": 128,
        "hs23_node": None,
        "sigma": 0.135,
        "method": Method.CATALOGUE,
        "provisional": False,
        "rungs": (
            Rung(
                method=Method.MEASURED,
                says="Nobody imported one.",
                reason="no HEPscore23 run of this node was imported",
            ),
            Rung(
                method=Method.CATALOGUE,
                hs23_per_core=14.6,
                sigma=0.06,
                says="3 rows of EPYC 7513 with SMT on, robust mean.",
                inputs=("HEPiX HS23 table, row 17", "HEPiX HS23 table, row 18"),
            ),
            Rung(
                method=Method.PAYLOAD,
                hs23_per_core=12.0,
                sigma=0.25,
                says="Four kernels through the provisional calibration.",
                inputs=("clue", "mkfit", "pixeltrack", "vertexing"),
            ),
            Rung(method=Method.FAMILY, hs23_per_core=13.9, sigma=0.08, says="Zen 3 at 2.6 GHz with SMT."),
            Rung(
                method=Method.DEFAULT, hs23_per_core=10.0, sigma=0.45, says="What CMS assumes for every core."
            ),
        ),
        "steps": (
            "The CPU calls itself AMD EPYC 7513 32-Core Processor: key epyc 7513.",
            "The catalogue has 3 rows of it: 14.6 HS23 per core, 6 %.",
            "Payloads say 12.0 HS23 per core, 25 %.",
            "Combined by precision: 14.2 HS23 per core.",
        ),
        "catalogue_version": "2026.1",
        "calibration_version": "provisional-1",
    }
    return Estimate.model_validate(given | changes)


def evidence(**changes: object) -> NodeEvidence:
    given: dict[str, object] = {
        "cpu": CpuDescription(
            model_name="AMD EPYC 7513 32-Core Processor",
            arch="x86_64",
            vendor="AuthenticAMD",
            microarchitecture="zen3",
            packages=2,
            physical_cores=64,
            logical_cpus=128,
            threads_per_core=2,
            clock_ghz=2.6,
            l3_bytes=256 * 2**20,
            memory_bytes=512 * 2**30,
            numa_nodes=2,
            virtualised=False,
        ),
        "scope": "slot",
        "cores_granted": 8.0,
        "cores_present": 128,
        "in_batch_slot": True,
        "cpus": "0-7",
        "profile_ids": ("01a205d3-ad42-7e5d-9383-20a7585ae3c5",),
    }
    return NodeEvidence.model_validate(given | changes)


def state(number: int = 1, site: str = "T2_LV_Example", **changes: object) -> NodeState:
    seen = NOW - timedelta(hours=number)
    slot = SlotView(
        key="slot1_1",
        kind="slot",
        profile_id="01a205d3-ad42-7e5d-9383-20a7585ae3c5",
        seen_at=seen,
        evidence=evidence(),
        gates=(
            Gate(name="cvmfs", passed=True, says="cms.cern.ch answers.", check_ids=("CVM-01",)),
            Gate(name="squid", passed=False, says="No Squid answers.", hint="Start Squid."),
            Gate(name="xrootd", passed=None, says="Nobody looked."),
        ),
        checks=(
            CheckView(
                id="SQD-01",
                status="CRITICAL",
                summary="no Squid answers",
                hint="Start it: systemctl start squid.",
            ),
            CheckView(
                id="CTX-07", status="WARNING", summary="the name has no domain", hint="Put it into DNS."
            ),
        ),
        agent_version="0.1.0",
    )
    given: dict[str, object] = {
        "site": site,
        "node_id": f"{number:032x}",
        "hostname": f"wn{number:03}.example.org",
        "first_seen_at": NOW - timedelta(days=30),
        "last_seen_at": seen,
        "profiles": 41,
        "slots": (slot, slot.model_copy(update={"key": "slot1_2", "seen_at": seen - timedelta(minutes=7)})),
        "evidence": evidence(),
        "estimate": estimate(),
        "granted_cores": 16.0,
        "hs23_granted": 227.2,
        "usable": False,
        "unusable_reason": "squid: No Squid answers.",
        "findings": (
            Finding(
                code="slow-for-model", says="Payloads are 18 % below its model.", hint="Look for throttling."
            ),
        ),
    }
    return NodeState.model_validate(given | changes)


def roll(name: str, cores: float = 4096.0, **changes: object) -> Roll:
    value = 13.1 * cores
    given: dict[str, object] = {
        "kind": "site",
        "name": name,
        "nodes": 40,
        "stale_nodes": 3,
        "unusable_nodes": 2,
        "pending_nodes": 1,
        "granted_cores": cores,
        "hs23": Interval(value=value, low=value * 0.92, high=value * 1.09),
        "hs23_usable": Interval(value=value * 0.95, low=value * 0.87, high=value * 1.03),
        "constant_10_hs23": 10 * cores,
        "hs23_per_core": Interval(value=13.1, low=12.05, high=14.28),
        "gpus": {"NVIDIA A100-SXM4-40GB": 4, "NVIDIA H100 (1g.10gb)": 14},
        "pledge_hs23": value * 1.1,
        "provisional_share": 0.25,
        "last_seen_at": NOW - timedelta(hours=2),
        "unusable_reasons": {"squid: No Squid answers.": 2},
        "methods": {"catalogue": 30, "payload": 6},
    }
    return Roll.model_validate(given | changes)


def bench_profile() -> CapabilityProfile:
    """A profile of the contract's examples that has payloads, one of which computed the wrong thing."""
    document = json.loads((EXAMPLES / "payloads.json").read_text())
    right = document["payloads"][0]
    wrong = {
        **right,
        "kernel": "broken",
        "events_per_s": None,
        "events_per_s_low": None,
        "events_per_s_high": None,
        "physics": {"right": False, "reason": f"no vertex at all {XSS}"},
        "reason": "the physics is not right",
    }
    return read_profile(json.dumps({**document, "payloads": [right, wrong]}).encode())


def seed(database: Database, *states: NodeState, now: datetime = NOW) -> None:
    """Put nodes into a database as if their profiles had come and been evaluated."""
    for one in states:
        document = minimal(site=one.site, node_id=one.node_id, created_at=one.last_seen_at)
        (verdict,) = accept(database, [document], EVERYWHERE, now)
        assert verdict.status == "stored", verdict
        with database.session() as session:
            (pending,) = nodes.take_pending(session, 1, now)
            kept = nodes.save(
                session,
                one,
                "amd epyc 7513",
                now,
                absorbed=2**40,
                revision=pending.revision,
            )
            assert kept


def three_sites(database: Database) -> None:
    """One site with two nodes and a pledge, one with one node full of markup, one that is only known by name."""
    now = datetime.now(UTC)
    recent = {"first_seen_at": now - timedelta(days=20), "last_seen_at": now - timedelta(hours=1)}
    seed(
        database,
        state(1, **recent),
        state(2, **recent, usable=True, unusable_reason=None, findings=()),
        state(3, "T1_DE_Other", **recent, hostname=XSS, unusable_reason=XSS),
        now=now,
    )
    with database.session() as session:
        info = [
            SiteInfo(name="T2_LV_Example", federation="LV-Example", country="LV", tier=2),
            SiteInfo(name="T2_PT_Silent", federation="PT-Silent", country="PT", tier=2),
        ]
        sites.put(session, info, "a test", now)
        pledge = Pledge(federation="LV-Example", year=2026, cpu_hs23=1000.0, source="a test")
        sites.put_pledges(session, [pledge])
