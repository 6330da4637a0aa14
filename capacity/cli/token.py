"""`capacity token`: API tokens of the embedded authentication."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from capacity.cli.options import SETTINGS, config_option, database_option, json_option, opened, sentences
from capacity.service import tokens
from capacity.service.principal import Role


@click.group(context_settings=SETTINGS)
def token() -> None:
    """Make, list and revoke API tokens."""


@token.command("create", context_settings=SETTINGS)
@click.option("--site", metavar="SITE", help="Site that it may write for, such as T2_LV_Example.")
@click.option("--all-sites", is_flag=True, help="It may write for every site.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="submit: hand in profiles of the site; read: read everything; admin: both, imports, tokens.",
)
@click.option("--expires", metavar="LIFE", help="Such as 12h, 90d, 4w; without it, until it is revoked.")
@click.option("--note", help="Whose it is, for the list.")
@json_option
@database_option
@config_option
def create(
    site: str | None,
    all_sites: bool,  # noqa: FBT001
    role: str,
    expires: str | None,
    note: str | None,
    as_json: bool,  # noqa: FBT001
    database: str | None,
    config_path: Path | None,
) -> None:
    """Make a token and print it: it is not kept and cannot be shown again."""
    if role == Role.SUBMIT.value and (site is None) == (not all_sites):
        raise click.UsageError("a submit token needs --site SITE or --all-sites, not both")
    if site is not None and all_sites:
        raise click.UsageError("--site and --all-sites exclude each other")
    with sentences(as_json=as_json):
        life = tokens.parse_duration(expires) if expires is not None else None
        with opened(config_path, database) as (_, store):
            made = tokens.create(
                store, role=Role(role), site=site, now=datetime.now(UTC), life=life, note=note
            )
    until = made.expires_at.isoformat(timespec="seconds") if made.expires_at else None
    if as_json:
        click.echo(json.dumps({"id": made.id, "token": made.text, "expires_at": until}))
        return
    click.echo(made.text)
    click.echo(f"works until {until or 'it is revoked'}; keep it now, it cannot be shown again", err=True)


@token.command("list", context_settings=SETTINGS)
@json_option
@database_option
@config_option
def list_(as_json: bool, database: str | None, config_path: Path | None) -> None:  # noqa: FBT001
    """All tokens with their state, newest first; secrets are not kept."""
    with sentences(as_json=as_json), opened(config_path, database) as (_, store):
        found = tokens.all_tokens(store)
    now = datetime.now(UTC)
    if as_json:
        rows = [{**one._asdict(), "state": one.state(now)} for one in found]
        click.echo(json.dumps(rows, indent=1, default=lambda value: value.isoformat()))
        return
    if not found:
        click.echo("there are no tokens: make one with `capacity token create`", err=True)
    for one in found:
        until = one.expires_at.date().isoformat() if one.expires_at else "-"
        used = one.last_used_at.isoformat(timespec="minutes") if one.last_used_at else "never used"
        where = one.site or ("all sites" if one.role is not Role.READ else "-")
        click.echo(
            f"{one.id}  {one.state(now):8} {one.role.value:7} {where:24} until {until:10}  {used}  {one.note or ''}".rstrip()
        )


@token.command("revoke", context_settings=SETTINGS)
@click.argument("token_id", metavar="ID")
@database_option
@config_option
def revoke(token_id: str, database: str | None, config_path: Path | None) -> None:
    """Refuse a token from now on; running services know within auth.token_cache_s."""
    with sentences(), opened(config_path, database) as (_, store):
        tokens.revoke(store, token_id, datetime.now(UTC))
    click.echo(f"{token_id} is revoked")
