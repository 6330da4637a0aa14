"""The revision of a mount against the newest verified one, clients that crash or hang, and mounts that miss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from probes.cvmfs_mount import PROBE
from probes.runner import Runner
from profiles.checks import Status
from tests.integration.cvmfs_mount.node import (
    CRITICAL,
    FILES,
    NAME,
    OK,
    SKIPPED,
    UNKNOWN,
    WARNING,
    Node,
    ended,
    over_http,
)
from tests.lab.cvmfs_mount import ATTRIBUTES, Broken, Tree, mounted

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs_mount")]


ANOTHER_HASH = "f" * 40


@pytest.mark.parametrize(
    ("revision", "age_s", "root_catalog", "status", "text"),
    [
        (42, 9e6, ATTRIBUTES["root_hash"], OK, "revision 42, as verified over HTTP"),
        (41, 9e6, ANOTHER_HASH, OK, "revision 42, as verified over HTTP"),
        (43, 300.0, ANOTHER_HASH, OK, "revision 42, the next is 3"),
        (43, 3.02 * 3600, ANOTHER_HASH, WARNING, "revision 42 is mounted, 43 was published 3.0 h ago"),
        (43, 2 * 86_400.0, ANOTHER_HASH, CRITICAL, "43 was published 48.0 h ago"),
        (42, 60.0, ANOTHER_HASH, CRITICAL, "another root catalog"),
    ],
)
def test_the_revision_is_held_against_the_newest_verified_one(
    node: Node, revision: int, age_s: float, root_catalog: str, status: Status, text: str
) -> None:
    with mounted(node.mount, Tree(FILES)):
        newest = over_http(revision, age_s=age_s, root_catalog=root_catalog)
        found = node.verdicts(cvmfs=newest)["CVM-03"]
    assert (found.status, text in found.summary) == (status, True), found


def test_without_a_verified_revision_there_is_nothing_to_hold_it_against(node: Node) -> None:
    with mounted(node.mount, Tree(FILES)):
        found = node.verdicts()["CVM-03"]
    assert (found.status, "no manifest of these repositories was verified" in found.summary) == (
        UNKNOWN,
        True,
    )


def test_a_crashed_client_is_critical(node: Node) -> None:
    with ended(node):
        found = node.verdicts()
    assert found["CVM-01"].status is CRITICAL
    assert "Transport endpoint is not connected" in found["CVM-01"].summary
    assert found["CVM-13"].status is CRITICAL


@pytest.mark.parametrize(
    ("tree", "question"),
    [
        (Tree(FILES, hangs=True), "dir('"),
        (Tree({**FILES, "/cmsset_default.sh": Broken(hangs=True)}), "file('"),
    ],
    ids=["every question", "one file"],
)
def test_a_hung_mount_is_critical_within_the_deadline(
    node: Node, tree: Tree, question: str, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    quick = replace(PROBE, deadline_s=2.0)
    with mounted(node.mount, tree):
        runner = Runner(lambda _: node.door(), node.settings(), budget_s=60, state=state)
        outcome = runner.run([quick])
    (run,) = outcome.runs
    found = {check.id: check for check in outcome.checks}
    assert run.outcome in ("timeout", "stuck")
    assert "no answer within 2 s" in str(run.reason)
    assert str(node.mount) in str(run.reason)
    assert found["CVM-01"].status is CRITICAL
    assert found["CVM-04"].status is UNKNOWN


def test_without_any_mount_the_other_ways_are_named(node: Node) -> None:
    node.mount.rmdir()
    found = node.verdicts(cvmfs=over_http(42, age_s=60))
    assert {found[f"CVM-{number:02}"].status for number in range(1, 13)} == {SKIPPED}
    assert "over HTTP" in found["CVM-01"].summary
    assert (found["CVM-13"].status, found["CVM-13"].summary) == (CRITICAL, f"not mounted: {NAME}")
    assert "cvmfsexec" in str(found["CVM-13"].hint)
    assert f"over HTTP {NAME} can be had and verified from here" in str(found["CVM-13"].hint)


@pytest.mark.parametrize(
    ("wanted", "status", "text"),
    [
        ((NAME, "grid.example.org"), WARNING, "not mounted: grid.example.org"),
        (("cms.example.org", NAME), CRITICAL, "not mounted: cms.example.org"),
        ((NAME, "unpacked.cern.ch", "singularity.opensciencegrid.org"), WARNING, "not mounted: unpacked"),
    ],
)
def test_a_missing_repository_weighs_as_it_is_wanted(
    node: Node, wanted: tuple[str, ...], status: Status, text: str
) -> None:
    with mounted(node.mount, Tree(FILES)):
        found = node.verdicts(*wanted)["CVM-13"]
    assert (found.status, text in found.summary) == (status, True), found


def test_one_repository_of_images_is_enough(node: Node) -> None:
    other = node.root / "unpacked.cern.ch"
    other.mkdir()
    with mounted(node.mount, Tree(FILES)), mounted(other, Tree(FILES)):
        found = node.verdicts(NAME, "unpacked.cern.ch", "singularity.opensciencegrid.org")["CVM-13"]
    assert found.status is OK
