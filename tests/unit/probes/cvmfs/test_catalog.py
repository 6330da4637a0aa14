"""Catalogs: files are found through nested ones, and hostile SQLite gives one sentence in bounded time."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.cvmfs.catalog import opened, split_md5
from probes.cvmfs.faults import FaultError
from probes.cvmfs.hashes import ContentHash
from probes.cvmfs.walk import Located, locate
from tests.lab.cvmfs_repository import FILES, Repository

NAME = "lab.example.org"
GOOD = Repository()


def _load(repository: Repository) -> Callable[[ContentHash], bytes]:
    return lambda content: zlib.decompress(repository.objects[content.path("C")])


def _find(path: str, repository: Repository = GOOD, root: bytes | None = None) -> Located:
    catalog = repository.root_catalog() if root is None else root
    return locate(path, catalog, _load(repository), repository=NAME, revision=repository.revision)


def _with(*statements: str) -> bytes:
    database = sqlite3.connect(":memory:")
    database.deserialize(GOOD.root_catalog())
    database.executescript(";".join(statements))
    changed = database.serialize()
    database.close()
    return changed


def _content(located: Located, repository: Repository) -> bytes:
    parts = [zlib.decompress(repository.objects[piece.content.path(piece.kind)]) for piece in located.pieces]
    assert [len(part) for part in parts] == [piece.size_bytes for piece in located.pieces]
    return b"".join(parts)


@pytest.mark.parametrize("algorithm", ["sha1", "rmd160", "shake128"])
@pytest.mark.parametrize(
    ("path", "catalogs", "pieces"),
    [("/cmsset_default.sh", 1, 1), ("/sw/env.sh", 2, 1), ("/sw/el9/big.bin", 3, 3)],
)
def test_a_file_is_found_through_nested_catalogs(
    path: str, catalogs: int, pieces: int, algorithm: str
) -> None:
    repository = Repository(algorithm=algorithm)
    located = _find(path, repository)
    assert (located.catalogs, len(located.pieces)) == (catalogs, pieces)
    assert _content(located, repository) == FILES[path]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/link", "sw/env.sh"),
        ("/link", "/cvmfs/lab.example.org/sw/env.sh"),
        ("/sw/link", "../sw/el9/../env.sh"),
        ("/dirlink/env.sh", "sw"),
    ],
)
def test_links_inside_the_repository_are_followed(path: str, target: str) -> None:
    link = "/dirlink" if path.startswith("/dirlink") else path
    repository = replace(GOOD, links={link: target})
    assert _find(path, repository).path == "/sw/env.sh"


@pytest.mark.parametrize("target", ["/etc/passwd", "$(VARIANT)/x", "link", ""])
def test_links_that_lead_nowhere(target: str) -> None:
    with pytest.raises(FaultError) as caught:
        _find("/link", replace(GOOD, links={"/link": target}))
    assert caught.value.name == "no-such-file"


@pytest.mark.parametrize(
    "path", ["/", "/none", "/sw/el9/none/below", "/sw", "/cmsset_default.sh/below", "/a" * 40]
)
def test_what_is_no_file(path: str) -> None:
    with pytest.raises(FaultError) as caught:
        _find(path)
    assert caught.value.name == "no-such-file"


def test_the_key_of_a_path_is_its_md5_as_two_little_endian_integers() -> None:
    # MD5("") is d41d8cd98f00b204 e9800998ecf8427e (RFC 1321, A.5).
    assert split_md5("") == (
        int.from_bytes(bytes.fromhex("d41d8cd98f00b204"), "little", signed=True),
        int.from_bytes(bytes.fromhex("e9800998ecf8427e"), "little", signed=True),
    )


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"

HOSTILE = {
    "a view instead of a table": (
        "ALTER TABLE catalog RENAME TO real",
        f"CREATE VIEW catalog AS {ENDLESS} SELECT x md5path_1, x md5path_2, x hash, x size, x flags, x symlink FROM c",
    ),
    "a virtual table instead of a table": (
        "DROP TABLE nested_catalogs",
        "CREATE VIRTUAL TABLE nested_catalogs USING fts5(path, sha1)",
    ),
    "a table is missing": ("DROP TABLE chunks",),
    "a column is missing": ("ALTER TABLE catalog DROP COLUMN flags",),
    "a generated column": (
        "ALTER TABLE nested_catalogs DROP COLUMN sha1",
        "ALTER TABLE nested_catalogs ADD COLUMN sha1 TEXT GENERATED ALWAYS AS (zeroblob(1000000000)) VIRTUAL",
    ),
    "text instead of numbers": ("UPDATE catalog SET flags = 'x'",),
    "a negative size": ("UPDATE catalog SET size = -1",),
    "numbers out of range": ("UPDATE catalog SET flags = 9223372036854775807",),
    "a short hash": ("UPDATE catalog SET hash = x'00'",),
    "a hash in text": ("UPDATE catalog SET hash = 'abc'",),
    "a huge value": ("UPDATE catalog SET symlink = zeroblob(5000000), flags = 8",),
    "no hash for a file": ("UPDATE catalog SET hash = NULL",),
    "an unknown algorithm": ("UPDATE catalog SET flags = flags | 1792",),
    "a chunked file without chunks": ("UPDATE catalog SET flags = 68",),
    "another revision": ("UPDATE properties SET value = '7' WHERE key = 'revision'",),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_catalog_gives_one_sentence(name: str) -> None:
    with pytest.raises(FaultError) as caught:
        _find("/cmsset_default.sh", root=_with(*HOSTILE[name]))
    assert caught.value.name == "bad-catalog", caught.value
    assert "the root catalog" in caught.value.detail or "/cmsset_default.sh" in caught.value.detail
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM nested_catalogs",
        "UPDATE nested_catalogs SET sha1 = 'x'",
        "UPDATE nested_catalogs SET sha1 = NULL",
        "UPDATE nested_catalogs SET sha1 = x'ff'",
    ],
)
def test_a_nested_catalog_that_is_not_named_properly(statement: str) -> None:
    with pytest.raises(FaultError) as caught:
        _find("/sw/env.sh", root=_with(statement))
    assert caught.value.name == "bad-catalog"


def test_a_look_up_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without its index and with very many rows, each look-up reads the whole table.
    rows = (
        "INSERT INTO catalog SELECT x, x, 0, 0, 1, NULL, 0, 0, 0, 0, 4, '', '', 0, 0, NULL FROM c LIMIT 50000"
    )
    root = _with(
        "CREATE TABLE bare AS SELECT * FROM catalog WHERE 0",
        "DROP TABLE catalog",
        "ALTER TABLE bare RENAME TO catalog",
        rows.replace("INSERT INTO catalog", f"INSERT INTO catalog {ENDLESS}"),
    )
    monkeypatch.setattr("probes.cvmfs.catalog.MAX_LOOKS", 5)

    def look() -> None:
        with opened(root, "it") as catalog:
            catalog.entry("/none")

    with pytest.raises(FaultError, match="busy without end"):
        look()


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 4000, b"x" * 5000]
)
def test_what_is_no_database(content: bytes) -> None:
    with pytest.raises(FaultError) as caught:
        _find("/x", root=content)
    assert caught.value.name == "bad-catalog"


@given(st.integers(16, len(GOOD.root_catalog()) - 1), st.binary(min_size=1, max_size=64))
def test_any_damage_gives_a_file_or_a_fault(at: int, damage: bytes) -> None:
    content = bytearray(GOOD.root_catalog())
    content[at : at + len(damage)] = damage
    found = _outcome(lambda: _find("/cmsset_default.sh", root=bytes(content)))
    if isinstance(found, FaultError):
        assert found.name in ("bad-catalog", "no-such-file", "external")
        assert found.detail.isprintable()
    else:
        assert found.pieces


def _outcome(find: Callable[[], Located]) -> Located | FaultError:
    try:
        return find()
    except FaultError as fault:
        return fault
