"""Benchmark runs that were made on a node, also those that were imported before anybody saw the node."""

from __future__ import annotations

from sqlalchemy.orm import Session

from capacity.fleet.identity import ids_of_host
from capacity.fleet.model import NodeState
from capacity.hs06.model import MeasuredScore
from capacity.store import measurements
from capacity.store.measurements import StoredMeasurement


def same_host(one: str, other: str) -> bool:
    """Whether two host names may be of one host: equal, or equal but for a domain that one of them lacks."""
    left, right = one.lower().rstrip("."), other.lower().rstrip(".")
    if "." in left and "." in right:
        return left == right
    return left.partition(".")[0] == right.partition(".")[0]


class Runs:
    """Answers for a batch of nodes; each CPU model is asked for once.

    Args:
        session: a transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._unplaced: dict[str, list[StoredMeasurement]] = {}

    def of(self, state: NodeState, cpu_key: str | None) -> list[MeasuredScore]:
        """Runs on this node with the processor that it has now; those on a processor that was replaced do not count."""
        placed = measurements.of_node(self._session, state.site, state.node_id)
        found = [run for run in placed if run.cpu_key is None or cpu_key is None or run.cpu_key == cpu_key]
        if cpu_key is not None:
            found += [run for run in self._of_model(cpu_key) if _is_of(run, state)]
        return [
            MeasuredScore(
                kind=run.kind,
                total=run.total,
                loaded_cpus=run.loaded_cpus,
                measured_at=run.measured_at,
                source=run.source,
            )
            for run in found
        ]

    def _of_model(self, cpu_key: str) -> list[StoredMeasurement]:
        if cpu_key not in self._unplaced:
            runs = measurements.of_cpu(self._session, cpu_key)
            self._unplaced[cpu_key] = [run for run in runs if run.node_id is None]
        return self._unplaced[cpu_key]


def _is_of(run: StoredMeasurement, state: NodeState) -> bool:
    """Whether a run names this host, by the name that it told or by the ids that it was seen under."""
    named = run.report.get("hostname")
    if run.site != state.site or not isinstance(named, str):
        return False
    if state.hostname is not None:
        return same_host(named, state.hostname)
    seen = {state.node_id, *(slot.reported_node_id for slot in state.slots)}
    return not seen.isdisjoint(ids_of_host(named))
