"""`agent daemon`: look at this node again and again."""

from __future__ import annotations

from pathlib import Path

import click

from agent.cli.options import config_option, fail, set_option
from agent.codes import NOT_FINISHED


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@set_option
@config_option
def daemon(assignments: tuple[str, ...], config_path: Path | None) -> None:
    """Look at this node again and again, and tell the service, Prometheus and Kubernetes, as the configuration says.

    SIGHUP reads the configuration again, as does a change of its file; SIGTERM ends the daemon within seconds.

    Exit codes: 0 ended by a signal, 2 wrong usage or configuration, 3 the daemon could not start.
    """
    from agent.cli.loading import sentences  # noqa: PLC0415
    from agent.config import parse_assignment  # noqa: PLC0415
    from agent.daemon.pages import PagesError  # noqa: PLC0415
    from agent.daemon.source import Source  # noqa: PLC0415
    from agent.extras import with_prometheus_client  # noqa: PLC0415

    with sentences(), with_prometheus_client("the daemon"):
        from agent.daemon.start import log_to_stderr, serve  # noqa: PLC0415
    arguments = [f"--set={assignment}" for assignment in assignments]
    if config_path is not None:
        arguments.append(f"--config={config_path}")
    log_to_stderr()
    with sentences():
        flags = dict(map(parse_assignment, assignments))
        try:
            serve(Source(flags, config_path, arguments))
        except PagesError as error:
            fail(NOT_FINISHED, "daemon", str(error), as_json=False)
