"""Recordings: the same answers again, or a sentence why not."""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from probes.answers import Json
from probes.errors import HostError, RecordingError
from probes.host import Host
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin
from probes.recording_layout import ANSWERS
from probes.redact import Redactor
from tests.unit.probes.recordings import by_hand, end, record, replay

CLONE_NEWNS = 0x20000
MS_REC_PRIVATE = 0x4000 | 0x40000


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

    seen = record(tmp_path / "recording", ask, redactor)

    assert ask(replay(tmp_path / "recording")) == seen
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

    assert record(tmp_path / "recording", ask, redactor) == "found"
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

    seen = record(tmp_path / "recording", ask, Redactor({}, b"key"))
    assert reached == ["137.138.4.5"]
    assert ask(replay(tmp_path / "recording")) == seen
    assert reached == ["137.138.4.5"]
    assert "137.138.4.5" not in (tmp_path / "recording" / ANSWERS).read_text()


def test_the_value_of_a_secret_is_neither_kept_nor_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEARER_TOKEN", "eyJhbGciOi")

    seen = record(tmp_path / "r", lambda host: (host.env("BEARER_TOKEN"), host.has_env("BEARER_TOKEN")))

    assert seen == ("[secret]", True)
    assert "eyJhbGciOi" not in (tmp_path / "r" / ANSWERS).read_text()


def test_answers_that_change_come_in_their_order_and_the_last_stays(tmp_path: Path) -> None:
    lines: list[dict[str, Json]] = [
        {"ask": "now", "args": [], "by": "test", "answer": number} for number in (1, 2)
    ]
    host = replay(by_hand(tmp_path / "r", *lines))

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
    host = replay(by_hand(tmp_path / "r"))

    for ask in (lambda: host.read_bytes("/etc/passwd"), lambda: host.run(["id"]), host.now, host.affinity):
        with pytest.raises(HostError) as caught:
            ask()
        assert caught.value.errno_name == "ENOTRECORDED"
    assert host.env("HOME") is None
    assert host.which("sh") is None
    assert host.env_names("") == ()


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
        end(target)
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
