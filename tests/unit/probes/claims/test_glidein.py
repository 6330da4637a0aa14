"""glideinWMS: variables given to jobs, and the pilot's configuration file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probes.claims import glidein
from profiles.facts.batch import JobIdKind, SlotClaim
from tests.unit.probes.claims.talking import machine

PATH = "/pool/condor/dir_77/glide_x/glidein_config"
CONFIG = """\
# --- glidein_startup vals ---
GLIDEIN_CPUS 1
GLIDEIN_Entry_Name CMSHTPC_T2_XX_Lab_ce
GLIDEIN_CMSSite T2_XX_Lab
GLIDEIN_MaxMemMBs 20000
GLIDEIN_Max_Walltime 171000
GLIDEIN_ClusterId 88
GLIDEIN_ProcId 3
GLIDEIN_LOCAL_TMP_DIR /pool/condor/dir_77/glide_tmp
GLIDEIN_CPUS 8
X509_USER_PROXY /pool/condor/dir_77/ticket/myproxy
"""


def claim(env: dict[str, str], files: dict[str, str] | None = None) -> SlotClaim:
    found = glidein.read(machine(env, files={**(files or {})}))
    assert found is not None
    return found


def test_a_configuration_file() -> None:
    found = claim({"glidein_config": PATH}, {PATH: CONFIG})
    assert (found.cores, found.memory_bytes, found.wall_limit_s) == (8, 20_000 * 2**20, 171_000)
    assert (found.site_name, found.queue) == ("T2_XX_Lab", "CMSHTPC_T2_XX_Lab_ce")
    assert (found.job_id, found.job_id_kind) == ("88.3", JobIdKind.GLIDEIN)
    assert found.scratch_directory == "/pool/condor/dir_77/glide_tmp"
    assert not any("PROXY" in line for line in found.evidence)


def test_a_job_of_the_glidein_sees_variables_only() -> None:
    found = claim({"GLIDEIN_CMSSite": "T2_XX_Lab", "GLIDEIN_ToDie": "1795450000"})
    assert (found.site_name, found.cores) == ("T2_XX_Lab", None)
    assert found.ends_at == datetime.fromtimestamp(1795450000, tz=UTC)


@pytest.mark.parametrize("word", ["auto", "slot", "node", "-1"])
def test_a_pilot_that_looks_for_itself_claims_nothing(word: str) -> None:
    found = claim({"glidein_config": PATH}, {PATH: f"GLIDEIN_CPUS {word}\n"})
    assert (found.cores, found.problems) == (None, ())


def test_damage_is_a_sentence() -> None:
    found = claim({"glidein_config": PATH}, {PATH: "GLIDEIN_CPUS lots\nGLIDEIN_MaxMemMBs\n\x00\xff\n"})
    assert (found.cores, found.memory_bytes) == (None, None)
    assert [line for line in found.problems if "GLIDEIN_CPUS" in line]
    assert claim({"glidein_config": PATH}).problems


def test_outside_a_glidein_there_is_no_claim() -> None:
    assert glidein.read(machine({})) is None
