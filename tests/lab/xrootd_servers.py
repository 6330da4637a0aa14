"""The XRootD servers that the tests share, as fixtures; each starts when it is first asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TypeVar

import pytest

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.xrootd import Cluster, Server, XrootdLab, running

Started = TypeVar("Started")


@pytest.fixture(scope="session")
def xrootd_lab() -> Iterator[XrootdLab]:
    """Authority, issuer and ROOT file for XRootD servers; each test starts those that it wants."""
    with contextlib.ExitStack() as stack:
        try:
            lab = stack.enter_context(running())
        except LabUnavailableError as reason:
            skip_or_fail(reason)
        yield lab


@pytest.fixture(scope="session")
def xrootd_server(xrootd_lab: XrootdLab) -> Iterator[Server]:
    """A healthy stand-alone server."""
    with _or_skipped(xrootd_lab.serving("plain")) as server:
        yield server


@pytest.fixture(scope="session")
def xrootd_cluster(xrootd_lab: XrootdLab) -> Iterator[Cluster]:
    """A healthy redirector with two data servers."""
    with _or_skipped(xrootd_lab.cluster()) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def xrootd_tokens(xrootd_lab: XrootdLab) -> Iterator[Server]:
    """A healthy server that demands TLS and a token."""
    with _or_skipped(xrootd_lab.with_tokens()) as server:
        yield server


@pytest.fixture(scope="session")
def xrootd_gsi(xrootd_lab: XrootdLab) -> Iterator[Server]:
    """A healthy server that wants a VOMS proxy."""
    with _or_skipped(xrootd_lab.with_gsi()) as server:
        yield server


@contextlib.contextmanager
def _or_skipped(manager: contextlib.AbstractContextManager[Started]) -> Iterator[Started]:
    with contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(manager)
        except LabUnavailableError as reason:
            skip_or_fail(reason)
        yield found
