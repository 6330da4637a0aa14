"""The user's name leaves no path of the profile, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.private_text import PrivateText
from tests.unit.probes.slot_hosts import host


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/alice/job", "/home/$USER/job"),
        ("/home/alice", "/home/$USER"),
        ("A=/home/alice/x B=/tmp/alice: gone", "A=/home/$USER/x B=/tmp/$USER: gone"),
        ("/home/alice2/alice.d/my-alice", "/home/alice2/alice.d/my-alice"),
        ("alice is no path", "alice is no path"),
        ("/bad/\udcff/alice", "/bad/?/$USER"),
    ],
)
def test_only_the_component_that_is_the_user(tmp_path: Path, text: str, shown: str) -> None:
    for number, name in enumerate(("USER", "LOGNAME")):
        place = host(tmp_path / str(number), env={name: "alice"})
        assert PrivateText(place).hide(text) == shown


def test_an_account_of_the_system_names_nobody(tmp_path: Path) -> None:
    assert PrivateText(host(tmp_path, env={"USER": "root"})).hide("/root/work") == "/root/work"


def test_a_name_with_signs_is_no_pattern(tmp_path: Path) -> None:
    private = PrivateText(host(tmp_path, env={"USER": "a.b+"}))
    assert private.hide("/home/a.b+/x /home/axbb/x") == "/home/$USER/x /home/axbb/x"


def test_without_a_name_nothing_changes(tmp_path: Path) -> None:
    assert PrivateText(host(tmp_path)).hide("/home/alice") == "/home/alice"
