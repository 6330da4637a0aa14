"""Re-estimation on a real Dask cluster: the same rows as in process, whoever runs the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capacity.errors import BadInputError, UnavailableError
from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.service.reestimate import ArchiveFile, archive_pieces, reestimate
from tests.unit.capacity.calibration import fleets

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("dask")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fleets.archive_of(tmp_path_factory.mktemp("archive"), 12)


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return Estimator.shipped(Calibration.shipped())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    ) as found:
        yield found


def test_its_own_cluster_says_the_same_as_this_process(folder: Path, estimator: Estimator) -> None:
    here = list(reestimate(archive_pieces(folder), estimator))
    assert len(here) == 12 * len(fleets.CPUS)
    assert list(reestimate(archive_pieces(folder), estimator, "local")) == here


def test_a_cluster_by_address_says_the_same(folder: Path, estimator: Estimator, cluster: Any) -> None:
    """Twelve pieces on two workers: more than are under way at a time."""
    there = list(reestimate(archive_pieces(folder), estimator, cluster.scheduler_address))
    assert there == list(reestimate(archive_pieces(folder), estimator))


def test_a_file_that_a_worker_cannot_read_is_one_sentence(
    folder: Path, estimator: Estimator, cluster: Any
) -> None:
    gone = ArchiveFile(folder, "day=2026-01-01/site=T2_LV_Example/gone.parquet")
    with pytest.raises(UnavailableError, match="cannot be read as a file of the archive"):
        list(reestimate([gone], estimator, cluster.scheduler_address))


def test_no_scheduler_is_one_sentence(
    folder: Path, estimator: Estimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capacity.service.dask_cluster._CONNECT_S", 1)
    with pytest.raises(UnavailableError, match=r"tcp://127\.0\.0\.1:9 does not answer"):
        list(reestimate(archive_pieces(folder), estimator, "tcp://127.0.0.1:9"))
    with pytest.raises(BadInputError, match="is not the address of a Dask scheduler"):
        list(reestimate(archive_pieces(folder), estimator, "carrier-pigeon://x"))
