"""`agent completion`: the script that teaches a shell our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for a shell; for bash: eval "$(agent completion bash)"."""
    maker = get_completion_class(shell)
    assert maker is not None
    root = context.find_root().command
    click.echo(maker(root, {}, "agent", "_AGENT_COMPLETE").source())
