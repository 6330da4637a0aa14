"""`agent submit`: hand in profiles to the service."""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click

from agent.cli.options import config_option, fail, set_option
from agent.codes import NOT_DELIVERED, USAGE


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--url", help="Address of the service; same as --set delivery.url=URL.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1),
    default=60,
    show_default=True,
    help="Seconds after which what is left waits for the next run.",
)
@click.option("--json", "as_json", is_flag=True, help="The counts as a JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@set_option
@config_option
def submit(
    files: tuple[str, ...],
    url: str | None,
    timeout_s: float,
    as_json: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
    assignments: tuple[str, ...],
    config_path: Path | None,
) -> None:
    """Hand in profiles to the service. FILEs hold one profile, or one a line; patterns are taken, - = stdin.

    Each is first kept in the spool, and the FILE stays. Without a FILE, what waits in the spool is sent.

    Exit codes: 0 the service has all, 1 something is no profile or was set aside, 2 wrong usage, 4 something still waits,
    130/143 interrupted while something waits.
    """
    from agent.cli.loading import load_all, sentences  # noqa: PLC0415
    from agent.config import parse_assignment  # noqa: PLC0415
    from agent.delivery.errors import DeliveryError, SpoolError  # noqa: PLC0415
    from agent.submit import InputError, exit_code, paths  # noqa: PLC0415
    from agent.submit import submit as hand_in  # noqa: PLC0415

    with sentences(as_json=as_json):
        flags = {"delivery.url": url} | dict(map(parse_assignment, assignments))
        settings = load_all(flags, config_path)[0].config.delivery
    signals = _Signals()
    _show_log(quiet=quiet)
    try:
        found = paths(files)
        done = hand_in(
            found,
            sys.stdin.buffer,
            settings,
            until_s=time.monotonic() + timeout_s,
            stop=lambda: signals.caught is not None,
        )
    except InputError as error:
        fail(USAGE, "usage", str(error), as_json=as_json)
    except SpoolError as error:
        fail(NOT_DELIVERED, "spool", str(error), as_json=as_json)
    except DeliveryError as error:
        fail(USAGE, "configuration", str(error), as_json=as_json)
    if as_json:
        click.echo(json.dumps({**done.delivered._asdict(), "refused": done.refused}))
    else:
        for sentence in done.refused:
            click.echo(f"agent: {sentence}", err=True)
        click.echo(done.sentence)
    sys.exit(exit_code(done, signals.caught))


class _Signals:
    """The first signal that asks for an end."""

    def __init__(self) -> None:
        self.caught: str | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.caught = self.caught or signal.Signals(number).name


def _show_log(*, quiet: bool) -> None:
    handler: logging.Handler = logging.NullHandler() if quiet else logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("agent: %(message)s"))
    logging.getLogger("agent.delivery").addHandler(handler)
    logging.getLogger("agent.delivery").propagate = False
