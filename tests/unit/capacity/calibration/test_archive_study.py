"""A whole archive under another calibration; strange documents are told. On Dask: `tests/integration/capacity`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from capacity import archive
from capacity.errors import BadInputError, UnavailableError
from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.hs06.model import Estimate, NodeEvidence
from capacity.service import study
from capacity.service.reestimate import archive_pieces, reestimate
from capacity.store.database import Database
from tests.unit.capacity import documents
from tests.unit.capacity.calibration import fleets

FILES = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five files of two sites and three days, six profiles each; one document is not a profile."""
    return fleets.archive_of(tmp_path_factory.mktemp("archive"), FILES)


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return Estimator.shipped(Calibration.shipped())


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/c.sqlite")
    database.upgrade()
    yield database
    database.close()


def test_every_profile_has_a_row_in_order_and_a_reason_where_it_has_no_figure(
    folder: Path, estimator: Estimator
) -> None:
    rows = list(reestimate(archive_pieces(folder), estimator))
    assert len(rows) == FILES * len(fleets.CPUS)
    days = [path.split("/")[0] for path in archive.files(folder)]
    assert days == sorted(days)
    strange = [row for row in rows if row.hs23_per_core is None]
    assert [row.node_id for row in strange] == [documents.node(7)]
    assert "schema_version" in (strange[0].reason or "")
    assert {row.calibration_version for row in rows} == {Calibration.shipped().version}
    assert {row.site for row in rows} == {documents.SITE, documents.OTHER_SITE}


def test_without_dask_it_says_what_to_install(
    folder: Path, estimator: Estimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(BadInputError, match="sitecap\\[dask\\]"):
        list(reestimate(archive_pieces(folder), estimator, "local"))


def test_an_empty_folder_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="there is no archive here"):
        archive_pieces(tmp_path)


def test_study_writes_what_was_estimated(
    folder: Path, nowhere: Database, tmp_path: Path, estimator: Estimator
) -> None:
    file = tmp_path / "study.parquet"
    told = study.write(nowhere, Calibration.shipped(), file, folder, None)
    assert (told.rows, told.without_figure) == (30, 1)
    rows = [row._asdict() for row in reestimate(archive_pieces(folder), estimator)]
    assert parquet.read_table(file).to_pylist() == rows
    assert list(tmp_path.glob(".study*")) == []


def test_a_study_that_fails_leaves_no_file(
    folder: Path, nowhere: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterator[object]:
        yield from ()
        raise UnavailableError("the cluster is gone")

    monkeypatch.setattr(study, "reestimate", broken)
    with pytest.raises(UnavailableError):
        study.write(nowhere, Calibration.shipped(), tmp_path / "s.parquet", folder, None)
    assert [path.name for path in tmp_path.iterdir() if "parquet" in path.name] == []


def test_one_estimate_that_cannot_be_made_does_not_end_the_study(folder: Path, estimator: Estimator) -> None:
    class Broken(Estimator):
        def estimate(self, evidence: NodeEvidence) -> Estimate:
            if "9354" in (evidence.cpu.model_name or ""):
                raise ZeroDivisionError("division by zero")
            return super().estimate(evidence)

    rows = list(
        reestimate(
            archive_pieces(folder), Broken(estimator.catalogue, estimator.family, estimator.payload_model)
        )
    )
    reasons = [row.reason for row in rows if row.reason]
    assert sum("division by zero" in reason for reason in reasons) == FILES
    assert len(rows) == 30
