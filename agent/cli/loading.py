"""Loading probes and configuration for a command, and turning domain errors into exit codes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.cli.options import fail
from agent.codes import NOT_FINISHED, USAGE
from agent.config import ConfigError, Loaded, check_against_catalogue, load
from agent.engine import EngineError
from agent.extras import ExtraError
from agent.sink import OutputError
from probes.errors import RecordingError
from probes.lock import LockError
from probes.registry import RegistryError, all_probes, catalogue
from probes.spec import Probe
from profiles.reading import ProfileError


@contextmanager
def sentences(*, as_json: bool = False) -> Iterator[None]:
    """Turn the errors of the rooms below into one sentence and the documented exit code."""
    try:
        yield
    except ConfigError as error:
        fail(USAGE, "configuration", str(error), as_json=as_json)
    except RegistryError as error:
        fail(USAGE, "registry", str(error), as_json=as_json)
    except RecordingError as error:
        fail(NOT_FINISHED, "recording", str(error), as_json=as_json)
    except EngineError as error:
        fail(NOT_FINISHED, "container", str(error), as_json=as_json)
    except OutputError as error:
        fail(NOT_FINISHED, "output", str(error), as_json=False)
    except ExtraError as error:
        fail(NOT_FINISHED, "installation", str(error), as_json=as_json)
    except LockError as error:
        fail(NOT_FINISHED, "lock", str(error), as_json=as_json)
    except ProfileError as error:
        fail(NOT_FINISHED, "profile", str(error), as_json=as_json)


def load_all(flags: Mapping[str, Any], config_path: Path | None) -> tuple[Loaded, tuple[Probe, ...]]:
    """The checked configuration and every probe there is."""
    probes = all_probes()
    loaded = load({key: value for key, value in flags.items() if value is not None}, os.environ, config_path)
    check_against_catalogue(loaded.config, catalogue(probes))
    return loaded, probes
