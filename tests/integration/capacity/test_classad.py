"""HTCondor itself reads our attributes: types, quotes, and the expression that depends on the slot."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from capacity.exports import classad
from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.cache import debootstrap_root
from tests.lab.condor import PACKAGES, SUITE
from tests.unit.capacity.fleet.states import estimate, state

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("condor")]

READ = """
import sys, json
try:
    import classad
except ModuleNotFoundError:
    import classad2 as classad
text = sys.stdin.read()
parse = classad.parseOne if hasattr(classad, "parseOne") else classad.ClassAd
ad = parse(text)
ad["GLIDEIN_Cpus"] = 8
known = {}
for name in ad:
    value = ad.eval(name)
    known[name] = dict(value) if hasattr(value, "items") else value
print(json.dumps(known, default=str))
"""


def evaluated(text: str) -> dict[str, Any]:
    """The ad as HTCondor's own library evaluates it, in a slot of 8 CPUs."""
    try:
        root = debootstrap_root(SUITE, PACKAGES)
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    done = subprocess.run(
        ["chroot", str(root), "python3", "-c", READ], input=text, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_htcondor_reads_what_we_write() -> None:
    node = state(estimate(12.5, hs23_node=800.0, node_cores=64), cores=64).model_copy(
        update={"usable": False, "unusable_reason": 'squid: "down" \\ since\n[x = 1]'}
    )
    ad = evaluated(classad(node))

    assert ad["CMSCapacity_Site"] == "T2_LV_Example"
    assert ad["CMSCapacity_HS23PerCore"] == 12.5
    assert ad["CMSCapacity_Usable"] is False
    assert ad["CMSCapacity_UnusableReason"] == 'squid: "down" / since [x = 1]'
    assert ad["ApelSpecs"] == {"HEPscore23": 12.5}
    assert ad["MJF_JOB_HS06_JOB"] == 100.0
    assert (ad["MJF_MACHINE_HS06"], ad["MJF_MACHINE_TOTAL_CPU"]) == (800.0, 64)
