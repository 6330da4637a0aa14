"""Assumptions in layers: base < scenario < files of the user < single keys."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from computing_model.errors import ModelError
from computing_model.parameters import Parameters

MAX_FILE_BYTES = 1024 * 1024
MAX_LAYERS = 16
BASE = "base"


class Layer(NamedTuple):
    """One file or flag: its name as it is told, and what it sets."""

    name: str
    table: dict[str, Any]


class Loaded(NamedTuple):
    """Checked assumptions and what each layer set.

    Attributes:
        parameters: the whole.
        origins: dotted key of each leaf → name of the layer that set it last.
        layers: names, first to last.
    """

    parameters: Parameters
    origins: dict[str, str]
    layers: tuple[str, ...]


def shipped() -> tuple[str, ...]:
    """Names of the layers that come with the program."""
    folder = resources.files("computing_model") / "data" / "layers"
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    )


def described() -> Iterator[tuple[str, str]]:
    """Name of each shipped layer and the first sentence of its comment."""
    for name in shipped():
        text = (resources.files("computing_model") / "data" / "layers" / f"{name}.toml").read_text("utf-8")
        comment = " ".join(line.lstrip("# ") for line in text.splitlines()[:3] if line.startswith("#"))
        yield name, comment.partition(". ")[0].rstrip(".")


def assignments(texts: Iterable[str]) -> dict[str, Any]:
    """KEY=VALUE of flags: dotted key → value, as TOML where it is.

    Raises:
        ModelError: there is no "=".
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (equals and key.strip()):
            raise ModelError(f"flag --set {text!r}: give it as KEY=VALUE, e.g. reco.speedup=1.5")
        try:
            found[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key.strip()] = value
    return found


def named(name: str, sets: Mapping[str, Any] | None = None) -> Loaded:
    """A scenario by name, its layers joined by "+"; see `load`.

    Raises:
        ModelError: see `load`.
    """
    return load([part.strip() for part in name.split("+") if part.strip()], sets)


def load(names: Sequence[str | Path] = (), sets: Mapping[str, Any] | None = None) -> Loaded:
    """Assumptions of some layers.

    Args:
        names: shipped layers by name, or paths of TOML files; each may name others that it stands on by ``extends``.
        sets: dotted key → value, over all files.

    Raises:
        ModelError: a layer is not there or not TOML, layers stand on each other in a circle, a key is not known or its
            value is not possible.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    seen: list[str] = []
    for layer in _ordered([str(name) for name in names] or [BASE]):
        seen.append(layer.name)
        _merge(merged, layer.table, layer.name, origins, "")
    for key, value in (sets or {}).items():
        _set(merged, key, value)
        origins[key] = "flag"
    try:
        parameters = Parameters.model_validate(merged)
    except ValidationError as error:
        raise ModelError(_sentence(error, origins, merged)) from None
    return Loaded(parameters, origins, tuple(seen))


def _ordered(names: Iterable[str]) -> Iterator[Layer]:
    done: set[str] = set()
    for name in names:
        yield from _with_ground(name, (), done)


def _with_ground(name: str, above: tuple[str, ...], done: set[str]) -> Iterator[Layer]:
    if name in above:
        raise ModelError(
            f"layers stand on each other in a circle: {' → '.join([*above, name])}: remove one 'extends'"
        )
    if name in done:
        return
    if len(done) >= MAX_LAYERS:
        raise ModelError(f"{name}: more than {MAX_LAYERS} layers: put some into one file")
    table = _read(name)
    grounds = table.pop("extends", [])
    if not (isinstance(grounds, list) and all(isinstance(ground, str) for ground in grounds)):
        raise ModelError(f'{name}: extends: give a list of layers\' names or paths, e.g. ["baseline"]')
    for ground in grounds:
        path = (
            ground if ground in shipped() or not name.endswith(".toml") else str(Path(name).parent / ground)
        )
        yield from _with_ground(path, (*above, name), done)
    done.add(name)
    yield Layer(name, table)


def _read(name: str) -> dict[str, Any]:
    if name in shipped():
        data = (resources.files("computing_model") / "data" / "layers" / f"{name}.toml").read_bytes()
    elif not name.endswith(".toml"):
        close = difflib.get_close_matches(name, shipped(), n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"shipped are {', '.join(shipped())}"
        raise ModelError(f"there is no scenario {name!r}; {hint} (a file of yours ends in .toml)")
    else:
        try:
            with Path(name).open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise ModelError(f"{name}: {error.strerror}: name an existing file") from error
        if len(data) > MAX_FILE_BYTES:
            raise ModelError(f"{name}: larger than {MAX_FILE_BYTES} bytes: this is not a file of assumptions")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ModelError(f"{name}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ModelError(f"{name}: not TOML: {error}") from error


def _merge(
    into: dict[str, Any], table: Mapping[str, Any], origin: str, origins: dict[str, str], prefix: str
) -> None:
    """Tables are joined key by key; a curve (numbers by year or by pile-up) is replaced as a whole."""
    for key, value in table.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and not _is_curve(value):
            below = into.get(key)
            if below is not None and not isinstance(below, dict):
                raise ModelError(f"{origin}: {path} is a value, not a table")
            _merge(into.setdefault(key, {}), value, origin, origins, f"{path}.")
        else:
            into[key] = value
            origins[path] = origin


def _set(into: dict[str, Any], key: str, value: object) -> None:
    """One dotted key; of a curve it changes one point, of a list one entry."""
    *parents, last = key.split(".")
    table: Any = into
    for place, parent in enumerate(parents):
        listed = isinstance(table, list)
        table = table[_index(key, parent, table)] if listed else table.setdefault(parent, {})
        if not isinstance(table, dict | list):
            raise ModelError(
                f"flag: {'.'.join(parents[: place + 1])} is a value, not a table: {key} cannot be set"
            )
    if isinstance(table, list):
        table[_index(key, last, table)] = value
    else:
        table[last] = value


def _index(key: str, text: str, entries: list[Any]) -> int:
    if not (text.isdigit() and int(text) < len(entries)):
        raise ModelError(
            f"flag: {key}: the list has {len(entries)} entries, counted from 0; there is no {text!r}"
        )
    return int(text)


def _is_curve(table: Mapping[str, Any]) -> bool:
    return bool(table) and all(key.isdigit() for key in table)


def _sentence(error: ValidationError, origins: Mapping[str, str], merged: Mapping[str, Any]) -> str:
    first = error.errors(include_url=False)[0]
    # Pydantic names the branch of a union, too: "mc.run4.luminosity.offset_events".
    place = [str(part) for part in first["loc"]]
    if place[:1] == ["mc"] and len(place) > 2 and place[2] in ("luminosity", "data"):
        del place[2]
    key = ".".join(place)
    origin = next(
        (origins[name] for name in origins if key and (key.startswith(name) or name.startswith(key))), None
    )
    told = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        told = f"there is no such key{_nearest(place)}"
    elif first["type"] == "missing":
        told = "is missing" + _sibling(place, merged)
    elif isinstance(first["input"], int | float | str | bool):
        told += f" (got {first['input']!r:.80})"
    return ": ".join(part for part in (origin, key, told) if part)


def _sibling(place: Sequence[str], merged: Mapping[str, Any]) -> str:
    """A half-filled entry of a table of named things (a tier, a run) is mostly a name with a slip."""
    known = merged.get(place[0]) if len(place) > 2 else None
    others = [name for name in known if name != place[1]] if isinstance(known, dict) else []
    close = difflib.get_close_matches(place[1], others, n=1, cutoff=0.5) if others else []
    return f"; there is no {place[0]} {place[1]!r} yet: did you mean {close[0]!r}?" if close else ""


def _nearest(place: Sequence[str]) -> str:
    model: Any = Parameters
    for part in place[:-1]:
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            return ""
        model = fields[part].annotation
    close = difflib.get_close_matches(place[-1], list(getattr(model, "model_fields", {})), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
