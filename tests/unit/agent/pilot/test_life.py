"""How long the slot still lives, by its claims, its oldest process and its limits."""

from __future__ import annotations

import json
import os
import resource
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.pilot import life
from agent.pilot.life import Slot, job_age_s, read_slot
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.facts.batch import ClaimSource, SlotClaim

PBS = SlotClaim(source=ClaimSource.PBS, job_id="7.server", wall_limit_s=600.0)


@pytest.fixture(autouse=True)
def _no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "SLURM_JOB_ID",
        "PBS_JOBID",
        "LSB_JOBID",
        "JOB_ID",
        "MACHINEFEATURES",
        "JOBFEATURES",
        "_CONDOR_SLOT",
        "GRID_GLOBAL_JOBID",
    ):
        monkeypatch.delenv(name, raising=False)


def asked(**lifetime: float) -> Slot:
    return read_slot(Host(LiveDoor("/")), Settings(), ask_controller=False, **lifetime)


def test_outside_of_a_slot_nothing_is_known() -> None:
    assert (asked().life_s, asked().changing) == (None, False)
    assert asked(lifetime_s=90.0).life_s == 90.0


def test_features_name_an_end_that_can_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shutdowntime_job").write_text(f"{int(datetime.now(UTC).timestamp()) + 500}\n")
    monkeypatch.setenv("JOBFEATURES", str(tmp_path))
    slot = asked()
    assert slot.changing
    assert slot.life_source == "mjf"
    assert slot.life_s is not None
    assert 400 < slot.life_s <= 501
    assert Slot.from_json(slot.to_json()) == slot
    assert asked(lifetime_s=20.0).life_source == "configuration", "the earliest end counts"


def test_slurm_names_its_end_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1000")
    slot = asked()
    assert slot.life_source == "slurm"
    assert slot.life_s is not None
    assert slot.life_s < 0
    assert slot.names == ("slurm 7",)


def test_a_wall_limit_without_a_start_counts_from_the_oldest_process_of_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PBS_JOBID", "7.server")
    monkeypatch.setenv("PBS_WALLTIME", "600")
    monkeypatch.setattr(life, "job_age_s", lambda *_: 250.0)
    slot = asked()
    assert (slot.life_s, slot.life_source) == (350.0, "pbs wall time")


def test_an_arc_job_lives_as_long_as_its_batch_job_and_has_both_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_GLOBAL_JOBID", "gsiftp://ce.example.org:2811/jobs/x1")
    monkeypatch.setenv("PBS_JOBID", "7.server")
    monkeypatch.setenv("PBS_WALLTIME", "600")
    monkeypatch.setattr(life, "job_age_s", lambda *_: 250.0)
    slot = asked()
    assert (slot.life_s, slot.life_source) == (350.0, "pbs wall time")
    assert slot.names == ("pbs 7.server", "arc gsiftp://ce.example.org:2811/jobs/x1")


def test_lsf_names_job_and_node_and_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSB_JOBID", "12")
    monkeypatch.setenv("LSB_JOBINDEX", "3")
    monkeypatch.setenv("LSB_MCPU_HOSTS", "wn1.example.org 8")
    slot = asked()
    assert slot.names == ("lsf 12[3]",)
    assert slot.node_name is not None
    assert slot.node_name.startswith("wn1")
    assert slot.life_s is None
    assert asked(lifetime_s=600.0).life_s == 600.0, "the user may know what LSF does not tell"


def test_the_start_of_a_job_and_its_limit_are_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jobstart_secs").write_text("1000\n")
    (tmp_path / "wall_limit_secs").write_text("500\n")
    monkeypatch.setenv("JOBFEATURES", str(tmp_path))
    slot = asked()
    assert slot.life_source == "mjf"
    assert slot.life_s is not None
    assert slot.life_s < 0, "it ended long ago"


def processes(root: Path, *rows: tuple[int, int, int, str]) -> Path:
    """A tree of processes: number, parent, start in seconds after boot, PBS_JOBID."""
    ticks = os.sysconf("SC_CLK_TCK")
    for pid, parent, start_s, job in rows:
        folder = root / str(pid)
        folder.mkdir(parents=True)
        later = " ".join(["0"] * 17)
        (folder / "stat").write_text(f"{pid} (sh (x) y) S {parent} {later} {start_s * ticks} 0\n")
        (folder / "environ").write_bytes(f"HOME=/\0PBS_JOBID={job}\0".encode())
    (root / "uptime").write_text("1000.5 1.0\n")
    return root


def test_the_age_of_a_job_is_that_of_its_oldest_process_above_us(tmp_path: Path) -> None:
    proc = processes(tmp_path, (30, 20, 900, "7.server"), (20, 10, 600, "7.server"), (10, 1, 5, "6.server"))
    assert job_age_s(lambda _: "7.server", [PBS], proc, 30) == pytest.approx(400.5)
    assert job_age_s(lambda _: "8.server", [PBS], proc, 30) is None
    assert job_age_s(lambda _: None, [PBS], proc, 30) is None
    assert job_age_s(lambda _: "7.server", [], proc, 30) is None


def test_a_limit_of_cpu_time_bounds_the_life(monkeypatch: pytest.MonkeyPatch) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 1000
    monkeypatch.setattr(life.resource, "getrlimit", lambda _: (limit, resource.RLIM_INFINITY))
    slot = asked()
    assert slot.life_source == "limit of CPU time"
    assert slot.life_s is not None
    assert slot.life_s <= 1000
    assert json.loads(slot.to_json())["life_source"] == "limit of CPU time"
