"""The JSON Schema of the profile, generated from the models and committed, so that drift is seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from profiles.profile import SCHEMA_VERSION, CapabilityProfile

FOLDER = Path(__file__).parent / "schemas"


def schema_text() -> str:
    """The schema of the current version as JSON text."""
    schema = CapabilityProfile.model_json_schema(mode="validation")
    # The model has a default for whoever writes; whoever reads has to be told the version.
    schema["required"] = ["schema_version", *schema["required"]]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://sitecap.example/schemas/capability-profile-{SCHEMA_VERSION}.json",
        "title": f"CapabilityProfile {SCHEMA_VERSION}",
    }
    return json.dumps({**schema, **head}, indent=1, sort_keys=True) + "\n"


def committed_path() -> Path:
    """Where the committed schema of the current version lives."""
    return FOLDER / f"capability-profile-{SCHEMA_VERSION}.json"


def main() -> int:
    """Write the schema, or with --check say whether the committed one is the one of the models."""
    path = committed_path()
    if "--check" in sys.argv[1:]:
        same = path.is_file() and path.read_text("utf-8") == schema_text()
        if not same:
            sys.stderr.write(f"{path.name} does not match the models: run `make generate` and commit it\n")
        return 0 if same else 1
    path.write_text(schema_text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
