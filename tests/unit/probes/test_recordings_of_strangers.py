"""A recording from a stranger is read without harm."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from probes.answers import Json
from probes.errors import HostError, RecordingError
from probes.host import Host
from probes.recording_layout import ANSWERS, MANIFEST
from probes.replay import MAX_ANSWERS_BYTES, Recording
from tests.unit.probes.recordings import by_hand, replay

LINE = {"ask": "file", "args": ["/x", 9], "by": "t"}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / MANIFEST).unlink(), "is not a recording: recording.json: No such file"),
        (lambda folder: (folder / ANSWERS).unlink(), "no readable answers.jsonl: No such file"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "recording.json is not JSON"),
        (lambda folder: (folder / MANIFEST).write_text("[" * 60000), "recording.json is not JSON"),
        (lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe"), "recording.json is not JSON"),
        (lambda folder: (folder / MANIFEST).write_text("[]"), "recording_version none"),
        (lambda folder: by_hand(folder, version="2.0"), "recording_version 2.0; this agent reads 1.0"),
        (lambda folder: by_hand(folder, version=None), "recording_version None"),
        (lambda folder: (folder / ANSWERS).write_text('{"ask": "fi'), "line 1: not JSON"),
        (lambda folder: (folder / ANSWERS).write_text("\n[]\n"), "line 2: needs ask, args"),
        (lambda folder: (folder / ANSWERS).write_text("[" * 100_000), "line 1: not JSON"),
        (lambda folder: (folder / ANSWERS).write_bytes(b"\x00\xff\xfe"), "is not UTF-8 text"),
        (lambda folder: os.truncate(folder / ANSWERS, MAX_ANSWERS_BYTES + 1), "is larger than"),
        (lambda folder: by_hand(folder, LINE), "line 1: needs"),
        (lambda folder: by_hand(folder, {**LINE, "error": "ENOENT"}), "line 1: needs"),
        (lambda folder: by_hand(folder, {**LINE, "error": ["ENOENT", 3]}), "line 1: needs"),
        (lambda folder: by_hand(folder, {**LINE, "args": "/x", "answer": 1}), "line 1: needs"),
        (lambda folder: by_hand(folder, {"ask": "env", "args": [], "answer": "x"}), "line 1"),
        (lambda folder: (folder / "root").symlink_to("/"), "root is a link"),
    ],
)
def test_a_damaged_recording_is_refused_in_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], Any], words: str
) -> None:
    folder = by_hand(tmp_path / "r", {**LINE, "answer": {"text": "x"}})
    spoil(folder)

    with pytest.raises(RecordingError) as caught:
        Recording(folder)

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("place", ["none", "file", "binary"])
def test_what_is_no_directory_at_all_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("{}")
    (tmp_path / "binary").write_bytes(bytes(range(256)))

    with pytest.raises(RecordingError, match="is not a recording"):
        Recording(tmp_path / place)


def test_a_pipe_in_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    folder = by_hand(tmp_path / "r")
    (folder / MANIFEST).unlink()
    os.mkfifo(folder / MANIFEST)
    with pytest.raises(RecordingError, match="not a regular file"):
        Recording(folder)

    by_hand(tmp_path / "s")
    (tmp_path / "s" / ANSWERS).unlink()
    os.mkfifo(tmp_path / "s" / ANSWERS)
    with pytest.raises(RecordingError, match="not a regular file"):
        Recording(tmp_path / "s")


def test_no_link_of_a_stranger_s_tree_leads_to_this_machine(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of this machine")
    folder = by_hand(tmp_path / "r")
    root = folder / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text("inner")
    (root / "absolute").symlink_to(tmp_path / "secret")
    (root / "relative").symlink_to("../../secret")
    (root / "passwd").symlink_to("/etc/passwd")
    (root / "up").symlink_to("../../..")
    host = replay(folder)

    assert host.read_text("/passwd") == "inner"
    assert host.read_text("/../../../etc/passwd") == "inner"
    assert host.read_text("//etc/passwd") == "inner"
    assert host.read_text("/up/etc/passwd") == "inner"
    assert host.list_dir("/up") == host.list_dir("/")
    for path in (
        "/absolute",
        "/relative",
        str(tmp_path / "secret"),
        f"/{tmp_path}/secret",
        "/etc/../../secret",
    ):
        with pytest.raises(HostError) as caught:
            host.read_bytes(path)
        assert caught.value.errno_name == "ENOENT", path


def test_a_line_is_a_key_and_never_a_path(tmp_path: Path) -> None:
    path = "../../etc/passwd"
    folder = by_hand(
        tmp_path / "r", {"ask": "file", "args": [path, 1], "by": path, "answer": {"text": "kept"}}
    )

    assert replay(folder).read_text(path) == "kept"


@pytest.mark.parametrize(
    ("kind", "args", "answer", "ask"),
    [
        ("file", ["/x"], {"base64": "!!"}, lambda host: host.read_bytes("/x")),
        ("file", ["/x"], {"text": 3}, lambda host: host.read_bytes("/x")),
        ("file", ["/x"], [1, 2], lambda host: host.read_bytes("/x")),
        ("file", ["/x"], {"text": "\ud800"}, lambda host: host.read_bytes("/x")),
        ("now", [], "noon", lambda host: host.now()),
        ("now", [], 1e300, lambda host: host.now()),
        ("now", [], None, lambda host: host.now()),
        ("uname", [], ["Linux"], lambda host: host.system_name()),
        ("uname", [], 5, lambda host: host.system_name()),
        ("uname", [], [1, 2, 3, 4, 5], lambda host: host.system_name()),
        ("stat", ["/x", True], ["file", "rw", 0, 0, 0, "1:2"], lambda host: host.stat("/x")),
        ("dir", ["/x"], {"a": 1}, lambda host: host.list_dir("/x")),
        ("dir", ["/x"], [1], lambda host: host.list_dir("/x")),
        ("affinity", [], ["a"], lambda host: host.affinity()),
        ("affinity", [], [[]], lambda host: host.affinity()),
        ("limit", ["NOFILE"], [1], lambda host: host.limit("NOFILE")),
        ("run", [["id"]], [0, "x"], lambda host: host.run(["id"])),
        ("run", [["id"]], ["zero", "x", "y"], lambda host: host.run(["id"])),
        ("space", ["/x"], "plenty", lambda host: host.space("/x")),
        ("resolve", ["h"], [1, [], None, 0], lambda host: host.resolve("h")),
        ("http", ["u", {}, None], [200, [], "", 0, None, 0], lambda host: host.http_get("u")),
    ],
)
def test_an_answer_of_the_wrong_shape_is_the_host_s_error(
    tmp_path: Path, kind: str, args: list[Json], answer: Json, ask: Callable[[Host], object]
) -> None:
    host = replay(by_hand(tmp_path / "r", {"ask": kind, "args": args, "by": "t", "answer": answer}))

    with pytest.raises(HostError) as caught:
        ask(host)

    assert caught.value.errno_name == "EBADANSWER"
