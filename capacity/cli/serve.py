"""`capacity serve`: the service, at once on an embedded database."""

from __future__ import annotations

import os
import shlex
import ssl
import tempfile
from pathlib import Path

import click

from capacity.cli.codes import USAGE
from capacity.cli.options import (
    SETTINGS,
    config_option,
    database_option,
    fail,
    load_config,
    open_database,
    sentences,
)
from capacity.settings import Config
from capacity.store.database import Database


@click.command(context_settings=SETTINGS)
@click.option("--host", help="Address to listen on; without it loopback only.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 = any free port.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; with PostgreSQL.")
@click.option("--tls-certificate", type=click.Path(), help="PEM file: certificate and chain.")
@click.option("--tls-key", type=click.Path(), help="PEM file: key of the certificate.")
@click.option("--data", "data_directory", type=click.Path(), help="Where the embedded database is kept.")
@database_option
@config_option
def serve(
    host: str | None,
    port: int | None,
    workers: int | None,
    tls_certificate: str | None,
    tls_key: str | None,
    data_directory: str | None,
    database: str | None,
    config_path: Path | None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    Without any option: on loopback, with an embedded database that is made on the first start.
    """
    with sentences():
        config = load_config(
            config_path,
            {
                "server.host": host,
                "server.port": port,
                "server.workers": workers,
                "server.tls_certificate": tls_certificate,
                "server.tls_key": tls_key,
                "data_directory": data_directory,
                "database.url": database,
            },
        ).config
        _check_tls(config)
        store = open_database(config)
        try:
            store.upgrade()
        finally:
            store.close()
        from capacity import listening, server  # noqa: PLC0415 - a wrong configuration is told without loading the web framework

        listener = listening.listen(config.server)
    address = listener.getsockname()
    _say(config, store, address[1], given=database is not None or data_directory is not None)
    environment = dict(os.environ)
    if config.server.workers == 1:
        server.run(config, listener, environment)
        return
    # prometheus_client adds up the workers' numbers through files of this directory.
    with tempfile.TemporaryDirectory(prefix="sitecap-metrics-") as shared:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        server.run(config, listener, environment)


def _check_tls(config: Config) -> None:
    certificate, key = config.server.tls_certificate, config.server.tls_key
    if certificate is None or key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        text = error.strerror or str(error)
        fail(USAGE, "configuration", f"{certificate} and {key} cannot be used for TLS: {text}", as_json=False)


def _say(config: Config, store: Database, port: int, *, given: bool) -> None:
    """Where it is, and what to do next; `given`: the database was named on the command line, so other commands need it."""
    server = config.server
    scheme = "https" if server.tls_certificate else "http"
    name = "localhost" if server.loopback or server.host in {"0.0.0.0", "::"} else server.host  # noqa: S104 - a name
    url = f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}"
    click.echo(f"capacity listens at {url}  (database: {store.shown})")
    click.echo("Next, in another terminal:")
    where = f" --database {shlex.quote(store.shown)}" if given else ""
    click.echo(f"  capacity token create --role submit --site T2_XX_Name{where}   # prints a token, once")
    click.echo(
        f"  agent probe --json | curl -sS {url}/api/v1/profiles -H 'Content-Type: application/json' \\"
    )
    click.echo('       -H "Authorization: Bearer $TOKEN" --data-binary @-')
    click.echo(f"  {url}/                                # the pages")
    if not (server.loopback or server.tls_certificate or server.trusted_proxies):
        click.echo(
            "capacity: tokens will cross the network unencrypted: give --tls-certificate and --tls-key, "
            "or name the proxy that does it in server.trusted_proxies",
            err=True,
        )
