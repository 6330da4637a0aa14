"""Published HS23 and HS06 results that ship with the package: one row a measured node, each with its source."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import NamedTuple

from capacity.hs06.cpu_name import normalise
from capacity.hs06.model import CpuDescription

TABLE = "hs06_hs23_reference.csv"


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        number: its line in the file, by which it is cited.
        key: of the model (`cpu_name.normalise`).
        smt_on: None if the table does not say.
        hs23_total: of all logical CPUs together; None in the HS06 tables.
        hs06_total: 32 bit, of `logical_cpus` copies; None in the HS23 table.
        memory_gib: of the node.
        dimms: how it is populated, if the table says ("8x16 PC4-2133").
        table: HS23, or the operating system of the HS06 table (SL4, SL5, SL6, SL7).
        virtual: the topology is that of a virtual machine.
        left_out: why it does not count, in words; None = it counts.
    """

    number: int
    cpu_model: str
    key: str
    arch: str
    sockets: int | None
    physical_cores: int | None
    logical_cpus: int
    smt_on: bool | None
    clock_ghz: float | None
    hs23_total: float | None
    hs06_total: float | None
    site: str
    memory_gib: float | None
    dimms: str | None
    numa_nodes: int | None
    runs: int
    table: str
    virtual: bool
    source: str
    left_out: str | None = None

    @property
    def hs23_per_core(self) -> float | None:
        """HS23 per logical CPU of the node under full load."""
        return None if self.hs23_total is None else self.hs23_total / self.logical_cpus

    @property
    def cite(self) -> str:
        """How a derivation names it."""
        score = f"{self.hs23_total:g} HS23" if self.hs23_total is not None else f"{self.hs06_total:g} HS06"
        return f"{TABLE}:{self.number} {self.cpu_model}, {self.site}, {score} on {self.logical_cpus} CPUs"


def shipped() -> tuple[tuple[Row, ...], str]:
    """The rows of the shipped table and its version.

    Returns:
        rows that name a processor and a number of CPUs; `hepix-<commit of the source>-<digest of the file>`.
    """
    content = files("capacity.hs06").joinpath("data", TABLE).read_bytes()
    rows = tuple(read(content.decode().splitlines()))
    commit = re.search(r"hepix-forum\.github\.io@([0-9a-f]{7})", content.decode())
    digest = hashlib.sha256(content).hexdigest()[:8]
    return rows, f"hepix-{commit.group(1) if commit else 'unknown'}-{digest}"


def read(lines: Iterable[str]) -> Iterator[Row]:
    """Rows of a table in the shipped format; a row without processor, CPUs or score is passed over."""
    for number, line in enumerate(csv.DictReader(lines), start=2):
        row = _row(number, line)
        if row is not None:
            yield row


def describe(row: Row) -> CpuDescription:
    """A row of the table as a node would describe itself."""
    threads = None if row.smt_on is None else 2 if row.smt_on else 1
    return CpuDescription(model_name=row.cpu_model, arch=row.arch, packages=row.sockets, physical_cores=row.physical_cores,
                          logical_cpus=row.logical_cpus, threads_per_core=threads, clock_ghz=row.clock_ghz,
                          memory_bytes=round(row.memory_gib * 2**30) if row.memory_gib else None, virtualised=row.virtual)  # fmt: skip


def _row(number: int, line: dict[str, str]) -> Row | None:
    logical, hs23, hs06 = _whole(line["logical_cpus"]), _real(line["hs23_total"]), _real(line["hs06_total"])
    if not logical or not (hs23 or hs06):
        return None
    note = line["note"]
    said = dict(part.strip().split("=", 1) for part in note.split(";") if "=" in part)
    smt, physical = _whole(line["smt_on"]), _whole(line["physical_cores"])
    memory = _real(said.get("ram_gib", "")) or _real(said.get("mem", "").split(" ")[0])
    row = Row(
        number=number,
        cpu_model=line["cpu_model"],
        key=normalise(line["cpu_model"]),
        arch=line["arch"],
        sockets=_whole(line["sockets"]),
        physical_cores=physical,
        logical_cpus=logical,
        smt_on=None if smt is None else bool(smt),
        clock_ghz=_real(line["clock_ghz"]),
        hs23_total=hs23,
        hs06_total=hs06 if hs23 is None else None,
        site=said.get("site", "").strip("()") or _origin(line["source"]),
        memory_gib=memory,
        dimms=dimms.group(1) if (dimms := re.search(r"mem=[0-9]* ?\(?([^;)]*x[^;)]*)", note)) else None,
        numa_nodes=_whole(said.get("numa", "")),
        runs=_whole(said.get("n_meas", "")) or 1,
        table="HS23" if hs23 else (re.search(r"\bSL[4-7]", note) or ["HS06"])[0],
        virtual="VM:" in note,
        source=line["source"],
    )
    return row._replace(left_out=_odd(row))


def _odd(row: Row) -> str | None:
    if row.virtual:
        return "a virtual machine: which cores its CPUs were is not known"
    if row.smt_on and row.physical_cores and row.logical_cpus <= row.physical_cores:
        return "SMT is said to be on, but there is one CPU per core"
    return None


def _origin(source: str) -> str:
    return "HEPscore23 reference machine" if "hepscore-default" in source else "WLCG accounting example"


def _real(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < 1e6 else None


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() else None
