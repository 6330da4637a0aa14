"""The service's configuration: TOML file < environment < flags, and where each value came from."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import BaseModel, SecretStr, ValidationError

from capacity.errors import BadInputError
from capacity.settings import Config

ENV_PREFIX = "SITECAP_CAPACITY_"
FILE_ENV = "SITECAP_CAPACITY_CONFIG"
MAX_FILE_BYTES = 1024 * 1024


class ConfigError(BadInputError):
    """The configuration cannot be used; the text names the key, the place, and the remedy."""


class Value(NamedTuple):
    """One effective setting; secrets are masked."""

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
    return (Path(home) / "sitecap" / "capacity.toml", Path("/etc/sitecap/capacity.toml"))


def load(flags: Mapping[str, Any], environment: Mapping[str, str], path: Path | None = None) -> Loaded:
    """Merge the three layers and check the result.

    Args:
        flags: dotted key → value of the flags that were given.
        environment: of the process; SITECAP_CAPACITY_SERVER__PORT sets server.port.
        path: file named by --config; None = $SITECAP_CAPACITY_CONFIG, else the first of `default_paths`
            that exists.

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
    known = [name for name, _ in _leaves(Config)]
    for key, origin in origins.items():
        if key not in known:
            raise ConfigError(_unknown(key, origin, known))
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_sentence(error, origins)) from None
    return Loaded(config, tuple(_values(config, origins)))


def data_directory(config: Config, environment: Mapping[str, str]) -> Path:
    """Where SQLite and the archive are kept.

    Raises:
        ConfigError: neither the setting nor a home directory says where.
    """
    if config.data_directory:
        return Path(config.data_directory)
    home = environment.get("HOME")
    base = environment.get("XDG_DATA_HOME") or (os.path.join(home, ".local", "share") if home else None)  # noqa: PTH118
    if base is None:
        raise ConfigError(
            "data_directory is not set and there is no HOME: set data_directory or database.url"
        )
    return Path(base) / "sitecap"


def database_url(config: Config, environment: Mapping[str, str]) -> str:
    """URL of the database; a SQLite file in the data directory unless database.url says otherwise.

    Raises:
        ConfigError: there is no place for the file.
    """
    if config.database.url is not None:
        return config.database.url.get_secret_value()
    return f"sqlite:///{quote(str((data_directory(config, environment) / 'capacity.db').absolute()))}"


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: name an existing file with --config") from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(
            f"{path}: larger than {MAX_FILE_BYTES} bytes: this is not a configuration of the service"
        )
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name in sorted(environment):
        if name.startswith(ENV_PREFIX) and name != FILE_ENV:
            key = name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            yield key, _typed(key, environment[name])


def _typed(key: str, text: str) -> Any:  # noqa: ANN401 - whatever TOML can say
    """The value as TOML, or as it stands where text is wanted or it is no TOML."""
    annotation = next((value for name, value in _leaves(Config) if name == key), None)
    if annotation in (str, str | None, SecretStr | None):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _merge(
    merged: dict[str, Any], origins: dict[str, str], layer: Iterable[tuple[str, Any]], origin: str
) -> None:
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


def _unknown(key: str, origin: str, known: list[str]) -> str:
    shown = f"{ENV_PREFIX}{key.upper().replace('.', '__')}" if origin == "environment" else key
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    nearest = f"; did you mean {close[0]!r}?" if close else ""
    return f"{origin}: there is no setting {shown!r}{nearest}; see `capacity config show`"


def _sentence(error: ValidationError, origins: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    origin = next(
        (origins[name] for name in origins if key.startswith(name) or (key and name.startswith(key))),
        "configuration",
    )
    # Only plain values are repeated: a table may hold what nobody should read on a screen.
    given = first["input"]
    repeated = (
        f" (got {given!r:.80})" if isinstance(given, int | float | bool) or _harmless(key, given) else ""
    )
    return f"{origin}: {key}: {first['msg'].removeprefix('Value error, ')}{repeated}"


def _harmless(key: str, given: object) -> bool:
    return isinstance(given, str) and not key.startswith("database.")


def _values(config: Config, origins: Mapping[str, str]) -> Iterator[Value]:
    dumped = dict(_flatten(config.model_dump(mode="json")))
    for key, _ in _leaves(Config):
        yield Value(key, dumped.get(key), origins.get(key, "default"))
