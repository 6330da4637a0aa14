"""The exit codes of `agent`, and what each means."""

from __future__ import annotations

NO_FAILURE = 0
FAILURES = 1
USAGE = 2
NOT_FINISHED = 3
NOT_DELIVERED = 4

MEANING = {
    0: "no check failed; warnings are allowed unless --strict; `agent bench`: every kernel was measured with right physics; `agent pilot`: the profile was handed in or left as a file, whatever it says, or another agent of this node did that; `agent submit`: the service has all profiles",
    1: "at least one check is CRITICAL, or with --strict WARNING; `agent bench`: a kernel failed or its physics is wrong; `agent submit`: a document is no profile, or was set aside",
    2: "the command line or the configuration is wrong",
    3: "the agent could not finish: a probe crashed, hung or was out of time, the node is locked, output was lost; `agent bench`: no kernels were compiled, or the budget ended before all were measured; `agent pilot`: no profile could be made or kept",
    4: "a profile was made but could not be delivered; `agent pilot`: it is kept in the spool or as a file, and says where; `agent submit`: profiles still wait, which are sent by the next run",
    130: "interrupted (SIGINT); the profile is partial",
    143: "terminated (SIGTERM); the profile is partial",
}
"""What `docs/reference` and `--help` say of each code."""
