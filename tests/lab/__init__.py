"""Real components for the integration tests: container engines, batch systems, virtual machines.

Each lab is a module with pytest fixtures of session scope; what is costly to make is kept by
:mod:`tests.lab.cache`.  A lab that cannot be had here raises :class:`LabUnavailableError`, and the tests
that want it are skipped with its sentence.  Where the labs must be there (a CI machine), set
``SITECAP_LABS=require``: the same sentence is then a failure, so that nothing is skipped unnoticed.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


class LabUnavailableError(Exception):
    """This lab cannot be had on this machine; the message says why, and what would bring it."""


def skip_or_fail(reason: LabUnavailableError) -> NoReturn:
    """End the current test as skipped, or as failed where ``SITECAP_LABS=require``."""
    if os.environ.get("SITECAP_LABS") == "require":
        pytest.fail(f"lab required but not available: {reason}", pytrace=False)
    pytest.skip(f"lab not available: {reason}")


def need_root() -> None:
    """Most labs mount, set up cgroups and make network namespaces.

    Raises:
        LabUnavailableError: when not root.
    """
    if os.geteuid() != 0:
        raise LabUnavailableError("this lab needs root (mounts, cgroups, network namespaces)")


def need_commands(*names: str) -> None:
    """Check that commands are installed.

    Raises:
        LabUnavailableError: naming those that are not, and how to get them.
    """
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise LabUnavailableError(
            f"not installed: {', '.join(missing)}; run tests/lab/install-components.sh as root"
        )
