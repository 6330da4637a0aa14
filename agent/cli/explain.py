"""`agent explain`: what a check means, why it matters, and how to mend it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agent.cli.loading import load_all, sentences
from agent.cli.options import config_option, fail
from agent.codes import USAGE
from agent.explain import UnknownCheckError, explain_check, explain_level
from probes.host import Host
from probes.live import LiveDoor
from probes.registry import catalogue


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("code", required=False)
@click.option(
    "--why-not", "target", help="Say which features this CPU lacks for a target such as x86-64-v4 or zen4."
)
@config_option
def explain(code: str | None, target: str | None, config_path: Path | None) -> None:
    """Explain a check by its CODE, e.g. CPU-04."""
    with sentences():
        loaded, probes = load_all({}, config_path)
        try:
            if target:
                text = explain_level(Host(LiveDoor()), target)
            elif code:
                text = explain_check(code, catalogue(probes), loaded.config)
            else:
                fail(
                    USAGE,
                    "usage",
                    "name a check such as CPU-04, or --why-not x86-64-v4; see `agent probe --list`",
                    as_json=False,
                )
        except UnknownCheckError as error:
            fail(USAGE, "usage", str(error), as_json=False)
    sys.stdout.write(text)
