"""Run this agent inside a container of an admin's host: what does a container get of what the host has?

Podman and Docker are asked through their common API (`agent.engine_api`), Apptainer through its command
line. The image needs no Python: the agent brings everything (`agent.portable`). Nothing is pulled, the
container is removed whatever happens.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent import engine_api
from agent.engine import ENGINES, EngineError
from agent.portable import PortableAgent, PortableError, build
from probes.errors import HostError
from probes.host import Host
from probes.live import LiveDoor
from probes.settings import Settings
from profiles.profile import CapabilityProfile
from profiles.reading import MAX_PROFILE_BYTES, ProfileError, read_profile

__all__ = ["EngineError", "probe_in_container"]

CONFIG_INSIDE = "/.sitecap.toml"
DEFAULT_TIMEOUT_S = 120.0


def probe_in_container(
    engine: str,
    image: str,
    arguments: Sequence[str] = (),
    *,
    settings: Settings | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    cache_dir: Path | None = None,
) -> CapabilityProfile:
    """The profile that `agent probe ARGUMENTS --json` makes inside a container of `image`.

    Args:
        engine: one of `ENGINES`.
        image: as the engine names it; it has to be on this machine.
        arguments: further arguments of `agent probe`, such as names of probes.
        settings: the effective settings, if they are not the defaults; mounted read-only as a TOML file.
        timeout_s: bound on the whole stay of the container.
        cache_dir: where the agent's copies are staged; None = below XDG_CACHE_HOME.

    Raises:
        EngineError: the engine cannot be reached, the image is not here, the agent does not start or end in
            it, or what it printed is no profile. One sentence.
    """
    if engine not in ENGINES:
        raise EngineError(f"there is no container engine {engine!r}: choose one of {', '.join(ENGINES)}")
    cache = cache_dir or default_cache_dir()
    try:
        carried = build(cache)
    except PortableError as error:
        raise EngineError(str(error)) from error
    mounts = [(str(mount.source), mount.target) for mount in carried.mounts]
    argv = [*carried.argv, "probe", "--json", *arguments]
    with _config_file(settings, cache) as config:
        if config is not None:
            mounts.append((str(config), CONFIG_INSIDE))
            argv += ["--config", CONFIG_INSIDE]
        if engine == "apptainer":
            code, output, complaint = _apptainer(image, argv, mounts, carried, timeout_s)
        else:
            code, output, complaint = engine_api.run(engine, image, argv, mounts, carried.env, timeout_s)
    return _profile(engine, image, code, output, complaint)


@contextlib.contextmanager
def _config_file(settings: Settings | None, cache: Path) -> Iterator[Path | None]:
    """The settings as a file that any user in a container can read, in a folder that is only ours."""
    table = (
        {} if settings is None else settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    )
    if not table:
        yield None
        return
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=cache, prefix=".config-", suffix=".toml", encoding="utf-8"
        ) as file:
            file.write(to_toml(table))
            file.flush()
            Path(file.name).chmod(0o644)
            yield Path(file.name)
    except OSError as error:
        raise EngineError(
            f"cannot write the container's configuration into {cache}: {error.strerror}"
        ) from error


def to_toml(table: Mapping[str, Any]) -> str:
    """A JSON-like table as TOML 1.0, one line a key."""
    return "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in table.items())


def _toml(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    # JSON's strings are TOML's basic strings, but for DEL and the surrogate pairs of ASCII-only JSON.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def default_cache_dir() -> Path:
    """The agent's private cache directory by the XDG base directory specification."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification wants a relative path ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "sitecap"


def _apptainer(
    image: str,
    argv: Sequence[str],
    mounts: Sequence[tuple[str, str]],
    carried: PortableAgent,
    timeout_s: float,
) -> tuple[int, bytes, str]:
    host = Host(LiveDoor())
    program = host.which("apptainer") or host.which("singularity")
    if program is None:
        raise EngineError(
            "neither apptainer nor singularity is on PATH: install it, or add its directory to PATH"
        )
    if "://" in image:
        raise EngineError(
            f"{image} is not on this machine; pull it first: apptainer pull {image}, and name the file"
        )
    options = [option for source, target in mounts for option in ("--bind", f"{source}:{target}:ro")]
    options += [option for name, value in carried.env.items() for option in ("--env", f"{name}={value}")]
    try:
        done = host.run(
            [program, "exec", *options, "--", image, *argv],
            timeout_s=timeout_s,
            limit_bytes=MAX_PROFILE_BYTES + 1,
        )
    except HostError as error:
        if error.errno_name == "ETIMEDOUT":
            raise EngineError(engine_api.late(image, timeout_s)) from error
        raise EngineError(f"{program} in {image}: {error.text}") from error
    return done.returncode, done.stdout.encode(), done.stderr


def _profile(engine: str, image: str, code: int, output: bytes, complaint: str) -> CapabilityProfile:
    try:
        return read_profile(output)
    except ProfileError as error:
        lines = [line.strip() for line in complaint.splitlines() if line.strip()]
        said = next((line for line in lines if "FATAL" in line), lines[-1] if lines else "")
        if not output.strip():
            what = said[:300] or "it said nothing"
            raise EngineError(
                f"the agent cannot start in {image} by {engine} (exit status {code}): {what}"
            ) from error
        raise EngineError(f"what the agent printed in {image} by {engine} is no profile: {error}") from error
