"""Where the configuration comes from, and whether its file has changed since it was read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.config import LAYERS, Config, ConfigError, check_against_catalogue, load
from agent.select import UnknownProbeError, choose
from probes.registry import RegistryError, all_probes, catalogue
from probes.spec import Probe

Stamp = tuple[int, int, int] | None


class Setting(NamedTuple):
    """What the daemon works by."""

    config: Config
    probes: tuple[Probe, ...]


class Source:
    """The layers of the configuration.

    Args:
        flags: dotted key → value of the command line.
        path: file named there, or None.
        arguments: the same as arguments for another command of the agent.
        environment: of the process.
    """

    def __init__(
        self,
        flags: Mapping[str, Any],
        path: Path | None,
        arguments: Sequence[str],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.arguments = list(arguments)
        self._flags = flags
        self._path = path
        self._environment = environment
        self._stamp: Stamp = None

    def read(self) -> Setting:
        """Read and check it all.

        Raises:
            ConfigError: it cannot be used.
        """
        self._stamp = self._file_stamp()
        try:
            probes = all_probes()
            config = load(self._flags, self._environment, self._path).config
            check_against_catalogue(config, catalogue(probes))
            for name in config.daemon.periods_s:
                choose(probes, [name])
            chosen = choose(probes, config.daemon.probes)
        except RegistryError as error:
            raise ConfigError(str(error)) from error
        except UnknownProbeError as error:
            raise ConfigError(f"daemon.probes and daemon.periods_s: {error}") from error
        return Setting(config, chosen)

    def has_changed(self) -> bool:
        """Whether the file is another than when it was read; a ConfigMap is changed by moving a link."""
        return self._file_stamp() != self._stamp

    def _file_stamp(self) -> Stamp:
        named = self._environment.get(LAYERS.file_variable)
        chosen = self._path or (Path(named) if named else None)
        places = LAYERS.default_paths(self._environment) if chosen is None else (chosen,)
        for place in places:
            try:
                status = place.stat()
            except OSError:
                continue
            return status.st_ino, status.st_mtime_ns, status.st_size
        return None
