"""What a chart has twice: `python charts/generate.py` writes it from where it is said, `--check` says whether it has drifted.

* `values.schema.json` gets, under `config`, the settings of the program itself: a misspelt one is refused when the chart is
  installed, not by a pod that does not start. Secret settings are left out, since `config` becomes a ConfigMap.
* `README.md` is written from the comments of `values.yaml` and the types of the schema.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHARTS = Path(__file__).resolve().parent
sys.path.insert(0, str(CHARTS.parent))  # so that it runs from a checkout that is not installed, too

from pydantic import BaseModel  # noqa: E402

from agent.config import Config as AgentConfig  # noqa: E402
from capacity.settings import Config as ServiceConfig  # noqa: E402

PROGRAMS: dict[str, type[BaseModel]] = {"sitecap-agent": AgentConfig, "sitecap-capacity": ServiceConfig}
"""Chart → settings of the program that it runs."""

OWNED = {
    "sitecap-agent": (
        "site_name",
        "daemon.root",
        "daemon.listen",
        "daemon.port",
        "daemon.cluster.node_feature",
        "daemon.cluster.events",
        "daemon.cluster.feature_file",
        "daemon.cluster.service_account_path",
    ),
    "sitecap-capacity": (
        "server.host",
        "server.port",
        "server.tls_certificate",
        "server.tls_key",
        "server.trusted_proxies",
    ),
}
"""Settings that other values of the chart decide, since Services, probes, mounts and Roles have to agree with them."""

_DROPPED = ("title", "default", "writeOnly", "format", "discriminator")
_MARK = "# -- "


class Value(NamedTuple):
    """A documented value of a chart."""

    key: str
    default: Any
    text: str


# -- the schema ----------------------------------------------------------------------------------------------


def with_settings(schema: dict[str, Any], model: type[BaseModel], owned: tuple[str, ...]) -> dict[str, Any]:
    """The chart's schema with the program's settings as `config`, but for those that the chart owns.

    The `$defs` of the settings are named after classes, the chart's own begin with a lower-case letter.
    """
    settings = model.model_json_schema()
    for key in owned:
        *sections, name = key.split(".")
        part = settings
        for section in sections:
            part = _resolved(settings, part["properties"][section])
        del part["properties"][name]
    models = settings.pop("$defs", {})
    own = {name: part for name, part in schema["$defs"].items() if name[0].islower()}
    properties = {**schema["properties"], "config": trimmed(settings)}
    return {
        **schema,
        "properties": properties,
        "$defs": own | {name: trimmed(part) for name, part in sorted(models.items())},
    }


def trimmed(part: Any) -> Any:  # noqa: ANN401 - JSON
    """A part of a JSON Schema without secrets, and without what only documentation reads."""
    if isinstance(part, list):
        return [trimmed(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: trimmed(value) for key, value in part.items() if key not in (*_DROPPED, "properties")}
    if "properties" in part:
        kept["properties"] = {
            name: trimmed(spec) for name, spec in part["properties"].items() if not _secret(spec)
        }
    return kept


def _secret(spec: dict[str, Any]) -> bool:
    """Whether pydantic says that it is a SecretStr."""
    return any(one.get("writeOnly") for one in (spec, *spec.get("anyOf", ())))


# -- the README ----------------------------------------------------------------------------------------------


def documented(text: str) -> Iterator[Value]:
    """The values of a values.yaml that have a comment with a mark, in their order."""
    lines = text.splitlines()
    root = yaml.compose(text, yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    yield from _documented(root, lines, ())


def _documented(node: yaml.MappingNode, lines: list[str], path: tuple[str, ...]) -> Iterator[Value]:
    for key, value in node.value:
        here = (*path, key.value)
        if said := _comment(lines, key.start_mark.line):
            yield Value(".".join(here), yaml.SafeLoader("").construct_object(value, deep=True), said)
        elif isinstance(value, yaml.MappingNode):
            yield from _documented(value, lines, here)


def _comment(lines: list[str], line: int) -> str:
    """The comment right above a line, from its mark on; empty if there is none."""
    found: list[str] = []
    for above in reversed(lines[:line]):
        text = above.strip()
        if not text.startswith("#"):
            return ""
        found.insert(0, text.removeprefix(_MARK).removeprefix("#").strip())
        if text.startswith(_MARK):
            return " ".join(found)
    return ""


def kind(schema: dict[str, Any], key: str) -> str:
    """What a value takes, in a word or two."""
    part = schema
    for name in key.split("."):
        part = _resolved(schema, part["properties"][name])
    if "enum" in part:
        return " or ".join(f"`{value}`" for value in part["enum"])
    if "oneOf" in part:
        return " or ".join(str(_resolved(schema, one)["type"]) for one in part["oneOf"])
    return str(part["type"])


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = schema["$defs"][part["$ref"].rpartition("/")[2]]
    return part


def readme(folder: Path, schema: dict[str, Any]) -> str:
    """The chart's README."""
    chart = yaml.safe_load((folder / "Chart.yaml").read_text("utf-8"))
    head = (folder / "README.head.md").read_text("utf-8").rstrip()
    rows = "\n".join(
        f"| `{value.key}` | {kind(schema, value.key)} | {_shown(value.default)} | {_cell(value.text)} |"
        for value in documented((folder / "values.yaml").read_text("utf-8"))
    )
    return (
        f"<!-- Written by charts/generate.py from README.head.md, values.yaml and values.schema.json; run `make generate`. -->\n\n"
        f"# {chart['name']}\n\n{chart['description']} Chart {chart['version']}, Kubernetes {_cell(chart['kubeVersion'])}.\n\n{head}\n\n"
        f"## Values\n\n`values.schema.json` knows them all: one that is misspelt or of the wrong kind is refused.\n\n"
        f"| value | type | default | meaning |\n|---|---|---|---|\n{rows}\n"
    )


def _cell(text: str) -> str:
    return text.replace("|", r"\|").removesuffix("-0")


def _shown(default: Any) -> str:  # noqa: ANN401 - whatever YAML can say
    if default is None:
        return "none"
    return f"`{_cell(json.dumps(default, separators=(', ', ': ')))}`"


# -- both ----------------------------------------------------------------------------------------------------


def outputs(name: str) -> dict[Path, str]:
    """The generated files of a chart with their text."""
    folder = CHARTS / name
    path = folder / "values.schema.json"
    schema = with_settings(json.loads(path.read_text("utf-8")), PROGRAMS[name], OWNED[name])
    return {
        path: json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
        folder / "README.md": readme(folder, schema),
    }


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name those that have drifted."""
    drifted = []
    for name in PROGRAMS:
        for path, text in outputs(name).items():
            if "--check" not in arguments:
                path.write_text(text, "utf-8")
            elif not path.is_file() or path.read_text("utf-8") != text:
                drifted.append(str(path.relative_to(CHARTS)))
    if drifted:
        print(
            f"charts: {', '.join(drifted)} do not match their sources: run `make generate` and commit",
            file=sys.stderr,
        )
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
