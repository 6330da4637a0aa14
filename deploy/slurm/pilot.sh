#!/bin/sh
# One node's worth: sbatch --cpus-per-task=8 --mem=16G deploy/slurm/pilot.sh
# What is set here can be overruled on sbatch's command line; AGENT and BUDGET in the environment.
#SBATCH --job-name=sitecap
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --time=10
#SBATCH --output=sitecap-%j.log
# A minute before the time limit, in case nothing in the job tells when that is (Slurm before 23.02 without scontrol).
#SBATCH --signal=USR1@60
# If the node is lost, the job runs again.
#SBATCH --requeue

# srun does not take over what the job asked for per task (since 22.05), so it is said again.
exec srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" "${AGENT:-agent}" pilot --budget "${BUDGET:-5m}"
