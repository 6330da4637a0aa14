"""What is warm at the start is not made again by the first request."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import gc
from profiles.profile import CapabilityProfile
from capacity.hs06.catalogue import Catalogue
from capacity.warming import settle, warm

assert not CapabilityProfile.__pydantic_complete__
warm()
assert CapabilityProfile.__pydantic_complete__
catalogue = Catalogue.shipped()
settle()
assert gc.get_freeze_count() > 0
assert all(one is not catalogue for one in gc.get_objects())
"""


def test_validators_and_catalogue_are_there_and_the_collector_leaves_them_alone() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
