#!/bin/sh
# In two lines, of any batch script:
#     #!/bin/sh
#     srun --ntasks-per-node=1 --cpu-bind=none agent pilot --budget 5m --summary "$PWD"
# A whole allocation, one agent a node, summed up by the first: sbatch --nodes=64 deploy/slurm/allocation.sh
# What is set here can be overruled on sbatch's command line; AGENT, BUDGET and SHARED in the environment.
#SBATCH --job-name=sitecap-all
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --mem=0
#SBATCH --time=15
#SBATCH --output=sitecap-%j.log
#SBATCH --signal=USR1@60
# A node that is lost costs its own profile only; the others go on.
#SBATCH --no-kill

shared=${SHARED:-${SLURM_SUBMIT_DIR:-$PWD}/sitecap-$SLURM_JOB_ID}
mkdir -p "$shared"
# No binding: the one task of a node is to see all processors that the job has there. A warning that comes before the agent is
# up must not end it: it takes over the signal when it is.
exec srun --ntasks-per-node=1 --cpu-bind=none --no-kill --kill-on-bad-exit=0 \
    sh -c 'trap "" USR1; exec "$0" "$@"' "${AGENT:-agent}" pilot --budget "${BUDGET:-5m}" --summary "$shared" --output "$shared/"
