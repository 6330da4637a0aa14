"""A node for each test, where FUSE is to be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cvmfs_mount.node import Node
from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.fuse_hang import missing


@pytest.fixture(autouse=True)
def _fuse() -> None:
    reason = missing()
    if reason is not None:
        skip_or_fail(LabUnavailableError(f"no FUSE file system: {reason}"))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node")
