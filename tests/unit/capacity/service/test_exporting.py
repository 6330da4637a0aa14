"""Every format of what is in the database, with the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.exports import export as export_command
from capacity.cli.imports import import_ as import_command
from capacity.errors import BadInputError, NotFoundError
from capacity.exports import FORMATS
from capacity.service.exporting import export
from capacity.store.database import Database
from tests.unit.capacity.imports.reports import version3
from tests.unit.capacity.looks import NODE, NOW, document
from tests.unit.capacity.service.filling import (
    SETTINGS,
    SITE,
    fill,
    three_sites,
)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.of != "node"])
def test_every_format_of_many_nodes(database: Database, name: str) -> None:
    three_sites(database)
    everything = export(database, name, NOW, SETTINGS)
    one = export(database, name, NOW, SETTINGS, SITE)

    assert everything.filename.startswith("sitecap-")
    assert one.body
    assert len(one.body) < len(everything.body)
    if FORMATS[name].media_type == "application/json":
        assert len(json.loads(one.body)) == (2 if name == "monit" else 1)


@pytest.mark.parametrize("name", ["classad", "mjf"])
def test_formats_of_one_node(database: Database, name: str) -> None:
    fill(database, document(cores=64))

    assert b"64" in export(database, name, NOW, SETTINGS, SITE, NODE).body
    with pytest.raises(NotFoundError, match="no node"):
        export(database, name, NOW, SETTINGS, SITE, "f" * 32)
    with pytest.raises(BadInputError, match="a site and a node"):
        export(database, name, NOW, SETTINGS, SITE)


def test_what_cannot_be_exported(database: Database) -> None:
    with pytest.raises(BadInputError, match="use one of site-capacity"):
        export(database, "xml", NOW, SETTINGS)
    with pytest.raises(NotFoundError, match="no site T2_XX_No"):
        export(database, "apel", NOW, SETTINGS, "T2_XX_No")
    with pytest.raises(BadInputError, match="not a node"):
        export(database, "apel", NOW, SETTINGS, SITE, NODE)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/capacity.sqlite"


def test_the_commands(url: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps([version3(), {"x": 1}]))
    run = CliRunner().invoke(import_command, ["suite", str(report), "--database", url])
    assert run.exit_code == 0, run.output
    assert "1 new scores (0 of known nodes)" in run.stdout
    assert "left out: report 2 has no host" in run.stderr

    database = Database(url)
    fill(database, document(cores=64))
    database.close()
    out = tmp_path / "capacity.json"
    assert (
        CliRunner().invoke(export_command, ["site-capacity", "-o", str(out), "--database", url]).exit_code
        == 0
    )
    assert (
        CliRunner()
        .invoke(export_command, ["sites-csv", "--database", url])
        .stdout.startswith("site,federation")
    )
    folder = tmp_path / "mjf"
    args = ["mjf", "--site", SITE, "--node", NODE, "-o", str(folder), "--database", url]
    assert CliRunner().invoke(export_command, args).exit_code == 0
    assert (folder / "machinefeatures/total_cpu").read_text() == "64\n"
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["suite", "/nowhere/report.json"], 2, "/nowhere/report.json is not a file"),
        (["suite", "-"], 2, "nothing was imported"),
        (["what", "-"], 2, "'what' is not one of 'suite'"),
    ],
)
def test_bad_input_to_the_command_is_one_sentence(url: str, args: list[str], code: int, says: str) -> None:
    run = CliRunner().invoke(import_command, [*args, "--database", url], input="{}")

    assert run.exit_code == code
    assert says in run.stderr
    assert "Traceback" not in run.output
