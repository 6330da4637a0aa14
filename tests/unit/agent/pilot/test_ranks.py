"""Which of how many agents this is, by the variables of srun and of the launchers of MPI."""

from __future__ import annotations

from agent.pilot.ranks import launch_of, nodes_listed

STEP = {
    "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_NUM_NODES": "2", "SLURM_RESTART_COUNT": "1",
}  # fmt: skip


def test_outside_of_any_launcher_there_is_one_agent() -> None:
    launch = launch_of({"HOME": "/"})
    assert (launch.rank, launch.is_parallel) == (None, False)


def test_a_step_of_slurm() -> None:
    launch = launch_of(STEP)
    assert (launch.rank, launch.ranks, launch.nodes, launch.is_parallel) == (3, 4, 2, True)
    assert set(launch.marks) == {"SLURM_RESTART_COUNT=1", "SLURM_STEP_ID=0"}


def test_a_batch_script_of_two_nodes_is_one_agent_on_one_node() -> None:
    script = {name: value for name, value in STEP.items() if "STEP" not in name} | {
        "SLURM_JOB_NUM_NODES": "2"
    }
    assert not launch_of(script).is_parallel


def test_launchers_of_mpi_with_the_nodes_of_the_batch_system() -> None:
    launch = launch_of({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "8", "PMIX_NAMESPACE": "n1"}, 2)
    assert (launch.rank, launch.ranks, launch.nodes, launch.marks) == (0, 8, 2, ("PMIX_NAMESPACE=n1",))
    assert launch_of({"PMI_RANK": "1", "PMI_SIZE": "2"}).is_parallel


def test_the_rank_of_mpi_counts_where_slurm_only_started_its_daemons() -> None:
    launch = launch_of(STEP | {"PMI_RANK": "11", "PMI_SIZE": "16"})
    assert (launch.rank, launch.ranks) == (11, 16)


def test_one_rank_needs_no_turn_and_nonsense_is_none() -> None:
    assert not launch_of(STEP | {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}).is_parallel
    assert launch_of({"PMI_RANK": "-1", "PMIX_RANK": "x" * 50, "PALS_RANKID": "9" * 30}).rank is None


def test_nodes_of_the_lists_of_pbs_and_lsf() -> None:
    assert nodes_listed({}, "wn1\nwn1\nwn2\n") == 2
    assert nodes_listed({"LSB_MCPU_HOSTS": "a 4 b 2 c 1"}, None) == 3
    assert nodes_listed({}, None) is None
