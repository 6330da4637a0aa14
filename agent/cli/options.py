"""What several commands share and costs nothing to load."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from agent.codes import NOT_FINISHED
from sitecap import commands

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration file (TOML) instead of the default places.",
)

set_option = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="One setting of the configuration, e.g. cvmfs.proxies=http://squid:3128; may be given again.",
)
_Command = TypeVar("_Command", bound=Callable[..., Any])
_SCREEN = (
    click.option("-q", "--quiet", is_flag=True, help="No progress on stderr."),
    click.option("--no-color", is_flag=True, help="No colour, whatever the terminal."),
    click.option("--no-progress", is_flag=True, help="Same as --quiet."),
)


def screen_options(command: _Command) -> _Command:
    """`--quiet`, `--no-color` and `--no-progress`, in this order of the help."""
    for option in reversed(_SCREEN):
        command = option(command)
    return command


def fail(code: int, kind: str, message: str, *, as_json: bool) -> NoReturn:
    """End with one sentence; see `common.commands.fail`."""
    commands.fail("agent", code, kind, message, as_json=as_json)


def require_numpy(*, as_json: bool) -> None:
    """Probing installs without numpy (the extra `bench`); benchmarking does not go without it."""
    if importlib.util.find_spec("numpy") is None:
        fail(
            NOT_FINISHED,
            "numpy",
            "the payloads need numpy, which is not installed here: pip install 'sitecap[bench]', or in a checkout make payloads",
            as_json=as_json,
        )
