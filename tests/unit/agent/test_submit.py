"""What `agent submit` makes of the files that are named."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from agent.delivery.deliver import Delivered
from agent.delivery.spool import Bounds, Spool
from agent.submit import InputError, Submitted, exit_code, paths, sources, take
from tests.unit.agent.delivery.examples import id_of, numbered


def taken(directory: Path, *contents: bytes, stdin: bytes = b"") -> tuple[list[str], tuple[str, ...]]:
    """Ids in the spool, and what was refused."""
    files: list[Path | None] = []
    for number, content in enumerate(contents):
        files.append(directory / f"file{number}")
        (directory / f"file{number}").write_bytes(content)
    spool = Spool(directory / "spool", Bounds(10**9, 1e6))
    found = take(sources([*files, None] if stdin else files, io.BytesIO(stdin)), spool)
    return [name.id for name in spool.waiting()], found.refused


def test_one_document_over_many_lines_or_one_a_line(tmp_path: Path) -> None:
    spread = json.dumps(json.loads(numbered(1)), indent=4).encode()
    lines = numbered(2) + b"\r\n\n" + numbered(3) + b"\n"
    assert taken(tmp_path, spread, lines, stdin=numbered(4)) == ([id_of(n) for n in (1, 2, 3, 4)], ())


def test_what_is_no_profile_is_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    lines = numbered(1) + b'\n{"id": 1}\n' + numbered(2) + b"\n"
    ids, refused = taken(tmp_path, lines, b"", b"\xff\xfe", numbered(3)[:-40])
    assert ids == [id_of(1), id_of(2)]
    assert [sentence.partition(": ")[0].removeprefix(f"{tmp_path}/") for sentence in refused] == [
        "file0, line 2",
        "file1",
        "file2",
        "file3",
    ]
    assert "empty" in refused[1]
    assert "UTF-8" in refused[2]
    assert "cut off" in refused[3]


def test_a_file_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    good = tmp_path / "good"
    good.write_bytes(numbered(1))
    spool = Spool(tmp_path / "spool", Bounds(10**9, 1e6))
    found = take(sources([tmp_path / "directory", good], io.BytesIO()), spool)
    assert found.kept == 1
    assert "Is a directory" in found.refused[0]


def test_patterns_and_names_that_look_like_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.json", "b.json", "odd[1].json", "deep/er/c.json"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    assert paths(["?.json", "odd[1].json", "**/c.json", "-"]) == [
        Path("a.json"),
        Path("b.json"),
        Path("odd[1].json"),
        Path("deep/er/c.json"),
        None,
    ]
    for argument in ("none.json", "none*.json"):
        with pytest.raises(InputError, match=r"none"):
            paths([argument])


@pytest.mark.parametrize(
    ("found", "refused", "signal", "code"),
    [
        (Delivered(2, 1, 0, 0, None), (), None, 0),
        (Delivered(0, 0, 0, 0, None), (), None, 0),
        (Delivered(1, 0, 0, 1, "why"), (), None, 4),
        (Delivered(1, 0, 1, 1, "why"), (), None, 1),
        (Delivered(1, 0, 0, 0, None), ("why",), None, 1),
        (Delivered(1, 0, 0, 1, "why"), (), "SIGTERM", 143),
        (Delivered(1, 0, 0, 1, "why"), (), "SIGINT", 130),
        (Delivered(1, 0, 0, 0, None), (), "SIGTERM", 0),
    ],
)
def test_exit_codes(found: Delivered, refused: tuple[str, ...], signal: str | None, code: int) -> None:
    assert exit_code(Submitted(found, refused), signal) == code
