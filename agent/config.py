"""The agent's configuration: TOML file < environment < flags, and where each value came from."""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from probes.settings import Settings
from probes.spec import Check, Probe

ENV_PREFIX = "SITECAP_"
FILE_ENV = "SITECAP_CONFIG"
MAX_FILE_BYTES = 1024 * 1024
_NOT_SETTINGS = {FILE_ENV}
_OF_THE_SERVICE = "SITECAP_CAPACITY_"
"""Variables of `capacity`, which may run on the same machine."""


class ConfigError(Exception):
    """The configuration cannot be used; the text names the key, the place, and the remedy."""


class BenchSettings(BaseModel):
    """Settings of `agent bench`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cache_directory: str | None = Field(
        default=None,
        description="where event sets are kept; unset = the batch slot's scratch, else $XDG_CACHE_HOME/sitecap",
    )
    cache_max_bytes: int = Field(
        default=4 * 1024**3,
        ge=0,
        description="bound on the event sets kept; the least recently used make room",
    )
    memory_per_copy_bytes: int = Field(
        default=2 * 1024**3, ge=64 * 1024**2, description="private memory that one copy of a kernel may have"
    )


class Config(Settings):
    """Settings of probing, and those of the agent itself."""

    budget_s: float = Field(default=60.0, gt=0, le=3600, description="bound on a whole run of the probes")
    lock_wait_s: float = Field(
        default=30.0, ge=0, le=3600, description="how long to wait for another run on this node"
    )
    identify: bool = Field(default=False, description="put the host name into the profile")
    bench: BenchSettings = Field(default_factory=BenchSettings)


class Value(NamedTuple):
    """One effective setting."""

    key: str
    value: Any
    origin: str


class Loaded(NamedTuple):
    """The checked configuration, and every value with its origin."""

    config: Config
    values: tuple[Value, ...]


def default_paths(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a configuration file is looked for, in order: the user's, then the machine's."""
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", "/"), ".config")  # noqa: PTH118
    return (Path(home) / "sitecap" / "agent.toml", Path("/etc/sitecap/agent.toml"))


def load(flags: Mapping[str, Any], environment: Mapping[str, str], path: Path | None = None) -> Loaded:
    """Merge the three layers and check the result.

    Args:
        flags: dotted key → value of the flags that were given.
        environment: of the process; SITECAP_DISK__SCRATCH_PATH sets disk.scratch_path.
        path: file named by --config; None = $SITECAP_CONFIG, else the first of `default_paths` that exists.

    Raises:
        ConfigError: file missing or not TOML, unknown key, wrong type.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    chosen = path or (Path(environment[FILE_ENV]) if environment.get(FILE_ENV) else None)
    if chosen is None:
        chosen = next((place for place in default_paths(environment) if place.is_file()), None)
    if chosen is not None:
        _merge(merged, origins, _flatten(_read(chosen)), str(chosen))
    _merge(merged, origins, _from_environment(environment), "environment")
    _merge(merged, origins, flags.items(), "flag")
    for key, origin in origins.items():
        _check_key(key, origin)
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_sentence(error, origins)) from error
    return Loaded(config, tuple(_values(config, origins)))


def check_against_catalogue(config: Config, catalogue: Mapping[str, tuple[Probe, Check]]) -> None:
    """Refuse thresholds and skips of checks that do not exist, and thresholds of the wrong type.

    Raises:
        ConfigError: naming the key and the nearest right one.
    """
    for check_id in [*config.thresholds, *config.skip_checks]:
        if check_id not in catalogue:
            raise ConfigError(
                f"there is no check {check_id!r}{_nearest(check_id, catalogue)}; see `agent probe --list`"
            )
    for check_id, named in config.thresholds.items():
        bounds = {bound.name: bound for bound in catalogue[check_id][1].bounds}
        for name, value in named.items():
            key = f"thresholds.{check_id}.{name}"
            if name not in bounds:
                raise ConfigError(f"{key}: {check_id} has no threshold {name!r}{_nearest(name, bounds)}")
            number = isinstance(bounds[name].default, int | float)
            if not (_is_number(value) if number else isinstance(value, str)):
                kind = "a number" if number else "text"
                raise ConfigError(f"{key}: needs {kind}, got {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()[: MAX_FILE_BYTES + 1]
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: name an existing file with --config") from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(
            f"{path}: larger than {MAX_FILE_BYTES} bytes: this is not a configuration of the agent"
        )
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


_OPEN_TABLES = ("thresholds", "skip_checks")


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    known = {name for name, _ in _leaves(Config)} - set(_OPEN_TABLES)
    for key, value in table.items():
        # A table that is a setting itself (repository = path) is taken whole: its keys may have dots.
        if isinstance(value, dict) and f"{prefix}{key}" not in known:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def parse_assignment(text: str) -> tuple[str, Any]:
    """KEY=VALUE of a flag: the value as TOML, or as it stands where text is wanted or it is no TOML.

    Raises:
        ConfigError: there is no "=".
    """
    key, equals, value = text.partition("=")
    if not (equals and key.strip()):
        raise ConfigError(f"flag --set {text!r}: give it as KEY=VALUE, e.g. cvmfs.proxies=http://squid:3128")
    return key.strip(), _typed(key.strip(), value)


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name in sorted(environment):
        if name in _NOT_SETTINGS or name.startswith(_OF_THE_SERVICE):
            continue
        if name.startswith(ENV_PREFIX):
            key = name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            table, *inner = key.split(".")
            if table in _OPEN_TABLES and inner:
                # A variable's name has no hyphen: THRESHOLDS__CPU_01__… speaks of check CPU-01.
                key = ".".join([table, inner[0].upper().replace("_", "-"), *inner[1:]])
            yield key, _typed(key, environment[name])


def _typed(key: str, text: str) -> Any:  # noqa: ANN401 - whatever TOML can say
    field = next((value for name, value in _leaves(Config) if name == key), None)
    if field is not None and field in (str, str | None):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _merge(merged: dict[str, Any], origins: dict[str, str], layer: Any, origin: str) -> None:  # noqa: ANN401
    for key, value in layer:
        table = merged
        *parents, last = key.split(".")
        for parent in parents:
            found = table.setdefault(parent, {})
            if not isinstance(found, dict):
                raise ConfigError(f"{parent} (from {origin}) is a value, not a table, so {key} cannot be set")
            table = found
        table[last] = value
        origins[key] = origin


def _leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _leaves(annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", annotation


def _check_key(key: str, origin: str) -> None:
    known = [name for name, _ in _leaves(Config)]
    if key in known or key.split(".", maxsplit=1)[0] in _OPEN_TABLES:
        return
    shown = f"{ENV_PREFIX}{key.upper().replace('.', '__')}" if origin == "environment" else key
    raise ConfigError(
        f"{origin}: there is no setting {shown!r}{_nearest(key, known)}; see `agent config show`"
    )


def _nearest(word: str, known: Any) -> str:  # noqa: ANN401 - any iterable of names
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _sentence(error: ValidationError, origins: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    origin = next(
        (origins[name] for name in origins if key.startswith(name) or name.startswith(key)), "configuration"
    )
    return f"{origin}: {key}: {first['msg'].removeprefix('Value error, ')} (got {first['input']!r:.80})"


def _values(config: Config, origins: Mapping[str, str]) -> Iterator[Value]:
    dumped = dict(_flatten(config.model_dump(mode="json")))
    names = [name for name, _ in _leaves(Config) if name not in _OPEN_TABLES]
    opened = sorted(key for key in dumped if key.split(".")[0] in _OPEN_TABLES)
    for key in [*names, *opened]:
        yield Value(key, dumped.get(key), origins.get(key, "default"))
