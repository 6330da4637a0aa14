"""The exit codes of `capacity`, and what each means."""

from __future__ import annotations

DONE = 0
REFUSED = 1
USAGE = 2
NOT_FINISHED = 3
UNAVAILABLE = 4

MEANING = {
    DONE: "done",
    REFUSED: "what was asked contradicts what is there: no such token, site or calibration, a conflict, a failed check",
    USAGE: "the command line, the configuration or an input file is wrong",
    NOT_FINISHED: "it could not be finished: an internal error, output was lost, the address is in use",
    UNAVAILABLE: "the database cannot be asked now: try again later",
    130: "interrupted (SIGINT)",
    143: "terminated (SIGTERM); running requests were finished",
}
"""What `docs/reference` and `--help` say of each code."""
