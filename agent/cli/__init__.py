"""The command line: parse, call, render, exit. No logic lives here."""

from __future__ import annotations

import gc
import sys
import traceback

import click

import agent
from agent.codes import NOT_FINISHED
from probes.lock import LockError, state_directory
from sitecap.commands import LazyGroup

COMMANDS = {
    "probe": "agent.cli.probe:probe",
    "bench": "agent.cli.bench:bench",
    "pilot": "agent.cli.pilot:pilot",
    "submit": "agent.cli.submit:submit",
    "daemon": "agent.cli.daemon:daemon",
    "explain": "agent.cli.explain:explain",
    "schema": "agent.cli.schema:schema",
    "config": "agent.cli.configuration:config",
    "completion": "agent.cli.shell:completion",
}
"""Command → where it is; each is loaded when it is needed, because start-up is most of what a short run costs."""


@click.group(cls=LazyGroup, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(agent.__version__, prog_name="agent")
def cli() -> None:
    """Tell what this computer is worth to a CMS job, and what is in its way.

    `agent probe` only looks, `agent bench` only computes; `agent submit`, `agent pilot` and `agent daemon` send to whom the
    configuration names.
    """


def main() -> None:
    """Run the command line; whatever ends it, the user reads a sentence and not a traceback."""
    if sys.stdout is None:
        sys.stderr.write("agent: standard output is closed: open it, or write the result with -o FILE\n")
        sys.exit(NOT_FINISHED)
    # Loading makes many objects and no cycles worth a search; the probes' processes search again.
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        # Not standalone: click would turn a closed pipe into a silent exit 1, which is our code for a failed check.
        code = cli(prog_name="agent", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except Exception as error:
        sys.stderr.write(f"agent: internal error: {error!r:.300}; {_kept_traceback()}\n")
        sys.exit(NOT_FINISHED)


def _kept_traceback() -> str:
    """Save the traceback for a bug report, away from the user's screen; say where."""
    try:
        state = state_directory()
        if state is None:
            return "please report it"
        path = state / "crash.txt"
        path.write_text(traceback.format_exc(), "utf-8")
    except (OSError, LockError):
        return "please report it"
    return f"please report it with {path}"
