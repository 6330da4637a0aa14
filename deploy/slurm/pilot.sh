#!/bin/sh
# In two lines, of any batch script:
#     #!/bin/sh
#     srun --cpus-per-task="$SLURM_CPUS_PER_TASK" agent pilot --budget 5m
# With a warning before the limit, and run again if the node is lost: sbatch --cpus-per-task=8 --mem=16G deploy/slurm/pilot.sh
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

# srun does not take over what the job asked for per task (since 22.05), so it is said again. A warning that comes before the
# agent is up must not end it: it takes over the signal when it is.
exec srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" \
    sh -c 'trap "" USR1; exec "$0" "$@"' "${AGENT:-agent}" pilot --budget "${BUDGET:-5m}"
