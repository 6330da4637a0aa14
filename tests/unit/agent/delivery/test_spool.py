from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.delivery.errors import SpoolError
from agent.delivery.names import name_of, one_line
from agent.delivery.spool import Bounds, Spool
from tests.unit.agent.delivery.examples import id_of, numbered, reasons

DAY_S = 86_400.0
ROOMY = Bounds(10**9, DAY_S)
ROOT = Path(__file__).parents[4]


def spool(directory: Path, bounds: Bounds = ROOMY) -> Spool:
    return Spool(directory / "spool", bounds)


def age(path: Path, by_s: float) -> None:
    then_s = time.time() - by_s
    os.utime(path, (then_s, then_s))


def ids(one: Spool) -> list[str]:
    return [name.id for name in one.waiting()]


def losses(one: Spool) -> list[str]:
    path = one.directory / "lost.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line)["document"].partition(".")[0] for line in lines]


def test_waits_in_order_of_making_whatever_the_order_of_putting(tmp_path: Path) -> None:
    one = spool(tmp_path)
    for number in (3, 1, 2):
        one.put(numbered(number))
    assert ids(one) == [id_of(1), id_of(2), id_of(3)]


def test_the_file_is_the_profile_on_one_line(tmp_path: Path) -> None:
    document = json.dumps(json.loads(numbered(1)), indent=2).encode()
    path = spool(tmp_path).put(document)
    assert json.loads(path.read_bytes()) == json.loads(document)
    assert path.read_bytes().count(b"\n") == 0


def test_the_same_twice_is_there_once(tmp_path: Path) -> None:
    one = spool(tmp_path)
    assert one.put(numbered(1)) == one.put(numbered(1))
    assert ids(one) == [id_of(1)]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"{", "not JSON"),
        (b"[1]", "no id"),
        (b'{"id": "x"}', "no id"),
        (b'{"id": "../../../../etc/passwd"}', "no id"),
        (b'{"id": "01900001-ac96-474b-bcce-b302099a8057"}', "no id"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_profile_is_not_kept(tmp_path: Path, document: bytes, says: str) -> None:
    one = spool(tmp_path)
    with pytest.raises(SpoolError, match=says):
        one.put(document)
    assert ids(one) == []


def test_nothing_but_whole_documents_is_ever_seen(tmp_path: Path) -> None:
    one = spool(tmp_path)
    path = one.put(numbered(1))
    (one.directory / f".{path.name}.0000.part").write_bytes(b"{")
    (one.directory / "README").write_bytes(b"ours")
    assert ids(one) == [id_of(1)]


def test_claimed_by_one_only(tmp_path: Path) -> None:
    one, other = spool(tmp_path), spool(tmp_path)
    one.put(numbered(1))
    (name,) = one.waiting()
    held = one.claim(name)
    assert held is not None
    assert other.claim(name) is None
    held.release()
    again = other.claim(name)
    assert again is not None
    again.remove()
    assert one.claim(name) is None


def test_a_claim_of_what_was_removed_meanwhile_is_none(tmp_path: Path) -> None:
    """Between opening and locking, another agent may have finished with the document and a third put it again."""
    one = spool(tmp_path)
    one.put(numbered(1))
    (name,) = one.waiting()
    first = one.claim(name)
    assert first is not None
    first.remove()
    assert one.claim(name) is None
    one.put(numbered(1))
    assert one.claim(name) is not None


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    one = spool(tmp_path)
    one.put(numbered(1))
    code = (
        "import os,signal,sys;from pathlib import Path;from agent.delivery.spool import *;"
        "s=Spool(Path(sys.argv[1]),Bounds(10**9,1e9));c=s.claim(s.waiting()[0]);assert c;"
        "print('held',flush=True);signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, one.directory], stdout=subprocess.PIPE, cwd=ROOT
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert one.claim(one.waiting()[0]) is None
        holder.kill()
        holder.wait()
    assert one.claim(one.waiting()[0]) is not None


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data.replace(b"cores", b"coreZ", 1)])
def test_a_cut_off_or_changed_file_is_known(tmp_path: Path, damage: object) -> None:
    one = spool(tmp_path)
    path = one.put(numbered(1))
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    held = one.claim(one.waiting()[0])
    assert held is not None
    assert not held.intact


def test_full_the_set_aside_go_first_then_the_oldest_and_it_is_written_down(tmp_path: Path) -> None:
    size = len(one_line(numbered(1)))
    one = spool(tmp_path, Bounds(5 * size, DAY_S))
    for number in range(5):
        one.put(numbered(number))
    held = one.claim(one.waiting()[3])
    assert held is not None
    held.set_aside("a reason")
    one.put(numbered(5))
    assert id_of(3) in losses(one)
    assert ids(one)[-1] == id_of(5)
    assert set(losses(one)) | set(ids(one)) == {id_of(number) for number in range(6)}
    assert losses(one)[1:] == [id_of(number) for number in range(len(losses(one)) - 1)]
    assert bytes_in(one) <= 5 * size


def test_what_is_given_up_is_told_once_and_written_down_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An agent that dies while it makes room has noted more than it deleted, not less."""
    size = len(one_line(numbered(1)))
    one = spool(tmp_path, Bounds(40 * size, DAY_S))
    for number in range(40):
        one.put(numbered(number))
    unlink, unlinked = Path.unlink, []

    def killed_at_the_second(self: Path, missing_ok: bool = False) -> None:
        if len(unlinked) == 1:
            raise KeyboardInterrupt
        unlinked.append(self.name)
        unlink(self, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            one.put(numbered(40))
    assert losses(one) == [id_of(0), id_of(1)]
    assert ids(one)[0] == id_of(1)
    one.put(numbered(40))
    assert "gave up 2 profiles: the spool is full" in caplog.text
    assert len(caplog.records) == 1


def test_what_another_agent_is_sending_is_not_given_up(tmp_path: Path) -> None:
    size = len(one_line(numbered(1)))
    one = spool(tmp_path, Bounds(2 * size, DAY_S))
    one.put(numbered(0))
    one.put(numbered(1))
    held = [one.claim(name) for name in one.waiting()]
    with pytest.raises(SpoolError, match="full"):
        one.put(numbered(2))
    assert ids(one) == [id_of(0), id_of(1)]
    held[1].release()  # type: ignore[union-attr]
    one.put(numbered(2))
    assert ids(one) == [id_of(0), id_of(2)]


def test_the_bound_holds_whatever_dies_where(tmp_path: Path) -> None:
    """An agent that dies between counting and writing, or after removing, leaves a number that is too high."""
    size = len(one_line(numbered(1)))
    one = spool(tmp_path, Bounds(10 * size, DAY_S))
    for number in range(9):
        one.put(numbered(number))
    for name in one.waiting()[:5]:
        (one.directory / name.file).unlink()  # and nobody counted
    one.put(numbered(10))
    one.put(numbered(11))
    assert len(ids(one)) == 6
    assert losses(one) == []
    (one.directory / ".usage").write_bytes(b"")  # after a power failure
    one.put(numbered(12))
    assert len(ids(one)) == 7
    assert losses(one) == []


def test_too_old_is_set_aside_and_then_given_up(tmp_path: Path) -> None:
    one = spool(tmp_path)
    age(one.put(numbered(1)), DAY_S + 60)
    one.put(numbered(2))
    assert one.tidy() == 1
    assert ids(one) == [id_of(2)]
    assert list(reasons(one)) == [id_of(1)]
    assert one.tidy() == 0
    (note,) = (one.directory / "set-aside").glob("*.reason.json")
    age(note, DAY_S + 60)
    assert one.tidy() == 0
    assert reasons(one) == {}
    assert losses(one) == [id_of(1)]


def test_handed_in_again_it_is_set_aside_no_more(tmp_path: Path) -> None:
    one = spool(tmp_path)
    one.put(numbered(1))
    held = one.claim(one.waiting()[0])
    assert held is not None
    held.set_aside("a reason")
    (kept,) = (one.directory / "set-aside").glob("*[0-9a-f].json")
    one.put(kept.read_bytes())
    assert ids(one) == [id_of(1)]
    assert reasons(one) == {}
    assert not kept.exists()


def test_what_dead_agents_left_unfinished_goes(tmp_path: Path) -> None:
    one = spool(tmp_path)
    one.put(numbered(1))
    part = one.directory / ".x.0.part"
    part.write_bytes(b"{")
    one.tidy()
    assert part.exists()
    age(part, 7200)
    one.tidy()
    assert not part.exists()


def test_more_than_the_spool_takes(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"larger"):
        spool(tmp_path, Bounds(100, DAY_S)).put(numbered(1))


def test_a_place_that_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("")
    with pytest.raises(SpoolError, match=r"spool .*: .*delivery.spool_directory"):
        spool(tmp_path).put(numbered(1))


def test_a_link_in_the_place_of_a_document_is_not_followed(tmp_path: Path) -> None:
    one = spool(tmp_path)
    path = one.put(numbered(1))
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(SpoolError):
        one.claim(one.waiting()[0])


def test_others_of_this_machine_cannot_read_it(tmp_path: Path) -> None:
    one = spool(tmp_path)
    path = one.put(numbered(1))
    for place in (path, one.directory, one.directory / ".usage"):
        assert stat.S_IMODE(place.stat().st_mode) & 0o007 == 0


def test_every_byte_is_synced_before_the_name_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of durable writing: content, sync, name, sync of the directory."""
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def synced(descriptor: int) -> None:
        kind = "directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        steps.append(f"sync {kind}")
        fsync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    one = spool(tmp_path)
    one.put(numbered(1))
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    one.put(numbered(2))
    assert steps == ["sync file", "rename", "sync directory"]


def test_the_name_sorts_by_time_and_holds_a_digest() -> None:
    name = name_of(numbered(1))
    assert re.fullmatch(r"[0-9a-f-]{36}\.[0-9a-f]{32}\.json", name.file)
    assert name.fits(numbered(1))
    assert not name.fits(numbered(1) + b" ")


def bytes_in(one: Spool) -> int:
    return sum(
        path.stat().st_size for path in one.directory.glob("**/*-*.json") if ".reason" not in path.name
    )
