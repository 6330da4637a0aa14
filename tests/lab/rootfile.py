"""A real ROOT file: a TTree like NanoAOD's, written by uproot, with the positions of its baskets."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

EVENTS = 60_000


@dataclass(frozen=True)
class RootFile:
    """A ROOT file that uproot wrote.

    Attributes:
        path: where it was written.
        baskets: offset and length in bytes of each basket of its TTree, in the order of the file.
    """

    path: Path
    baskets: tuple[tuple[int, int], ...]

    @cached_property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return self.path.stat().st_size

    @cached_property
    def adler32(self) -> str:
        """As XRootD writes it."""
        return f"{zlib.adler32(self.path.read_bytes()):08x}"


def write_nano(path: Path, events: int = EVENTS) -> RootFile:
    """Write a TTree "Events" with muons and jets of varying number and some flat branches, some MB."""
    np = pytest.importorskip("numpy")
    ak = pytest.importorskip("awkward")
    uproot = pytest.importorskip("uproot")
    random = np.random.default_rng(20_261_122)
    batch = 5_000
    with uproot.recreate(path) as file:
        for begin in range(0, events, batch):
            muons, jets = random.poisson(1.5, batch), random.poisson(5, batch)
            columns = {
                "run": np.full(batch, 382_000, "u4"),
                "event": np.arange(begin, begin + batch, dtype="u8"),
                "PV_npvs": random.poisson(60, batch).astype("i4"),
                "MET_pt": random.exponential(30, batch).astype("f4"),
                "Muon": ak.zip({
                    name: ak.unflatten(random.normal(0, 1, muons.sum()).astype("f4"), muons)
                    for name in ("pt", "eta", "phi")
                }),
                "Jet": ak.zip({
                    name: ak.unflatten(random.exponential(40, jets.sum()).astype("f4"), jets)
                    for name in ("pt", "eta", "phi", "mass")
                }),
            }  # fmt: skip
            if begin == 0:
                file.mktree("Events", {name: column.dtype if hasattr(column, "dtype") else column.type
                                       for name, column in columns.items()})  # fmt: skip
            file["Events"].extend(columns)
    with uproot.open(path) as file:
        tree = file["Events"]
        found = {
            (int(seek), int(length))
            for branch in tree.itervalues(recursive=True)
            for seek, length in zip(branch.member("fBasketSeek"), branch.member("fBasketBytes"), strict=False)
            if seek and length
        }
    return RootFile(path, tuple(sorted(found)))
