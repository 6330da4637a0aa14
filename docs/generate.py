"""The reference, generated from the code: `python docs/generate.py` writes it, `--check` says whether it has drifted."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that it runs from a checkout that is not installed, too

from pydantic import BaseModel, SecretStr  # noqa: E402

from agent.codes import MEANING  # noqa: E402
from agent.config import ENV_PREFIX, Config  # noqa: E402
from agent.render.exit_maps import EXIT_MAPS, exit_status  # noqa: E402
from capacity.config import ENV_PREFIX as SERVICE_ENV_PREFIX  # noqa: E402
from capacity.settings import Config as ServiceConfig  # noqa: E402
from computing_model.layers import described, load  # noqa: E402
from computing_model.numbers import leaves  # noqa: E402
from computing_model.parameters import Parameters  # noqa: E402
from computing_model.provenance import provenance_of  # noqa: E402
from probes.registry import builtin_probes  # noqa: E402
from probes.spec import Check, Probe  # noqa: E402
from profiles.checks import CheckResult, Status  # noqa: E402
from profiles.node_facts import NodeFacts  # noqa: E402
from profiles.profile import (  # noqa: E402
    SCHEMA_VERSION,
    AgentInfo,
    CapabilityProfile,
    NodeInfo,
    RunLimits,
    Scope,
)

FOLDER = ROOT / "docs" / "reference"
HEAD = "<!-- Written by docs/generate.py from the code; change the code, then run `make generate`. -->\n\n"
_MARKUP = re.compile(r"([\\*_\[\]<>$|{}#~])")


def escape(text: str) -> str:
    """Plain text as MyST; what stands between backticks stays code."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:
        return _MARKUP.sub(r"\\\1", "'".join(parts))
    return "`".join(
        part.replace("|", r"\|") if place % 2 else _MARKUP.sub(r"\\\1", part)
        for place, part in enumerate(parts)
    )


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table; empty text if it has no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines]) + "\n"


def checks() -> str:
    """The catalogue: what is judged, by which bound, and what to do about it."""
    text = "# Check catalogue\n\nWhat `agent explain CODE` says, for all codes. Bounds can be moved in the configuration.\n"
    for probe in builtin_probes():
        if probe.checks:
            text += f"\n## {probe.name}\n\n" + "\n".join(_check(check) for check in probe.checks)
    return text


def _check(check: Check) -> str:
    text = f"({check.id.lower()})=\n### {check.id} {escape(check.title)}\n\n{escape(check.rule)}\n\n"
    text += f"Why\n: {escape(check.why)}\n\nFix\n: {escape(check.hint)}\n\nAsked for by\n: {escape(check.origin)}\n"
    if check.critical_on_hang:
        text += "\nA hang\n: is CRITICAL: it is the failure that this check looks for.\n"
    bounds = table(
        ("bound", "default", "origin"),
        ((f"`{bound.name}`", f"`{bound.default}`", escape(bound.origin)) for bound in check.bounds),
    )
    return text + (f"\n{bounds}" if bounds else "")


def probes() -> str:
    """The probes, their deadlines and their checks."""
    return "# Probes\n\nEach runs in a child process that is killed at its deadline.\n\n" + table(
        ("probe", "finds out", "section", "deadline", "memory bound", "network", "checks"),
        (
            (
                f"`{probe.name}`",
                escape(probe.title),
                probe.section,
                f"{probe.deadline_s:g} s",
                f"{probe.memory_bytes / 1024**2:g} MiB",
                "yes" if probe.uses_network else "no",
                _codes(probe),
            )
            for probe in builtin_probes()
        ),
    )


def _codes(probe: Probe) -> str:
    return " ".join(f"[{check.id}](#{check.id.lower()})" for check in probe.checks) or "none: facts only"


def configuration() -> str:
    """Every setting with its environment variable, type, default and meaning."""
    text = (
        "# Configuration\n\nA TOML file, then the environment, then the flags; the later wins. "
        "`agent config show` prints each value and where it came from.\n\n"
        "Lists and tables are given in the environment as TOML values, e.g. "
        f"""`{ENV_PREFIX}CONTAINER__TEST_IMAGES='["/images/el9.sif"]'`.\n\n"""
    )
    return text + table(
        ("key", "environment", "type", "default", "meaning"), _settings(Config, "", ENV_PREFIX)
    )


def service_configuration() -> str:
    """The same of the central service."""
    text = (
        "# Configuration of the service\n\nA TOML file, then the environment, then the flags; the later wins. "
        "`capacity config show` prints each value and where it came from.\n\n"
    )
    rows = _settings(ServiceConfig, "", SERVICE_ENV_PREFIX)
    return text + table(("key", "environment", "type", "default", "meaning"), rows)


def _settings(model: type[BaseModel], prefix: str, environment: str) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _settings(kind, f"{prefix}{name}.", environment)
            continue
        default = field.get_default(call_default_factory=True)
        many = isinstance(default, tuple) and default and isinstance(default[0], BaseModel)
        shown = ", ".join(item.name for item in default) if many else f"`{default!r}`"
        if default is None or default == {}:
            shown = "unset"
        key = f"{prefix}{name}"
        yield (
            f"`{key}`",
            f"`{environment}{key.upper().replace('.', '__')}`",
            escape(_kind(kind)),
            shown.replace("|", r"\|"),
            escape(field.description or ""),
        )


_KINDS = {
    str: "text",
    SecretStr: "text (secret)",
    int: "whole number",
    float: "number",
    bool: "true or false",
}


def _kind(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    """What a setting takes, in the words of TOML; bounds and validators are left to its description and its error."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(parts[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_kind(part) for part in parts if part is not type(None)))
    if origin is Literal:
        return " or ".join(f"'{part}'" for part in parts)
    if origin is tuple:
        return f"list of {_kind(parts[0])}"
    if origin is dict:
        return f"table of {_kind(parts[1])}"
    return _KINDS.get(annotation, f"table ({annotation.__name__})")


def exit_codes() -> str:
    """Exit codes of the agent itself, and of each map."""
    text = "# Exit codes\n\n" + table(
        ("code", "meaning"), ((str(code), escape(meaning)) for code, meaning in MEANING.items())
    )
    text += "\n## Exit maps\n\n`--exit-map` gives the codes that a framework expects. The worst verdict decides.\n\n"
    cases = {str(status): _sample(status) for status in Status} | {
        "OK, but incomplete": _sample(Status.OK, partial=True)
    }
    return text + table(
        ("worst verdict", *(f"`{name}`" for name in EXIT_MAPS)),
        ((case, *(str(exit_status(profile, name)) for name in EXIT_MAPS)) for case, profile in cases.items()),
    )


def _sample(status: Status, *, partial: bool = False) -> CapabilityProfile:
    return CapabilityProfile(
        id="01890a5d-ac96-774b-bcce-b302099a8057",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        agent=AgentInfo(version="0"),
        node=NodeInfo(id="0" * 32, id_basis=()),
        scope=Scope(kind="node", cores_granted=1, cores_present=1),
        facts=NodeFacts(),
        checks=(CheckResult(id="CPU-01", status=status, probe="cores", summary="sample", reason="sample"),),
        limits=RunLimits(budget_s=1, duration_s=1, partial=partial, reason="sample" if partial else None),
    )


def schema() -> str:
    """The profile's fields, model by model."""
    whole = CapabilityProfile.model_json_schema()
    text = (
        f"# Capability profile, schema {SCHEMA_VERSION}\n\nThe JSON Schema itself: `agent schema`. A field that is null "
        "has its reason in `absent` beside it. A newer MINOR only adds optional fields.\n"
    )
    models = {"CapabilityProfile": whole, **{name: whole["$defs"][name] for name in sorted(whole["$defs"])}}
    return text + "".join(_model(name, model) for name, model in models.items())


def _model(name: str, model: dict[str, Any]) -> str:
    text = f"\n## {name}\n\n{escape(model.get('description', '').partition(chr(10) * 2)[0])}\n\n"
    if "enum" in model:
        return text + "One of " + ", ".join(f"`{value}`" for value in model["enum"]) + ".\n"
    required = model.get("required", [])
    return text + table(
        ("field", "type", "required", "meaning"),
        (
            (
                f"`{field}`",
                escape(_type(spec)),
                "yes" if field in required else "",
                escape(spec.get("description", "")),
            )
            for field, spec in model.get("properties", {}).items()
        ),
    )


def _type(spec: dict[str, Any]) -> str:
    if "$ref" in spec:
        return str(spec["$ref"]).rpartition("/")[2]
    if "anyOf" in spec:
        return " or ".join(dict.fromkeys(_type(part) for part in spec["anyOf"]))
    if "enum" in spec or "const" in spec:
        return " or ".join(f'"{value}"' for value in spec.get("enum", [spec.get("const")]))
    if spec.get("type") == "array":
        return f"list of {_type(spec.get('items', {}))}"
    if spec.get("type") == "object" and isinstance(spec.get("additionalProperties"), dict):
        return f"object of {_type(spec['additionalProperties'])}"
    return str(spec.get("type", "any"))


def plan_inputs() -> str:
    """Every number of the computing model with its status and source, and what the other layers change."""
    base = load(["base"]).parameters
    known = dict(leaves(base))
    text = "# Inputs of the computing model\n\nAny of them can be set by `--set KEY=VALUE` or in a file; see {doc}`../how-to/plan`.\n"
    text += "\n## Base\n\n" + table(("key", "value", "status", "source"), _inputs(known, base))
    for name, says in described():
        if name == "base":
            continue
        text += f"\n## {name}\n\n{escape(says)}.\n\n"
        alone = name == "cms-2017"
        changed = load([name] if alone else ["base", name]).parameters
        found = dict(leaves(changed))
        rows = {key: value for key, value in found.items() if known.get(key) != value}
        if not alone:
            text += table(("key", "value", "status", "source"), _inputs(rows, changed))
    return text


def _inputs(rows: dict[str, float], parameters: Parameters) -> Iterator[tuple[str, ...]]:
    for key, value in rows.items():
        entry = provenance_of(key, parameters.provenance)
        status, source = (entry.status, escape(entry.source)) if entry else ("", "")
        yield f"`{key}`", f"{value:.12g}", status, source


PAGES = {
    "checks.md": checks,
    "probes.md": probes,
    "configuration.md": configuration,
    "service-configuration.md": service_configuration,
    "exit-codes.md": exit_codes,
    "schema.md": schema,
    "plan-inputs.md": plan_inputs,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check name those that do not match the code."""
    drifted = []
    for name, page in PAGES.items():
        text = HEAD + page().rstrip() + "\n"
        path = FOLDER / name
        if "--check" not in arguments:
            path.write_text(text, "utf-8")
        elif not path.is_file() or path.read_text("utf-8") != text:
            drifted.append(name)
    if drifted:
        print(
            f"docs/reference: {', '.join(drifted)} do not match the code: run `make generate` and commit",
            file=sys.stderr,
        )
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
