"""A calibration's document: what is refused, and what the shipped one says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from capacity.errors import BadInputError
from capacity.hs06.calibrate import fit, pair_of
from capacity.hs06.calibration import PROVISIONAL_SIGMA, Calibration
from capacity.hs06.estimate import Estimator
from capacity.hs06.model import CpuDescription, Method, NodeEvidence, Rung

NOW = datetime(2026, 11, 23, tzinfo=UTC)
UNKNOWN = Rung(method=Method.DEFAULT, hs23_per_core=10.0, sigma=0.5, says="constant")
DATA = Path(__file__).parents[4] / "capacity" / "hs06" / "data"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"covariance": [[1.0]]}, "covariance must be 10 × 10"),
        ({"terms": []}, "terms"),
        ({"sigma": -1}, "sigma"),
        ({"version": "x/../y"}, "version"),
        ({"surprise": 1}, "surprise"),
        ({"intercept": "NaN"}, "intercept"),
    ],
)
def test_a_document_that_is_none_is_one_sentence(change: dict[str, object], sentence: str) -> None:
    document = json.loads((DATA / "calibration-provisional.json").read_text()) | change
    with pytest.raises(BadInputError, match=sentence) as told:
        Calibration.from_json(json.dumps(document).encode())
    assert "this is not a calibration" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_covariance_of_nothing_is_refused() -> None:
    document = json.loads((DATA / "calibration-provisional.json").read_text())
    document["covariance"][0][0] = -1.0
    with pytest.raises(BadInputError, match="negative variance"):
        Calibration.from_json(json.dumps(document).encode())


@pytest.mark.parametrize("document", [b"", b"[]", b"\xff", b"{" * 100_000])
def test_rubbish_is_one_sentence(document: bytes) -> None:
    with pytest.raises(BadInputError, match="not a calibration"):
        Calibration.from_json(document)


def test_shipped_one_is_what_its_input_gives() -> None:
    evidence = NodeEvidence.model_validate_json((DATA / "provisional-evidence.json").read_bytes())
    shipped = Calibration.shipped()
    again = fit([pair_of("sitecap build machine", evidence, Estimator.shipped())], NOW, shipped.note)
    # The family model may learn a little without the anchor being made anew: a sixth of its sigma.
    assert again.intercept == pytest.approx(shipped.intercept, abs=0.05)
    assert again.kernels == shipped.kernels
    assert [term.weight for term in again.terms] == pytest.approx([term.weight for term in shipped.terms])
    assert shipped.provisional
    assert [one.kind for one in shipped.inputs] == ["expected"]


def test_shipped_one_says_nothing_twice() -> None:
    """On the machine that it is anchored on it would only repeat the family model, and narrow its interval wrongly."""
    evidence = NodeEvidence.model_validate_json((DATA / "provisional-evidence.json").read_bytes())
    with_it = Estimator.shipped(Calibration.shipped()).estimate(evidence)
    without = Estimator.shipped().estimate(evidence)
    assert (with_it.hs23_per_core, with_it.sigma) == (without.hs23_per_core, without.sigma)
    payload = next(rung for rung in with_it.rungs if rung.method is Method.PAYLOAD)
    assert payload.reason is not None
    assert "anchored on what zen5 processors are expected to do" in payload.reason


def test_shipped_one_speaks_of_other_families_at_25_percent_or_worse() -> None:
    evidence = NodeEvidence.model_validate_json((DATA / "provisional-evidence.json").read_bytes())
    other = evidence.model_copy(
        update={
            "cpu": CpuDescription(
                model_name="Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz", logical_cpus=2, arch="x86_64"
            )
        }
    )
    rung = Calibration.shipped().rung(other, UNKNOWN)
    assert rung.hs23_per_core == pytest.approx(
        Calibration.shipped().residuals[0].target_hs23_per_core, rel=1e-6
    )
    assert rung.sigma is not None
    assert rung.sigma >= PROVISIONAL_SIGMA
