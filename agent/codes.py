"""The exit codes of `agent`, and what each means."""

from __future__ import annotations

NO_FAILURE = 0
FAILURES = 1
USAGE = 2
NOT_FINISHED = 3
NOT_DELIVERED = 4

MEANING = {
    0: "no check failed; warnings are allowed unless --strict",
    1: "at least one check is CRITICAL, or with --strict WARNING",
    2: "the command line or the configuration is wrong",
    3: "the agent could not finish: a probe crashed, hung or was out of time, the node is locked, output was lost",
    4: "a profile was made but could not be delivered",
    130: "interrupted (SIGINT); the profile is partial",
    143: "terminated (SIGTERM); the profile is partial",
}
"""What `docs/reference` and `--help` say of each code."""
