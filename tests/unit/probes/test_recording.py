"""Recordings: the same answers again, and a directory from a stranger is read without harm."""

from __future__ import annotations

import ctypes
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from probes.answers import Json
from probes.errors import HostError, RecordingError
from probes.host import Host
from probes.live import LiveDoor
from probes.recording import (
    ANSWERS,
    MANIFEST,
    MAX_ANSWERS_BYTES,
    Recording,
    RecordingDoor,
    ReplayDoor,
    begin,
    finish,
)
from probes.redact import Redactor

CLONE_NEWNS = 0x20000
MS_REC_PRIVATE = 0x4000 | 0x40000


def _finish(folder: Path) -> None:
    finish(folder, agent_version="0", created_at="2026-01-01T00:00:00+00:00", redacted=True)


def _record(folder: Path, ask: Callable[[Host], object], redactor: Redactor | None = None) -> object:
    begin(folder)
    door = RecordingDoor(LiveDoor(), folder, "test", redactor)
    answer = ask(Host(door))
    door.close()
    assert door.failure is None
    _finish(folder)
    return answer


def _replay(folder: Path, by: str = "test") -> Host:
    return Host(ReplayDoor(Recording(folder), by))


def _by_hand(folder: Path, *lines: object, version: object = "1.0") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_text(json.dumps({"recording_version": version}))
    (folder / ANSWERS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def _answer_or_error(ask: Callable[[Host], object], host: Host) -> object:
    try:
        return ask(host)
    except HostError as error:
        return (error.errno_name, error.text)


QUESTIONS: dict[str, Callable[[Host, Path], object]] = {
    "text": lambda host, folder: host.read_bytes(str(folder / "text")),
    "binary": lambda host, folder: host.read_bytes(str(folder / "binary")),
    "not UTF-8": lambda host, folder: host.read_text(str(folder / "binary")),
    "missing file": lambda host, folder: host.read_bytes(str(folder / "none")),
    "too large": lambda host, folder: host.read_bytes(str(folder / "text"), limit_bytes=3),
    "directory": lambda host, folder: host.list_dir(str(folder)),
    "link": lambda host, folder: host.read_link(str(folder / "link")),
    "status": lambda host, folder: host.stat(str(folder / "link"), follow=False),
    "space": lambda host, folder: host.space(str(folder)),
    "which": lambda host, folder: host.which("sh"),
    "command": lambda host, folder: host.run(["sh", "-c", "echo out; echo err >&2; exit 3"]),
    "no command": lambda host, folder: host.run(["sitecap-no-such-program"]),
    "affinity": lambda host, folder: host.affinity(),
    "limit": lambda host, folder: host.limit("NOFILE"),
    "no limit": lambda host, folder: host.limit("SUCH"),
    "uname": lambda host, folder: host.system_name(),
    "identity": lambda host, folder: host.identity(),
    "clock": lambda host, folder: host.now(),
    "variable": lambda host, folder: (host.env("SITECAP_T"), host.env("SITECAP_NONE"), host.has_env("SITECAP_T")),
    "write": lambda host, folder: host.try_write(str(folder), 4096),
    "device": lambda host, folder: host.try_open("/dev/null"),
    "observation": lambda host, folder: host.observe("test.seen", [1], lambda: {"seen": [1, None, 2.5]}),
}  # fmt: skip


@pytest.mark.parametrize("redacted", [False, True])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_replay_answers_as_the_recording_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str, redacted: bool
) -> None:
    monkeypatch.setenv("SITECAP_T", "of jdoe")
    files = tmp_path / "files"
    files.mkdir()
    (files / "text").write_text("inet 137.138.4.5 übung jdoe\n")
    (files / "binary").write_bytes(bytes(range(256)))
    (files / "link").symlink_to("text")
    redactor = Redactor({"jdoe": "user"}, b"key") if redacted else None

    def ask(host: Host) -> object:
        return _answer_or_error(lambda asked: QUESTIONS[question](asked, files), host)

    seen = _record(tmp_path / "recording", ask, redactor)

    assert ask(_replay(tmp_path / "recording")) == seen
    kept = (tmp_path / "recording" / ANSWERS).read_text()
    if redacted:
        assert "jdoe" not in kept
        assert "137.138.4.5" not in kept


def test_a_pseudonym_can_be_asked_about(tmp_path: Path) -> None:
    (tmp_path / "peer").write_text("peer is wn042\n")
    (tmp_path / "wn042").write_text("found")

    def ask(host: Host) -> str:
        name = host.read_text(str(tmp_path / "peer")).split()[-1]
        assert name != "wn042"
        return host.read_text(str(tmp_path / name))

    redactor = Redactor({"wn042": "host"}, b"key")

    assert _record(tmp_path / "recording", ask, redactor) == "found"
    assert "wn042" not in (tmp_path / "recording" / ANSWERS).read_text()


def test_an_observation_reaches_what_stands_behind_a_pseudonym(tmp_path: Path) -> None:
    (tmp_path / "peer").write_text("door 137.138.4.5\n")
    reached: list[str] = []

    def ask(host: Host) -> object:
        name = host.read_text(str(tmp_path / "peer")).split()[-1]

        def live() -> str:
            reached.append(host.real(name))
            return f"connected to {reached[0]}"

        return host.observe("connection", [name], live)

    seen = _record(tmp_path / "recording", ask, Redactor({}, b"key"))
    assert reached == ["137.138.4.5"]
    assert ask(_replay(tmp_path / "recording")) == seen
    assert reached == ["137.138.4.5"]
    assert "137.138.4.5" not in (tmp_path / "recording" / ANSWERS).read_text()


def test_the_value_of_a_secret_is_neither_kept_nor_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEARER_TOKEN", "eyJhbGciOi")

    seen = _record(tmp_path / "r", lambda host: (host.env("BEARER_TOKEN"), host.has_env("BEARER_TOKEN")))

    assert seen == ("[secret]", True)
    assert "eyJhbGciOi" not in (tmp_path / "r" / ANSWERS).read_text()


def test_answers_that_change_come_in_their_order_and_the_last_stays(tmp_path: Path) -> None:
    lines: list[dict[str, Json]] = [
        {"ask": "now", "args": [], "by": "test", "answer": number} for number in (1, 2)
    ]
    host = _replay(_by_hand(tmp_path / "r", *lines))

    assert [host.now().timestamp() for _ in range(3)] == [1, 2, 2]


def test_a_recording_is_private_and_never_mixed_with_something_else(tmp_path: Path) -> None:
    begin(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700

    (tmp_path / "full").mkdir()
    (tmp_path / "full/precious").write_text("x")
    with pytest.raises(RecordingError, match="not empty: name a new directory"):
        begin(tmp_path / "full")
    with pytest.raises(RecordingError, match="File exists"):
        begin(tmp_path / "full/precious")
    with pytest.raises(RecordingError, match="Not a directory"):
        begin(tmp_path / "full/precious/below")


def test_what_was_not_recorded_is_said_to_be_so(tmp_path: Path) -> None:
    host = _replay(_by_hand(tmp_path / "r"))

    for ask in (lambda: host.read_bytes("/etc/passwd"), lambda: host.run(["id"]), host.now, host.affinity):
        with pytest.raises(HostError) as caught:
            ask()
        assert caught.value.errno_name == "ENOTRECORDED"
    assert host.env("HOME") is None
    assert host.which("sh") is None
    assert host.env_names("") == ()


# -- from strangers -------------------------------------------------------------------------------------------

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
        (lambda folder: _by_hand(folder, version="2.0"), "recording_version 2.0; this agent reads 1.0"),
        (lambda folder: _by_hand(folder, version=None), "recording_version None"),
        (lambda folder: (folder / ANSWERS).write_text('{"ask": "fi'), "line 1: not JSON"),
        (lambda folder: (folder / ANSWERS).write_text("\n[]\n"), "line 2: needs ask, args"),
        (lambda folder: (folder / ANSWERS).write_text("[" * 100_000), "line 1: not JSON"),
        (lambda folder: (folder / ANSWERS).write_bytes(b"\x00\xff\xfe"), "is not UTF-8 text"),
        (lambda folder: os.truncate(folder / ANSWERS, MAX_ANSWERS_BYTES + 1), "is larger than"),
        (lambda folder: _by_hand(folder, LINE), "line 1: needs"),
        (lambda folder: _by_hand(folder, {**LINE, "error": "ENOENT"}), "line 1: needs"),
        (lambda folder: _by_hand(folder, {**LINE, "error": ["ENOENT", 3]}), "line 1: needs"),
        (lambda folder: _by_hand(folder, {**LINE, "args": "/x", "answer": 1}), "line 1: needs"),
        (lambda folder: _by_hand(folder, {"ask": "env", "args": [], "answer": "x"}), "line 1"),
        (lambda folder: (folder / "root").symlink_to("/"), "root is a link"),
    ],
)
def test_a_damaged_recording_is_refused_in_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], Any], words: str
) -> None:
    folder = _by_hand(tmp_path / "r", {**LINE, "answer": {"text": "x"}})
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
    folder = _by_hand(tmp_path / "r")
    (folder / MANIFEST).unlink()
    os.mkfifo(folder / MANIFEST)
    with pytest.raises(RecordingError, match="not a regular file"):
        Recording(folder)

    _by_hand(tmp_path / "s")
    (tmp_path / "s" / ANSWERS).unlink()
    os.mkfifo(tmp_path / "s" / ANSWERS)
    with pytest.raises(RecordingError, match="not a regular file"):
        Recording(tmp_path / "s")


def test_no_link_of_a_stranger_s_tree_leads_to_this_machine(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of this machine")
    folder = _by_hand(tmp_path / "r")
    root = folder / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text("inner")
    (root / "absolute").symlink_to(tmp_path / "secret")
    (root / "relative").symlink_to("../../secret")
    (root / "passwd").symlink_to("/etc/passwd")
    (root / "up").symlink_to("../../..")
    host = _replay(folder)

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
    folder = _by_hand(
        tmp_path / "r", {"ask": "file", "args": [path, 1], "by": path, "answer": {"text": "kept"}}
    )

    assert _replay(folder).read_text(path) == "kept"


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
    host = _replay(_by_hand(tmp_path / "r", {"ask": kind, "args": args, "by": "t", "answer": answer}))

    with pytest.raises(HostError) as caught:
        ask(host)

    assert caught.value.errno_name == "EBADANSWER"


# -- a full disk ----------------------------------------------------------------------------------------------


def _on_a_full_disk(folder: Path) -> str:
    """Runs in a child with its own mounts: what the recorder says when its tmpfs of 64 KiB is full."""
    libc = ctypes.CDLL(None, use_errno=True)
    private = libc.unshare(CLONE_NEWNS) == 0 and libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None) == 0
    if not private or libc.mount(b"full", os.fsencode(folder), b"tmpfs", 0, b"size=64k") != 0:
        return f"no mount: {os.strerror(ctypes.get_errno())}"
    target = folder / "recording"
    begin(target)
    door = RecordingDoor(LiveDoor(), target, "test", None)
    host = Host(door)
    answers = {host.run(["printf", "%s", "x" * 30_000]).stdout for _ in range(4)}
    door.close()
    try:
        _finish(target)
    except RecordingError as error:
        return f"{len(answers)} answer; {door.failure}; {str(error).replace(str(target), 'DIR')}"
    return "finished"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_disk_is_said_and_the_probe_still_gets_its_answers(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, _on_a_full_disk(tmp_path).encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    said = os.read(reading, 4096).decode()
    os.close(reading)
    os.waitpid(child, 0)

    if said.startswith("no mount"):
        pytest.skip(said)
    assert said == (
        "1 answer; the recording is incomplete: No space left on device; "
        "cannot finish the recording in DIR: No space left on device; free some space and run again"
    )
