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


def settle() -> None:
    """Take all that was made so far out of the garbage collector's rounds: it stays until the process ends.

    Validating profiles makes so many objects that the rounds over libraries and catalogue took a fifth of the time.
    """
    gc.collect()
    gc.freeze()
