"""What the first requests would otherwise wait for, done when a process starts."""

from __future__ import annotations

import gc

from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from profiles.profile import CapabilityProfile


def warm() -> None:
    """Build the validators, the catalogue with its family model and the shipped calibration; all are then kept."""
    CapabilityProfile.model_rebuild()
    Estimator.shipped(Calibration.shipped())


COLLECTED_AFTER = 20_000
"""New objects between two rounds of the garbage collector. A profile with all probes makes some thousands and none of
them in a cycle; after Python's 700, the rounds over them took an eighth of its validation."""


def settle() -> None:
    """Take all that was made so far out of the garbage collector's rounds: it stays until the process ends.

    Validating profiles makes so many objects that the rounds over libraries and catalogue took a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
