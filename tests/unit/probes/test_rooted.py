"""Paths of a rooted tree: what chroot(2) would do, and never a step outside."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import HostError
from probes.host import Host
from probes.live import LiveDoor
from probes.rooted import MAX_LINKS, resolve

NAMES = ("a", "b", "c", "..", ".", "", "link", "etc", "\udcff")
PATHS = st.builds(
    lambda lead, parts: lead + "/".join(parts),
    st.sampled_from(("", "/", "//")),
    st.lists(st.sampled_from(NAMES), max_size=8),
)


def _inside(root: str, path: str) -> bool:
    return path == root or path.startswith(root + "/")


@given(
    links=st.dictionaries(st.sampled_from(("a", "b", "c", "link")), PATHS.filter(bool), max_size=4),
    path=PATHS,
    follow_last=st.booleans(),
)
def test_no_path_and_no_link_leads_out_of_the_root(
    links: dict[str, str], path: str, follow_last: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.realpath(folder)
        for name, target in links.items():
            os.symlink(target, os.path.join(root, name))
        try:
            found = resolve(root, "/" + path, follow_last=follow_last)
        except HostError:
            return  # a loop; the test below holds it against ELOOP
        assert _inside(root, os.path.normpath(found))
        if follow_last:
            # The kernel, asked for the mapped path, does not leave the tree either.
            assert _inside(root, os.path.realpath(found))


def test_an_absolute_link_stays_in_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("ID=inner\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").symlink_to("/usr/lib/os-release")

    assert resolve(str(tmp_path), "/etc/os-release") == str(tmp_path / "usr/lib/os-release")


def test_a_link_of_the_last_component_is_kept_when_asked(tmp_path: Path) -> None:
    (tmp_path / "now").symlink_to("/then")

    assert resolve(str(tmp_path), "/now", follow_last=False) == str(tmp_path / "now")
    assert resolve(str(tmp_path), "/now") == str(tmp_path / "then")


@pytest.mark.parametrize("path", ["/../../../etc/passwd", "/a/../../etc/passwd", "/up/etc/passwd"])
def test_dotdot_stops_at_the_root(tmp_path: Path, path: str) -> None:
    (tmp_path / "up").symlink_to("../../../../../..")

    assert resolve(str(tmp_path), path) == str(tmp_path / "etc/passwd")


def test_dotdot_after_a_link_is_relative_to_the_target(tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "in").symlink_to("/deep/er")

    assert resolve(str(tmp_path), "/in/../x") == str(tmp_path / "deep/x")


def test_a_loop_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("/a")

    with pytest.raises(HostError) as caught:
        resolve(str(tmp_path), "/a/x")

    assert caught.value.errno_name == "ELOOP"


def test_as_many_links_as_the_kernel_follows_are_followed(tmp_path: Path) -> None:
    for number in range(MAX_LINKS):
        (tmp_path / f"l{number}").symlink_to(f"l{number + 1}")
    (tmp_path / f"l{MAX_LINKS}").write_text("end")

    assert resolve(str(tmp_path), "/l0") == str(tmp_path / f"l{MAX_LINKS}")
    assert Path(resolve("/", str(tmp_path / "l0"))).read_text() == "end"


def test_a_nul_byte_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        resolve(str(tmp_path), "/etc/\0passwd")

    assert caught.value.errno_name == "EINVAL"


def test_the_real_root_passes_paths_through() -> None:
    assert resolve("/", "/proc/self/../version") == "/proc/self/../version"


def test_another_root_is_only_looked_at(tmp_path: Path) -> None:
    program = tmp_path / "usr" / "bin" / "only-there"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    host = Host(LiveDoor(str(tmp_path)))
    assert host.which("only-there") == "/usr/bin/only-there"
    assert host.which("sh") is None
    with pytest.raises(HostError, match="no command is run"):
        host.run(["/usr/bin/only-there"])
