"""What kernels there are: every folder of `kernels/` with a manifest. Kernels are found, never listed."""

from __future__ import annotations

import difflib
import hashlib
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from payloads.errors import PayloadError
from payloads.parts import FOLDER

MAX_MANIFEST_BYTES = 256 * 1024
MAX_SOURCE_BYTES = 4 * 1024 * 1024


class ManifestError(PayloadError):
    """A manifest cannot be used; the text names the file, the key and the remedy."""


class UnknownKernelError(PayloadError):
    """There is no kernel of that name; the text suggests one."""


Finite = Annotated[float, Field(allow_inf_nan=False)]
PileUp = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, le=2**64 - 1)]
EventCount = Annotated[int, Field(ge=1, le=10_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EventChoice(_Strict):
    """Which simulated events: mean minimum-bias collisions a bunch crossing, seed, how many."""

    pile_up: PileUp
    seed: Seed
    count: EventCount


class ReferenceChoice(EventChoice):
    """Events that `reference.py` reconstructs too, and what may differ."""

    tolerance: Annotated[str, Field(min_length=1, max_length=1000)]


class SinglesChoice(EventChoice):
    """Events of single particles, which `physics.measure_singles` judges beside those of the benchmark."""

    section: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class PhysicsRange(_Strict):
    """What a metric of `physics.measure` or `physics.measure_singles` may be; both ends belong to it."""

    low: Finite
    high: Finite
    unit: Annotated[str, Field(max_length=40)] = "1"
    means: Annotated[str, Field(min_length=1, max_length=1000)]
    origin: Annotated[str, Field(min_length=1, max_length=1000)]

    def holds(self, value: float) -> bool:
        """Whether the value is a number within the range."""
        return math.isfinite(value) and self.low <= value <= self.high


class PublishedShare(_Strict):
    """What CMS says of the kernel's part in the time of its reconstruction."""

    value: Annotated[float, Field(gt=0, le=1)]
    source: Annotated[str, Field(min_length=1, max_length=1000)]


class Manifest(_Strict):
    """`manifest.toml` of a kernel folder."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    section: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    events: EventChoice
    reference: ReferenceChoice
    singles: SinglesChoice | None = None
    settings: dict[str, Finite] = Field(default_factory=dict)
    reconstruction: PublishedShare | None = None
    physics: Annotated[dict[str, PhysicsRange], Field(min_length=1)]

    @property
    def published_share(self) -> float | None:
        """Share of CMS's reconstruction time, 0 to 1; None = CMS publishes none."""
        return None if self.reconstruction is None else self.reconstruction.value


@dataclass(frozen=True)
class Kernel:
    """One kernel folder."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """Its name, which is also the folder's."""
        return self.manifest.name

    @cached_property
    def sources_digest(self) -> str:
        """BLAKE2b of everything in the folder that decides what is right: its Python modules and its manifest."""
        digest = hashlib.blake2b(digest_size=16)
        for path in sorted((*self.folder.glob("*.py"), self.folder / "manifest.toml")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes()[:MAX_SOURCE_BYTES] + b"\0")
        return digest.hexdigest()


def read_kernel(folder: Path) -> Kernel:
    """The kernel of one folder.

    Raises:
        ManifestError: the manifest is missing, too large, not TOML, or not a manifest.
    """
    path = folder / "manifest.toml"
    try:
        data = path.read_bytes()[: MAX_MANIFEST_BYTES + 1]
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}: install sitecap again") from error
    if len(data) > MAX_MANIFEST_BYTES:
        raise ManifestError(f"{path}: larger than {MAX_MANIFEST_BYTES} bytes: this is not a manifest")
    try:
        manifest = Manifest.model_validate(tomllib.loads(data.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ManifestError(f"{path}: {key}: {first['msg']} (got {first['input']!r:.80})") from error
    if manifest.name != folder.name:
        raise ManifestError(
            f"{path}: name is {manifest.name!r}, but the folder is {folder.name!r}: they must agree"
        )
    for metric, allowed in manifest.physics.items():
        if allowed.low > allowed.high:
            raise ManifestError(
                f"{path}: physics.{metric}: low {allowed.low:g} is above high {allowed.high:g}"
            )
    return Kernel(folder, manifest)


def kernels(folder: Path = FOLDER) -> tuple[Kernel, ...]:
    """All kernels, by name.

    Raises:
        ManifestError: one of the manifests cannot be used.
    """
    return tuple(read_kernel(path.parent) for path in sorted(folder.glob("*/manifest.toml")))


def choose(found: Sequence[Kernel], names: Sequence[str]) -> tuple[Kernel, ...]:
    """The named kernels in the catalogue's order; all of them if no name is given.

    Raises:
        UnknownKernelError: a name is not a kernel's.
    """
    known = [kernel.name for kernel in found]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            there = ", ".join(known) or "none"
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {there}"
            raise UnknownKernelError(f"there is no kernel {name!r}; {hint}")
    return tuple(kernel for kernel in found if not names or kernel.name in names)
