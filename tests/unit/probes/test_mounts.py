"""Which mount holds a path: escapes, mounts over mounts, links, subvolumes, damage."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from probes import mounts
from probes.host import Host
from probes.live import LiveDoor

TEXT = r"""27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 27 0:40 / /data rw - xfs /dev/sdb rw
41 27 0:41 /a\040b /data/with\040blank rw master:3 propagate_from:2 - nfs4 filer:/x\134y rw,vers=4.2
42 27 0:42 / /over rw - ext4 /dev/sdc rw
43 42 0:43 / /over rw - lustre mgs@tcp:/fs rw
44 27 0:44 /sub /btrfs rw - btrfs /dev/sdd rw,subvol=/sub
not a mount
45 27
"""
MOUNTED = mounts.parse(TEXT)


def kind(path: str, device_id: str | None) -> str | None:
    found = mounts.holding(MOUNTED, path, device_id)
    return None if found is None else found.type


def test_lines_that_are_no_mounts_are_left_out() -> None:
    assert len(MOUNTED) == 6


def test_escapes_are_undone_and_optional_fields_skipped() -> None:
    mount = MOUNTED[2]
    assert (mount.root, mount.mount_point) == ("/a b", "/data/with blank")
    assert (mount.source, mount.options) == (r"filer:/x\y", "rw,vers=4.2")


def test_the_deepest_mount_above_the_path_counts() -> None:
    assert kind("/data/with blank/job", "0:41") == "nfs4"
    assert kind("/data/without", "0:40") == "xfs"
    assert kind("/database", "254:1") == "ext4"


def test_a_mount_over_a_mount_hides_it() -> None:
    assert kind("/over/job", "0:43") == "lustre"
    assert kind("/over", None) == "lustre"


def test_the_device_sees_through_a_symbolic_link() -> None:
    assert kind("/link/to/data", "0:40") == "xfs"


def test_a_subvolume_has_a_device_that_no_line_shows() -> None:
    assert kind("/btrfs/job", "0:99") == "btrfs"


def test_without_any_line_there_is_no_answer() -> None:
    assert mounts.holding((), "/", "254:1") is None


@given(st.text(alphabet=st.sampled_from("0 -\\/\n:a7\x00�"), max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    assert len(mounts.parse(text)) <= text.count("\n") + 1


def test_this_machine_agrees_with_findmnt(tmp_path: Path) -> None:
    told = subprocess.run(
        ["findmnt", "-n", "-o", "FSTYPE", "-T", tmp_path], capture_output=True, text=True, check=True
    )
    host = Host(LiveDoor())
    path = os.fspath(tmp_path)
    found = mounts.holding(mounts.read(host), path, host.stat(path).device_id)
    assert found is not None
    assert found.type == told.stdout.strip()
