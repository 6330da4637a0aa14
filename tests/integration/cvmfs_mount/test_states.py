"""Each state of a mount has its own verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

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
    over_http,
)
from tests.lab.cvmfs_mount import ATTRIBUTES, Broken, Tree, mounted

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs_mount")]


@dataclass(frozen=True)
class Ago:
    """A moment so many seconds before the test, as the client writes it."""

    seconds: int

    def __str__(self) -> str:
        return str(int(time.time()) - self.seconds)


@dataclass(frozen=True)
class Case:
    """One state of a mount; what is not expected to be bad is OK.

    Attributes:
        name: of the fault.
        expected: check → status and a piece of its summary.
        attributes: of the client that differ from a healthy one; None = protected (EPERM).
        files: that differ; None = not there.
    """

    name: str
    expected: dict[str, tuple[Status, str]]
    attributes: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes | Broken | None] = field(default_factory=dict)

    def tree(self) -> Tree:
        """What is mounted."""
        files = {path: found for path, found in {**FILES, **self.files}.items() if found is not None}
        values = {
            name: -1 if value is None else str(value) if isinstance(value, Ago) else value
            for name, value in self.attributes.items()
        }
        return Tree(files).with_attributes(**values)


CASES = (
    Case(
        "healthy",
        {
            "CVM-01": (OK, "1 repository can be read"),
            "CVM-02": (OK, "client 2.11.2.0"),
            "CVM-03": (OK, "revision 42, as verified over HTTP"),
            "CVM-06": (OK, "quota 26.2 GB"),
            "CVM-11": (OK, "3 files read whole"),
            "CVM-13": (OK, "1 of 1"),
        },
    ),
    Case(
        "known file gives an I/O error",
        {
            "CVM-01": (CRITICAL, f"{NAME}/cmsset_default.sh: cannot be read (EIO)"),
            "CVM-11": (CRITICAL, "(EIO)"),
        },
        files={"/cmsset_default.sh": Broken("EIO")},
    ),
    Case(
        "known file is missing",
        {"CVM-01": (CRITICAL, "there is no such file")},
        files={"/cmsset_default.sh": None},
    ),
    Case(
        "a file is shorter than its size",
        {"CVM-11": (CRITICAL, "/sw/short: 50 bytes read, its size is 100 bytes")},
        files={"/sw/short": Broken()},
    ),
    Case(
        "counted I/O errors",
        {"CVM-04": (WARNING, f"{NAME}: 7 I/O errors")},
        {"nioerr": "7"},
    ),
    Case(
        "an I/O error an hour ago",
        {"CVM-04": (WARNING, "the last 1.0 h ago")},
        {"timestamp_last_ioerr": Ago(3600)},
    ),
    Case(
        "an I/O error last week",
        {"CVM-04": (OK, "no I/O errors")},
        {"timestamp_last_ioerr": Ago(7 * 86_400)},
    ),
    Case(
        "I/O errors grow",
        {"CVM-04": (CRITICAL, "2 I/O errors grew to 5")},
        {"nioerr": ["2", "5"]},
    ),
    Case(
        "cache cleaned up every half hour",
        {"CVM-05": (WARNING, "cleaned up 48 times in 24 h")},
        {"ncleanup24": "48"},
    ),
    Case(
        "descriptors nearly used up",
        {"CVM-07": (WARNING, "92% of its descriptors")},
        {"usedfd": "60000"},
    ),
    Case("many catalogs", {"CVM-09": (WARNING, "153% of its descriptors")}, {"nclg": "10000"}),
    Case("inodes beyond 32 bits", {"CVM-10": (WARNING, "2147483648")}, {"inode_max": str(2**31)}),
    Case(
        "protected attributes",
        {
            "CVM-03": (UNKNOWN, "does not tell its revision"),
            "CVM-04": (UNKNOWN, "does not tell its I/O errors"),
            "CVM-07": (UNKNOWN, "does not tell its file descriptors"),
            "CVM-12": (OK, "all mounts carry"),
        },
        {"revision": None, "nioerr": None, "usedfd": None},
    ),
    Case(
        "all attributes protected",
        {
            **{
                f"CVM-{number:02}": (UNKNOWN, "does not tell anything of itself")
                for number in (2, 3, 4, 7, 8, 9, 10)
            },
            "CVM-12": (OK, "all mounts carry the client's attributes"),
        },
        dict.fromkeys(ATTRIBUTES),
    ),
    Case(
        "no attributes: NFS re-export",
        {
            "CVM-01": (OK, "can be read"),
            "CVM-02": (SKIPPED, "no attributes"),
            "CVM-03": (SKIPPED, "no attributes"),
            "CVM-04": (SKIPPED, "no attributes"),
            "CVM-07": (SKIPPED, "no attributes"),
            "CVM-08": (SKIPPED, "no attributes"),
            "CVM-09": (SKIPPED, "no attributes"),
            "CVM-10": (SKIPPED, "no attributes"),
            "CVM-12": (OK, "a re-export by NFS or a CSI driver"),
        },
        dict.fromkeys(ATTRIBUTES, -61),
    ),
    Case(
        "attributes that are nonsense",
        {"CVM-03": (UNKNOWN, "revision"), "CVM-09": (UNKNOWN, "catalogs")},
        {"revision": "many", "nclg": "-1", "proxy": "\x00\x1b[31m", "version": "9" * 600},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_state_of_a_mount_has_its_own_verdict(node: Node, case: Case) -> None:
    with mounted(node.mount, case.tree()):
        found = node.verdicts(cvmfs=over_http(42, age_s=100_000))
    for check, (status, text) in case.expected.items():
        assert (found[check].status, text in found[check].summary) == (status, True), found[check]
    # The partition is that of the machine that runs the test; the client's process is pid 1 here, which is none.
    elsewhere = {"CVM-05", "CVM-08", *case.expected}
    assert {check for check, result in found.items() if result.status is not OK} <= elsewhere
