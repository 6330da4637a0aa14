"""The service's configuration: TOML file < environment < flags, and where each value came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from capacity.errors import BadInputError
from capacity.settings import Config
from sitecap import layers
from sitecap.layers import Layers

ENV_PREFIX = "SITECAP_CAPACITY_"


class ConfigError(BadInputError):
    """The configuration cannot be used; the text names the key, the place, and the remedy."""


Loaded = layers.Loaded[Config]
"""The checked configuration, and every value with its origin."""

LAYERS = Layers(
    model=Config, error=ConfigError, program="capacity", env_prefix=ENV_PREFIX, private=("database.",)
)


def load(flags: Mapping[str, Any], environment: Mapping[str, str], path: Path | None = None) -> Loaded:
    """Merge the three layers and check the result; see `Layers.load`.

    Raises:
        ConfigError: file missing or not TOML, unknown key, wrong type.
    """
    return LAYERS.load(flags, environment, path)


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
