"""The committed JSON Schema is that of the models, and says the same of the examples."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from profiles import schema

EXAMPLES = Path(__file__).parent / "examples"
BEYOND_A_SCHEMA = {
    "check_twice",
    "null_without_reason",
    "partial_without_reason",
    "skipped_without_reason",
    "time_without_zone",
    "unknown_without_reason",
}
"""Defects that only the models see: rules between fields, and the format of a time."""
NOT_JSON = {"cut_off", "empty", "infinite_budget", "not_a_number", "not_utf8", "two_documents"}
SEEN = sorted(
    path.stem for path in (EXAMPLES / "bad").iterdir() if path.stem not in BEYOND_A_SCHEMA | NOT_JSON
)


@pytest.fixture(scope="module")
def committed() -> Any:
    return json.loads(schema.committed_path().read_text("utf-8"))


def test_the_committed_schema_is_that_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["schema", "--check"])

    assert schema.main() == 0, "the models were changed: run `make generate` and commit the schema"


def test_drift_is_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["schema", "--check"])
    assert schema.main() == 1

    monkeypatch.setattr(sys, "argv", ["schema"])
    assert schema.main() == 0
    path = schema.committed_path()
    path.write_text(path.read_text().replace("hostname", "host_name"))

    monkeypatch.setattr(sys, "argv", ["schema", "--check"])
    assert schema.main() == 1
    assert "make generate" in capsys.readouterr().err


def test_the_schema_is_a_schema(committed: Any) -> None:
    Draft202012Validator.check_schema(committed)


@pytest.mark.parametrize("path", sorted((EXAMPLES / "good").glob("*.json")), ids=lambda path: path.stem)
def test_good_profiles_fit_the_schema(committed: Any, path: Path) -> None:
    Draft202012Validator(committed).validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize("defect", SEEN)
def test_bad_profiles_do_not(committed: Any, defect: str) -> None:
    document = json.loads((EXAMPLES / f"bad/{defect}.json").read_bytes())

    assert not Draft202012Validator(committed).is_valid(document)
