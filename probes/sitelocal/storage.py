"""storage.json: which volumes a site has, over which protocols, and how a logical name becomes a physical one.

Form: CMS "Storage Description" (CMSSW FWCore/Catalog FileLocator, which reads `site`, `volume`, `protocols`, and per
protocol `prefix` or `rules` of `lfn`, `pfn`, `chain`). The file comes from whoever maintains a site: it is bounded in
bytes and in entries, and an entry that breaks the form costs only itself.
"""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from profiles.base import Model

MAX_BYTES = 512 * 1024
"""The longest at a CMS site has some 20 kB."""

MAX_ENTRIES = 128

Word = Annotated[str, Field(min_length=1, max_length=128)]
Template = Annotated[str, Field(max_length=1024)]


class Rule(Model):
    """One rule: LFNs that match `lfn` wholly become `pfn`, in which $1 … $9 stand for the groups."""

    lfn: Annotated[str, Field(min_length=1, max_length=1024)]
    pfn: Template
    chain: Word | None = Field(default=None, description="protocol whose rules are applied to the name first")


class StorageProtocol(Model):
    """One protocol of a volume."""

    protocol: Word
    access: Annotated[str, Field(max_length=64)] | None = None
    prefix: Template | None = None
    rules: tuple[Rule, ...] = Field(default=(), max_length=128)

    @model_validator(mode="after")
    def _has_a_way(self) -> StorageProtocol:
        if not self.prefix and not self.rules:
            raise ValueError(f"protocol {self.protocol!r} has neither prefix nor rules")
        return self


class StorageEntry(Model):
    """One volume of a site."""

    site: Word
    volume: Word
    protocols: tuple[StorageProtocol, ...] = Field(max_length=64)
    type: Annotated[str, Field(max_length=64)] | None = None
    rse: Annotated[str, Field(max_length=128)] | None = None

    def protocol(self, name: str) -> StorageProtocol | None:
        """The first protocol of this name."""
        return next((one for one in self.protocols if one.protocol == name), None)


def parse(content: bytes) -> tuple[tuple[StorageEntry, ...], tuple[str, ...]]:
    """The good entries, and one sentence about each that is not.

    Args:
        content: of the file, at most `MAX_BYTES`.

    Raises:
        ValueError: the whole is no storage.json; the text is one clause.
    """
    try:
        document = json.loads(content)
    except RecursionError:
        raise ValueError("is not JSON that can be read: it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(document, list):
        raise ValueError("must be a list of volumes, [ {…}, … ]")  # noqa: TRY004 - of content, not of a type
    if len(document) > MAX_ENTRIES:
        raise ValueError(f"has {len(document)} volumes, more than the {MAX_ENTRIES} that are read")
    entries: list[StorageEntry] = []
    complaints: list[str] = []
    for number, item in enumerate(document, 1):
        try:
            entries.append(StorageEntry.model_validate(item))
        except ValidationError as error:
            complaints.append(f"volume {number}{_name(item)} is left out: {_first(error)}")
        except RecursionError:
            complaints.append(f"volume {number} is left out: it is nested too deeply")
    return tuple(entries), tuple(complaints)


def _name(item: object) -> str:
    volume = item.get("volume") if isinstance(item, dict) else None
    return f" ({volume[:64]!r})" if isinstance(volume, str) else ""


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    text = first["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text
