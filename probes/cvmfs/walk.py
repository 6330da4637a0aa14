"""From the root catalog to the objects of one file, through nested catalogs and symbolic links."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from probes.cvmfs.catalog import (
    FLAG_CHUNKED,
    FLAG_EXTERNAL,
    FLAG_FILE,
    FLAG_LINK,
    FLAG_NESTED,
    Chunk,
    Entry,
    opened,
)
from probes.cvmfs.faults import FaultError
from probes.cvmfs.hashes import ContentHash

MAX_DEPTH = 32
MAX_LINKS = 8


@dataclass(frozen=True)
class Piece:
    """An object that holds a file or a part of it."""

    content: ContentHash
    kind: str
    """Suffix of the object: "" for a whole file, "P" for a piece."""
    size_bytes: int
    """Before compression."""
    compressed: bool


@dataclass(frozen=True)
class Located:
    """A file found.

    Attributes:
        path: after following links.
        catalogs: number of catalogs that were opened, the root among them.
        pieces: objects whose contents, one after another, are the file.
    """

    path: str
    size_bytes: int
    catalogs: int
    pieces: tuple[Piece, ...]


def locate(
    path: str, root: bytes, load: Callable[[ContentHash], bytes], *, repository: str, revision: int
) -> Located:
    """Find a file.

    Args:
        path: absolute within the repository.
        root: the root catalog, decompressed.
        load: gives a nested catalog, decompressed and with its hash checked.
        repository: its name, for absolute links.
        revision: that of the manifest, which the root catalog must have.

    Raises:
        FaultError: no-such-file, bad-catalog, external, and whatever `load` raises.
    """
    with opened(root, "the root catalog") as catalog:
        said = catalog.revision()
    if said is not None and said != revision:
        raise FaultError("bad-catalog", f"the root catalog is of revision {said}, the manifest of {revision}")
    opened_catalogs = 1
    for _ in range(MAX_LINKS):
        step = _descend(path, root, load)
        opened_catalogs += step.nested
        if step.link is None:
            return Located(path, step.entry.size_bytes, opened_catalogs, step.pieces)
        path = _followed(path, step, repository)
    raise FaultError("no-such-file", f"{path}: more than {MAX_LINKS} symbolic links")


@dataclass(frozen=True)
class _Step:
    entry: Entry
    nested: int
    pieces: tuple[Piece, ...] = ()
    link: str | None = None
    """Where the link stands, None if a file was reached."""


def _descend(path: str, catalog_bytes: bytes, load: Callable[[ContentHash], bytes]) -> _Step:
    parts = [part for part in path.split("/") if part]
    if not parts or len(parts) > MAX_DEPTH:
        raise FaultError("no-such-file", f"{path}: not the path of a file")
    nested, name = 0, "the root catalog"
    for depth in range(1, len(parts) + 1):
        here = "/" + "/".join(parts[:depth])
        with opened(catalog_bytes, name) as catalog:
            entry = catalog.entry(here)
            if entry is None:
                raise FaultError("no-such-file", f"{here} is not in {name}")
            if entry.has(FLAG_LINK):
                return _Step(entry, nested, link=here)
            if depth == len(parts):
                return _Step(entry, nested, _pieces(catalog.chunks, entry, here))
            inner = catalog.nested(here) if entry.has(FLAG_NESTED) else None
        if inner is not None:
            catalog_bytes, name, nested = load(inner), f"the catalog of {here}", nested + 1
    raise AssertionError("unreachable: the last part returns or raises")


def _pieces(chunks: Callable[[str, str], tuple[Chunk, ...]], entry: Entry, path: str) -> tuple[Piece, ...]:
    if not entry.has(FLAG_FILE):
        raise FaultError("no-such-file", f"{path} is not a file")
    if entry.has(FLAG_EXTERNAL):
        raise FaultError("external", f"{path} is kept on another server (external data)")
    if not entry.has(FLAG_CHUNKED):
        if entry.content is None:
            raise FaultError("bad-catalog", f"{path} has no content hash")
        return (Piece(entry.content, "", entry.size_bytes, entry.compressed),)
    found = tuple(
        Piece(chunk.content, "P", chunk.size_bytes, entry.compressed)
        for chunk in chunks(path, entry.algorithm)
    )
    if sum(piece.size_bytes for piece in found) != entry.size_bytes:
        raise FaultError("bad-catalog", f"the pieces of {path} do not add up to its {entry.size_bytes} bytes")
    return found


def _followed(path: str, step: _Step, repository: str) -> str:
    assert step.link is not None
    target = step.entry.target or ""
    if not target or "$(" in target:
        raise FaultError(
            "no-such-file", f"{step.link} is a link whose target depends on the node: {target[:64]!r}"
        )
    own = f"/cvmfs/{repository}/"
    if target.startswith("/") and not target.startswith(own):
        raise FaultError("no-such-file", f"{step.link} points out of the repository, to {target[:64]!r}")
    rest = path[len(step.link) :]
    base = (
        "/" + target[len(own) :]
        if target.startswith(own)
        else posixpath.join(posixpath.dirname(step.link), target)
    )
    return posixpath.normpath(base + rest)
