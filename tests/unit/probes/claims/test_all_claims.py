"""All readers together: side by side, and never an exception, whatever a node says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from probes import claims
from probes.errors import HostError
from probes.settings import Settings
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim
from tests.unit.probes.claims.talking import machine

NAMES = (
    "_CONDOR_MACHINE_AD", "_CONDOR_JOB_AD", "_CONDOR_SLOT", "_CONDOR_SCRATCH_DIR",
    "_CONDOR_AssignedGPUs", "SLURM_JOB_ID", "SLURM_NODEID", "SLURM_CPUS_ON_NODE",
    "SLURM_JOB_CPUS_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_MEM_PER_NODE", "SLURM_JOB_END_TIME",
    "SLURM_JOB_START_TIME", "SLURM_STEP_GPUS", "SLURM_CPUS_PER_TASK", "SLURM_TASKS_PER_NODE",
    "PBS_JOBID", "PBS_NUM_PPN", "NCPUS", "PBS_NODEFILE", "PBS_GPUFILE", "PBS_WALLTIME", "LSB_JOBID",
    "LSB_MCPU_HOSTS", "LSB_DJOB_NUMPROC", "LSB_CG_MEMLIMIT", "SGE_ROOT", "JOB_ID", "NSLOTS",
    "PE_HOSTFILE", "NHOSTS", "SGE_HGR_gpu", "SGE_JOB_SPOOL_DIR", "GRID_GLOBAL_JOBID",
    "KUBERNETES_SERVICE_HOST", "MY_CPU_LIMIT", "MY_MEM_LIMIT", "JOBFEATURES", "MACHINEFEATURES",
    "glidein_config", "GLIDEIN_CPUS", "GLIDEIN_ToDie", "GLIDEIN_Max_Walltime",
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=20), st.integers(-10, 10**20).map(str), st.sampled_from(["/f", "http://x", "0", "a 2"])
)
CONTENTS = st.one_of(
    st.text(max_size=200),
    st.integers().map("Cpus = {0}\nMemory = {0}\nGLIDEIN_ToDie = {0}\nwn7 {0}\nh_rt={0}".format),
)


def test_a_real_pilot_job_has_several_claims_side_by_side() -> None:
    """What a DIRAC pilot saw at a site in 2025, names changed: ARC in front of HTCondor, 8 cores."""
    scratch = "/var/lib/condor/execute/dir_3814407"
    env = {
        "BATCH_SYSTEM": "HTCondor",
        "CUDA_VISIBLE_DEVICES": "10000",
        "GRID_GLOBAL_JOBHOST": "ce.example.org",
        "GRID_GLOBAL_JOBID": "76816b56e41a",
        "GRID_GLOBAL_JOBINTERFACE": "org.nordugrid.arcrest",
        "GRID_GLOBAL_JOBURL": "https://ce.example.org:443/arex/76816b56e41a",
        "OMP_NUM_THREADS": "8",
        "_CONDOR_AssignedGPUs": "10000",
        "_CONDOR_MACHINE_AD": f"{scratch}/.machine.ad",
        "_CONDOR_SCRATCH_DIR": scratch,
        "_CONDOR_SLOT": "slot1_12",
    }
    files: dict[str, str | HostError] = {f"{scratch}/.machine.ad": 'Cpus = 8\nName = "slot1_12@wn7"\n'}
    condor, arc = claims.read_all(machine(env, files=files))
    assert (condor.source, condor.slot_name, condor.cores, condor.gpus) == (
        ClaimSource.HTCONDOR,
        "slot1_12",
        8,
        (),
    )
    assert (arc.source, arc.job_id, arc.job_id_kind) == (ClaimSource.ARC, "76816b56e41a", JobIdKind.GRID_JOB)
    assert (arc.cores, arc.memory_bytes) == (None, None)


def test_bytes_that_are_no_text_do_not_break_the_profile() -> None:
    (found,) = claims.read_all(machine({"PBS_JOBID": "12\udcff", "PBS_QUEUE": "\udcfe" * 200_000}))
    assert (found.job_id, found.queue) == ("12?", None)
    assert SlotClaim.model_validate_json(found.model_dump_json()) == found


def test_a_plain_machine_has_no_claims() -> None:
    assert claims.read_all(machine({"HOME": "/root", "HOSTNAME": "wn7"})) == ()


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=12), CONTENTS)
def test_nothing_that_a_node_says_raises(env: dict[str, str], content: str) -> None:
    paths = ("/f", "/f/.machine.ad", "/f/.job.ad", "/f/config", "/f/allocated_cpu", "/f/jobstart_secs")
    found = claims.read_all(machine(env, files=dict.fromkeys(paths, content)))
    for claim in found:
        assert SlotClaim.model_validate_json(claim.model_dump_json()) == claim


def test_the_site_says_where_its_pods_are_told_their_limits() -> None:
    env = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "SLOT_MILLICORES": "1500", "SLOT_MIB": "3000"}
    pod = {
        "cpu_limit_env": "SLOT_MILLICORES",
        "cpu_divisor": "1m",
        "memory_limit_env": "SLOT_MIB",
        "memory_divisor": "1Mi",
    }
    (claim,) = claims.read_all(machine(env), Settings.model_validate({"kubernetes": pod}))
    assert claim.cores == 1.5
    assert claim.memory_bytes == 3000 * 2**20
