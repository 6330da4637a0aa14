"""Which of how many agents of one launch this is, from what srun and the launchers of MPI set. Pure.

Sources: srun(1), "OUTPUT ENVIRONMENT VARIABLES"; Open MPI FAQ, "environment variables for MPI processes"; Hydra and PMIx
set PMI_* and PMIX_*; PALS (Cray) sets PALS_RANKID.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_RANK = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PALS_RANKID")
_SIZE = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PALS_SIZE")
_SLURM_STEP = ("SLURM_STEP_ID", "SLURM_STEPID")

_SAME_LAUNCH = ("SLURM_RESTART_COUNT", *_SLURM_STEP, "PMIX_NAMESPACE", "PALS_APID")
"""Equal in all ranks of one launch, and another in the next launch of the same job."""

MAX_NODES = 2**20


@dataclass(frozen=True)
class Launch:
    """What one srun or mpiexec started.

    Attributes:
        rank: of this process; None = nobody started several.
        ranks: how many there are; None = the launcher does not say.
        nodes: on how many nodes; None = it does not say.
        marks: what tells this launch from the next one of the same job.
    """

    rank: int | None
    ranks: int | None
    nodes: int | None
    marks: tuple[str, ...] = ()

    @property
    def is_parallel(self) -> bool:
        """Whether other agents may have been started beside this one."""
        return self.rank is not None and self.ranks != 1


def launch_of(environment: Mapping[str, str], nodes_listed: int | None = None) -> Launch:
    """The launch that this process is part of.

    A batch script of Slurm is itself "rank 0 of 1" in words of a step that it is not: only inside a step do they count.

    Args:
        environment: of this process.
        nodes_listed: hosts in the batch system's list of nodes (PBS_NODEFILE, LSB_MCPU_HOSTS), if it gave one.
    """
    in_step = any(name in environment for name in _SLURM_STEP)
    rank = _first(environment, _RANK)
    ranks = _first(environment, _SIZE)
    if in_step:
        rank = _number(environment.get("SLURM_PROCID")) if rank is None else rank
        ranks = _first(environment, ("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS")) if ranks is None else ranks
    if rank is None:
        return Launch(None, None, None)
    nodes = _first(environment, ("SLURM_STEP_NUM_NODES", "SLURM_JOB_NUM_NODES")) if in_step else nodes_listed
    marks = tuple(f"{name}={environment[name][:128]}" for name in _SAME_LAUNCH if environment.get(name))
    return Launch(rank, ranks, nodes or None, marks)


def nodes_listed(environment: Mapping[str, str], node_file: str | None) -> int | None:
    """How many different hosts the batch system lists; None if it lists none.

    Args:
        environment: may hold LSB_MCPU_HOSTS, pairs of a host and a number.
        node_file: text of PBS_NODEFILE, a host a line.
    """
    hosts = (node_file or "").split() or environment.get("LSB_MCPU_HOSTS", "").split()[::2]
    return len(set(hosts)) or None


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    found = (_number(environment.get(name)) for name in names)
    return next((number for number in found if number is not None), None)


def _number(text: str | None) -> int | None:
    if text is None or not text.strip().isascii() or not text.strip().isdigit():
        return None
    number = int(text.strip()[:20])
    return number if number <= MAX_NODES * 1024 else None
