"""What the command lines of both programs share; costs nothing to load but click."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for.

    Args:
        places: command → "module:attribute", in the order in which a new user meets them.
        more: what `click.Group` takes.
    """

    def __init__(self, *, places: Mapping[str, str], **more: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**more)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names, in their order."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, None if there is none."""
        place = self._places.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


def fail(program: str, code: int, kind: str, message: str, *, as_json: bool) -> NoReturn:
    """End with one sentence: on stderr, or as a JSON object on stdout for a program that reads JSON."""
    if as_json:
        click.echo(json.dumps({"error": {"code": kind, "message": message}}))
    else:
        click.echo(f"{program}: {message}", err=True)
    sys.exit(code)
