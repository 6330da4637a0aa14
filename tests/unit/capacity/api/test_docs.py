"""The pages of the service say what the service does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capacity.cli.codes import MEANING
from capacity.settings import Config
from tests.unit.capacity.api.test_policy import API

DOCS = Path(__file__).resolve().parents[4] / "docs"


def test_the_table_of_routes_is_the_one_of_the_policies() -> None:
    text = (DOCS / "reference/http-api.md").read_text()
    rows = re.findall(r"^\| (GET|POST|DELETE) \| `([^`]+)` \| (\w+) \|", text, re.MULTILINE)
    assert {(method, path): role for method, path, role in rows} == API


def test_the_exit_codes_are_those_of_the_program() -> None:
    text = (DOCS / "how-to/run-the-service.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)
    assert {int(code): says for code, says in rows} == MEANING


@pytest.mark.parametrize("page", ["reference/http-api.md", "how-to/run-the-service.md"])
def test_every_setting_that_is_named_exists(page: str) -> None:
    sections = {name: field.annotation for name, field in Config.model_fields.items()}
    for section, key in re.findall(r"`(server|limits|auth|database)\.([a-z_]+)\b", (DOCS / page).read_text()):
        model = sections[section]
        assert key in model.model_fields, f"{section}.{key}"  # type: ignore[union-attr]
