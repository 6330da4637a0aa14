"""Event sets: made by the simulation, or mapped from a cache that is checked before it is believed."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from payloads import compiled
from payloads.arrays import Array, Arrays
from payloads.errors import PayloadError
from payloads.store import Held, MissingSetError, NotOursError, Store, StoreError, digest_of


@dataclass(frozen=True)
class EventKey:
    """Which events: everything that decides their bits, but the simulation's own version."""

    section: str
    pile_up: float
    seed: int
    count: int

    @property
    def name(self) -> str:
        """Its name in a store."""
        return (
            f"events-{self.section}-v{simulation_version()}-pu{self.pile_up:g}-seed{self.seed}-n{self.count}"
        )


@dataclass(frozen=True)
class Events:
    """Events and where they are.

    Attributes:
        arrays: mapped or in memory.
        digest: BLAKE2b of names, types, shapes and contents.
        size_bytes: of all columns.
        directory: where other processes can map them; None = nowhere could they be kept.
        origin: `cache` or `made`.
        said: what an admin should know: a damaged cache, no place to keep them.
    """

    arrays: Mapping[str, Array]
    digest: str
    size_bytes: int
    directory: Path | None
    origin: str
    said: tuple[str, ...]


@functools.cache
def simulation_version() -> int:
    """Of the compiled simulation.

    Raises:
        NotBuiltError: it was not compiled.
    """
    return int(compiled.simulation().version)


@functools.cache
def maker() -> str:
    """Version and build of the simulation: what another build made is not taken for ours."""
    place = importlib.util.find_spec("payloads._simulation")
    if place is None or place.origin is None:
        return f"sitecap-simulation {simulation_version()}"
    with Path(place.origin).open("rb") as file:
        build = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8))
    return f"sitecap-simulation {simulation_version()} {build.hexdigest()}"


def make(key: EventKey, threads: int = 1) -> dict[str, Array]:
    """Simulate the events, several at a time: an event is the same whoever makes it.

    Raises:
        NotBuiltError: the simulation was not compiled.
        PayloadError: it has no such section or refuses the numbers.
    """

    def one(event: int) -> dict[str, Array]:
        return compiled.simulate(key.section, key.pile_up, key.seed, event, 1)

    try:
        with ThreadPoolExecutor(max(1, min(threads, key.count))) as pool:
            return join(list(pool.map(one, range(key.count))))
    except ValueError as error:
        raise PayloadError(f"the events cannot be made: {error}") from error


def join(parts: Sequence[Arrays]) -> dict[str, Array]:
    """Sets of events, one after another, as one: groups are joined, columns without offsets must be the same in all.

    Raises:
        ValueError: they are not sets of one section.
    """
    first = parts[0]
    if any(part.keys() != first.keys() for part in parts):
        raise ValueError("these sets of events do not have the same columns")
    groups = [name.removesuffix("_offset") for name in first if name.endswith("_offset")]
    joined: dict[str, Array] = {}
    for name, column in first.items():
        if name.endswith("_offset"):
            joined[name] = _joined_offsets([part[name] for part in parts])
        elif any(name.startswith(f"{group}_") for group in groups):
            joined[name] = np.concatenate([part[name] for part in parts])
        elif all(np.array_equal(part[name], column) for part in parts[1:]):
            joined[name] = column
        else:
            raise ValueError(f"column {name} belongs to all events, but differs between them")
    return joined


def _joined_offsets(offsets: Sequence[Array]) -> Array:
    ends = [0]
    pieces = [np.zeros(1, np.int64)]
    for offset in offsets:
        pieces.append(offset[1:].astype(np.int64) + ends[-1])
        ends.append(ends[-1] + int(offset[-1]))
    if ends[-1] > np.iinfo(np.int32).max:
        raise ValueError("these events are too many for one set: ask for fewer")
    return np.concatenate(pieces).astype(np.int32)


def get_or_make(key: EventKey, stores: Sequence[Store], threads: int = 1) -> Events:
    """The events, from the first store that has them whole, else made now and kept in the first that takes them.

    Raises:
        NotBuiltError: the simulation was not compiled.
        PayloadError: it cannot make them.
    """
    held, said = look_up(key.name, stores)
    if held is not None:
        return Events(held.arrays, held.digest, held.size_bytes, held.directory, "cache", said)
    arrays = make(key, threads)
    kept, more = keep(key.name, arrays, {"events": key.count}, stores)
    said = (*said, *more)
    if kept is not None:
        return Events(kept.arrays, kept.digest, kept.size_bytes, kept.directory, "made", said)
    size = sum(column.nbytes for column in arrays.values())
    return Events(arrays, digest_of(arrays), size, None, "made", said)


def look_up(name: str, stores: Sequence[Store]) -> tuple[Held | None, tuple[str, ...]]:
    """The set from the first store that has it whole; what was damaged is removed and said."""
    said: list[str] = []
    for store in stores:
        try:
            return store.get(name), tuple(said)
        except MissingSetError:
            continue
        except NotOursError as error:
            said.append(str(error))
        except OSError as error:
            said.append(f"nothing can be read from {store.directory}: {error.strerror}")
        except StoreError as error:
            said.append(f"{error}; made again")
            store.remove(name)
    return None, tuple(said)


def keep(
    name: str, arrays: Arrays, about: Mapping[str, Any], stores: Sequence[Store]
) -> tuple[Held | None, tuple[str, ...]]:
    """Keep the set in the first store that takes it; the sentences say which did not, and why."""
    said: list[str] = []
    for store in stores:
        try:
            return store.put(name, arrays, about), tuple(said)
        except (StoreError, OSError) as error:
            said.append(str(error))
    if not stores:
        said.append("there is no place to keep events in")
    return None, tuple(said)


def default_place(environment: Mapping[str, str]) -> Path:
    """Where sets are kept: a batch slot's scratch, else `$XDG_CACHE_HOME/sitecap`, else `~/.cache/sitecap`.

    A slot's scratch is local and goes away with the job; a home may be shared by a whole site.
    """
    for variable in ("_CONDOR_SCRATCH_DIR", "SLURM_TMPDIR", "OSG_WN_TMP"):
        if environment.get(variable):
            return Path(environment[variable]) / f"sitecap-{os.getuid()}"
    in_slot = any(name in environment for name in ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "GLIDEIN_Site"))
    if in_slot and environment.get("TMPDIR"):
        return Path(environment["TMPDIR"]) / f"sitecap-{os.getuid()}"
    cache = environment.get("XDG_CACHE_HOME")
    if cache and cache.startswith("/"):
        return Path(cache) / "sitecap"
    return Path(environment.get("HOME") or "/") / ".cache" / "sitecap"
