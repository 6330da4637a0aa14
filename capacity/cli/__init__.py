"""The command line of the service: parse, call, print, exit. No logic lives here."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

import click

import capacity
from capacity.cli.codes import NOT_FINISHED, USAGE
from sitecap.commands import LazyGroup

COMMANDS = {
    "serve": "capacity.cli.serve:serve",
    "token": "capacity.cli.token:token",
    "db": "capacity.cli.db:db",
    "import": "capacity.cli.imports:import_",
    "export": "capacity.cli.exports:export",
    "calibrate": "capacity.cli.calibrate:calibrate",
    "reestimate": "capacity.cli.calibrate:reestimate",
    "plan": "capacity.cli.plan:plan",
    "demo": "capacity.cli.demo:demo",
    "config": "capacity.cli.configuration:config",
}
"""Command → where it is; each is loaded when it is needed, because some stand on large libraries."""


@click.group(cls=LazyGroup, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(capacity.__version__, prog_name="capacity")
def cli() -> None:
    """Tell what nodes, sites and the grid are worth: capability profiles in, HS06-equivalent capacity out.

    Begin with `capacity serve`: it needs no preparation and says what to do next.
    """


def main() -> None:
    """Run the command line; whatever ends it, the user reads a sentence and not a traceback."""
    if sys.stdout is None:
        sys.stderr.write("capacity: standard output is closed: open it, or redirect it to a file\n")
        sys.exit(NOT_FINISHED)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = cli(prog_name="capacity", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read has closed the pipe; the interpreter must not complain of it again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NOT_FINISHED)
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"capacity: the library {error.name} is missing: install sitecap with its extra, "
            "pip install 'sitecap[service]' (PostgreSQL: postgres, Dask: dask)\n"
        )
        sys.exit(USAGE)
    except Exception as error:
        sys.stderr.write(f"capacity: internal error: {error!r:.300}; {_kept_traceback()}\n")
        sys.exit(NOT_FINISHED)


def _kept_traceback() -> str:
    """Save the traceback for a bug report, away from the user's screen; say where."""
    try:
        handle, path = tempfile.mkstemp(prefix="sitecap-capacity-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(traceback.format_exc())
    except OSError:
        return "please report it"
    return f"please report it with {path}"
