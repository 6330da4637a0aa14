"""Processors of the demo: the catalogue's own rows, so that their truth is a published one."""

from __future__ import annotations

from capacity.demo.truth import DemoCpu
from capacity.hs06.catalogue import Catalogue


def demo_cpus(catalogue: Catalogue) -> list[DemoCpu]:
    """One processor for each row that counts, is of a whole real node and tells sockets and cores.

    The order is the table's: the same catalogue and seed give the same fleet.
    """
    return [
        DemoCpu(
            model_name=row.cpu_model,
            arch=row.arch,
            packages=row.sockets,
            physical_cores=row.physical_cores,
            logical_cpus=row.logical_cpus,
            hs23=row.hs23_total,
            clock_ghz=row.clock_ghz,
        )
        for row in catalogue.rows
        if row.left_out is None
        and not row.virtual
        and row.hs23_total is not None
        and row.sockets is not None
        and row.physical_cores is not None
    ]
