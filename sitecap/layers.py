"""Settings in layers: TOML file < environment < flags, and where each value came from."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

Settings = TypeVar("Settings", bound=BaseModel)

MAX_FILE_BYTES = 1024 * 1024
_TEXT = (str, str | None, SecretStr, SecretStr | None)


class Value(NamedTuple):
    """One effective setting; secrets are masked."""

    key: str
    value: Any
    origin: str


class Loaded(NamedTuple, Generic[Settings]):
    """The checked configuration, and every value with its origin."""

    config: Settings
    values: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True)
class Layers(Generic[Settings]):
    """How one program is configured.

    Attributes:
        model: all settings with their defaults.
        error: what is raised; its text names the key, the place and the remedy.
        program: ``agent``; its file is ``agent.toml``.
        env_prefix: ``SITECAP_``; ``SITECAP_DISK__SCRATCH_PATH`` sets ``disk.scratch_path``, ``SITECAP_CONFIG`` names
            the file.
        not_ours: prefixes of variables of another program.
        open_tables: settings whose keys are names that the model does not know, such as the codes of checks. A variable's
            name has no hyphen: ``THRESHOLDS__CPU_01__…`` speaks of ``CPU-01``.
        private: beginnings of keys whose values are not repeated on a screen.
    """

    model: type[Settings]
    error: type[Exception]
    program: str
    env_prefix: str
    not_ours: tuple[str, ...] = ()
    open_tables: tuple[str, ...] = ()
    private: tuple[str, ...] = ()

    @property
    def file_variable(self) -> str:
        """The variable that names the file."""
        return f"{self.env_prefix}CONFIG"

    def default_paths(self, environment: Mapping[str, str]) -> tuple[Path, ...]:
        """Where a configuration file is looked for, in order: the user's, then the machine's."""
        home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", "/"), ".config")  # noqa: PTH118
        name = f"{self.program}.toml"
        return (Path(home) / "sitecap" / name, Path("/etc/sitecap") / name)

    def load(
        self, flags: Mapping[str, Any], environment: Mapping[str, str], path: Path | None
    ) -> Loaded[Settings]:
        """Merge the three layers and check the result.

        Args:
            flags: dotted key → value of the flags that were given.
            environment: of the process.
            path: file named by --config; None = `file_variable`, else the first of `default_paths` that exists.

        Raises:
            Exception: `error`; file missing or not TOML, unknown key, wrong type.
        """
        merged: dict[str, Any] = {}
        origins: dict[str, str] = {}
        named = environment.get(self.file_variable)
        chosen = path or (Path(named) if named else None)
        if chosen is None:
            # Not Path.is_file, which raises where a home cannot be entered, as for daemons that inherit root's HOME.
            chosen = next((place for place in self.default_paths(environment) if os.path.isfile(place)), None)  # noqa: PTH113
        if chosen is not None:
            self._merge(merged, origins, self._flatten(self._read(chosen)), str(chosen))
        self._merge(merged, origins, self._from_environment(environment), "environment")
        self._merge(merged, origins, flags.items(), "flag")
        for key, origin in origins.items():
            self._check_key(key, origin)
        try:
            config = self.model.model_validate(merged)
        except ValidationError as error:
            raise self.error(self._sentence(error, origins)) from None
        return Loaded(config, tuple(self._values(config, origins)))

    def assignment(self, text: str, example: str) -> tuple[str, Any]:
        """KEY=VALUE of a flag: the value as TOML, or as it stands where text is wanted or it is no TOML.

        Raises:
            Exception: `error`; there is no "=".
        """
        key, equals, value = text.partition("=")
        if not (equals and key.strip()):
            raise self.error(f"flag --set {text!r}: give it as KEY=VALUE, e.g. {example}")
        return key.strip(), self._typed(key.strip(), value)

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise self.error(f"{path}: {error.strerror}: name an existing file with --config") from error
        if len(data) > MAX_FILE_BYTES:
            raise self.error(
                f"{path}: larger than {MAX_FILE_BYTES} bytes: this is not a configuration of {self.program}"
            )
        try:
            return tomllib.loads(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise self.error(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise self.error(f"{path}: not TOML: {error}") from error

    def _flatten(self, table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
        known = {name for name, _ in leaves(self.model)} - set(self.open_tables)
        for key, value in table.items():
            # A table that is a setting itself (repository = path) is taken whole: its keys may have dots.
            if isinstance(value, dict) and f"{prefix}{key}" not in known:
                yield from self._flatten(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    def _from_environment(self, environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
        for name in sorted(environment):
            if not name.startswith(self.env_prefix) or name == self.file_variable:
                continue
            if name.startswith(self.not_ours):
                continue
            key = name.removeprefix(self.env_prefix).lower().replace("__", ".")
            table, *inner = key.split(".")
            if table in self.open_tables and inner:
                key = ".".join([table, inner[0].upper().replace("_", "-"), *inner[1:]])
            yield key, self._typed(key, environment[name])

    def _typed(self, key: str, text: str) -> Any:  # noqa: ANN401 - whatever TOML can say
        """The value as TOML, or as it stands where text is wanted or it is no TOML."""
        annotation = next((value for name, value in leaves(self.model) if name == key), None)
        if annotation in _TEXT:
            return text
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text

    def _merge(
        self, merged: dict[str, Any], origins: dict[str, str], layer: Iterable[tuple[str, Any]], origin: str
    ) -> None:
        for key, value in layer:
            table = merged
            *parents, last = key.split(".")
            for parent in parents:
                found = table.setdefault(parent, {})
                if not isinstance(found, dict):
                    raise self.error(
                        f"{parent} (from {origin}) is a value, not a table, so {key} cannot be set"
                    )
                table = found
            table[last] = value
            origins[key] = origin

    def _check_key(self, key: str, origin: str) -> None:
        known = [name for name, _ in leaves(self.model)]
        if key in known or key.split(".", maxsplit=1)[0] in self.open_tables:
            return
        shown = f"{self.env_prefix}{key.upper().replace('.', '__')}" if origin == "environment" else key
        raise self.error(
            f"{origin}: there is no setting {shown!r}{nearest(key, known)}; see `{self.program} config show`"
        )

    def _sentence(self, error: ValidationError, origins: Mapping[str, str]) -> str:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        origin = next(
            (origins[name] for name in origins if key.startswith(name) or (key and name.startswith(key))),
            "configuration",
        )
        repeated = f" (got {first['input']!r:.80})" if self._may_be_repeated(key, first["input"]) else ""
        return f"{origin}: {key}: {first['msg'].removeprefix('Value error, ')}{repeated}"

    def _may_be_repeated(self, key: str, given: object) -> bool:
        """Where something is private, a table may hold it, too."""
        if not self.private:
            return True
        return isinstance(given, int | float | str) and not key.startswith(self.private)

    def _values(self, config: Settings, origins: Mapping[str, str]) -> Iterator[Value]:
        dumped = dict(self._flatten(config.model_dump(mode="json")))
        names = [name for name, _ in leaves(self.model) if name not in self.open_tables]
        opened = sorted(key for key in dumped if key.split(".")[0] in self.open_tables)
        for key in [*names, *opened]:
            yield Value(key, dumped.get(key), origins.get(key, "default"))


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and annotation of every setting of a model."""
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from leaves(annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", annotation


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: "; did you mean …?" if something known is like it, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
