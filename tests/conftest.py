"""Fixtures for all tests: labs of real components, and an environment that holds nothing of the caller's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline would make a test's verdict depend on how busy the machine is.
settings.register_profile("sitecap", deadline=None)
settings.load_profile("sitecap")

pytest_plugins = [
    "tests.lab.containers",  # first: the next two import it
    "tests.lab.apptainer",
    "tests.lab.condor",
    "tests.lab.postgres",  # before the next, which imports it
    "tests.lab.databases",
    "tests.lab.full_disk",
    "tests.lab.helm",
    "tests.lab.images",
    "tests.lab.promtool",
    "tests.lab.schedule",
    "tests.lab.slurm",
    "tests.lab.squid",
    "tests.lab.vm",
    "tests.lab.xrootd_servers",
]


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private state directory, so that parallel tests do not wait for one another's node lock."""
    for name in [name for name in os.environ if name.startswith("SITECAP_") and name != "SITECAP_LABS"]:
        monkeypatch.delenv(name)
    state: Path = tmp_path_factory.mktemp("run")
    state.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(state))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(state / "config"))
